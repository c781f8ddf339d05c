/** What was found: one card an answer, with its score, its place and where to go on. */

import { BASE, button, element } from "./dom.js";
import { profile, scaleOf, scoreBar } from "./charts.js";
import { fold } from "./folding.js";
import { gazePicture } from "./gaze_picture.js";
import { thumbnail } from "./api.js";
import { counted, score } from "./words.js";

/** The number that the interface knows an answer's item by. */
function numberOf(find, item) {
  if (find === "images") return item.image_number;
  if (find === "participants" || find === "personality") return item.participant_number;
  return item.sample;
}

/** Return the list of a result's answers; `elsewhere` is what another person would find. */
export function answerList(result, { why, elsewhere = null }) {
  if (result.answers.length === 0) {
    return element("p.none", {}, result.candidates === 0 ? "Nothing passes what is asked for under “Only among”." : "There are no more answers.");
  }
  const scale = scaleOf(result.answers);
  const others = elsewhere && places(elsewhere.result);
  const cards = result.answers.map((answer) => {
    const number = numberOf(result.find, answer.item);
    const place = others ? comparison(others.get(number), elsewhere.name) : null;
    return card(result.find, answer, number, scale, why, place);
  });
  return element(`ol.cards.of-${result.find}`, { start: result.offset + 1 }, cards);
}

function places(result) {
  return new Map(result.answers.map((answer) => [numberOf(result.find, answer.item), answer.rank]));
}

function comparison(rank, name) {
  if (rank === undefined) return element("p.place", {}, `not on ${name}’s page`);
  return element("p.place.shared", {}, `${ordinal(rank)} for ${name}`);
}

function card(find, answer, number, scale, why, place) {
  const room = element("div.why", { id: `why-${number}`, hidden: true });
  const toggle = button("Why", () => why.toggle(number, toggle, room), "button", {
    "aria-expanded": "false",
    "aria-label": `Why is this ${ordinal(answer.rank)}?`,
    "data-why": number,
  });
  const shown = element(
    "li.card.answer",
    { "data-number": number },
    element(
      "header",
      {},
      element("span.rank", {}, element("span.quiet", {}, "Rank "), counted(answer.rank)),
      element("span.soft.chance", {}, `by chance ${counted(answer.chance_rank)}`),
      element("span.score", {}, element("span.quiet", {}, "Score "), score(answer.score)),
    ),
    scoreBar(answer.parts, scale),
    place,
    element("div.item", {}, itemOf(find, answer.item)),
    element("footer", {}, links(find, answer.item), toggle),
    room,
  );
  shown.querySelectorAll("blockquote").forEach(fold);
  return shown;
}

function itemOf(find, item) {
  if (find === "images") {
    const picture = element("img", { src: thumbnail(item.image_number), alt: item.image, loading: "lazy" });
    const name = link(`/images/${item.image_number}`, item.image);
    return [element("div.frame", {}, picture), element("h3", {}, name)];
  }
  if (find === "participants" || find === "personality") {
    const survey = item.traits ? profile(item.traits) : element("p.soft", {}, "no survey");
    return [element("h3", {}, link(`/people/${item.participant_number}`, item.participant)), survey];
  }
  const words = item.text
    ? element("blockquote.words", { dir: "auto" }, item.text)
    : element("p.soft", {}, "wrote nothing");
  return [gazePicture(item.image_number, item.image, item.gaze), words];
}

/** Where a sample leads to; people and images are links themselves. */
function links(find, item) {
  if (find !== "text" && find !== "gaze") return element("p.links");
  const who = item.participant ? link(`/people/${item.participant_number}`, item.participant) : "nobody named";
  const image = link(`/images/${item.image_number}`, item.image);
  return element(
    "p.links",
    {},
    element("span", {}, "by ", who),
    element("span", {}, "on ", image),
    item.part ? element("span.label", {}, item.part) : null,
  );
}

function link(path, name) {
  return element("a", { href: BASE + path }, name);
}

function ordinal(number) {
  const tens = number % 100;
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${counted(number)}${ending}`;
}

/** Why something was found: the parts of its score, and the words and places that made it. */

import { attempt, get, post } from "./api.js";
import { element } from "./dom.js";
import { gazePicture } from "./gaze_picture.js";
import { score, signed } from "./words.js";

const SENSES = { gaze: "the gaze", text: "the words", personality: "the survey" };

export class Why {
  /** `asked` returns what was asked as a search's body, `image` what the gaze is of. */
  constructor({ asked, image, onchange }) {
    Object.assign(this, { asked, image, onchange });
    this.open = null;
  }

  async toggle(number, toggle, room) {
    const opens = toggle.getAttribute("aria-expanded") !== "true";
    this.open?.close();
    this.open = null;
    if (!opens) {
      this.onchange(null);
      return;
    }
    toggle.setAttribute("aria-expanded", "true");
    room.hidden = false;
    room.replaceChildren(element("p.soft", { role: "status" }, "Asking again without each word and place…"));
    const request = new AbortController();
    this.open = {
      close: () => {
        request.abort();
        toggle.setAttribute("aria-expanded", "false");
        room.hidden = true;
      },
    };
    this.onchange(number);
    await attempt("why", async () => {
      const query = this.asked(room);
      const explanation = await post("/v1/explain", { query, answer: number }, request.signal);
      const isSample = query.find === "text" || query.find === "gaze";
      const sample = isSample ? await get(`/v1/samples/${number}`, request.signal) : null;
      room.replaceChildren(...this.#shown(explanation, query, sample));
    });
  }

  #shown(explanation, query, sample) {
    const answer = sample === null ? {} : { text: sample.text, gaze: sample.gaze };
    const answerImage = sample && { number: sample.image_number, name: sample.image };
    const own = { text: query.text, gaze: query.gaze && { form: "points", ...query.gaze } };
    const sides = [
      ...Object.entries(explanation.query).map(([modality, made]) =>
        side(`What ${SENSES[modality]} you asked with gave`, modality, made, own, this.image())),
      ...Object.entries(explanation.answer).map(([modality, made]) =>
        side(`What ${SENSES[modality]} found gave`, modality, made, answer, answerImage)),
    ];
    return [parts(explanation), ...sides, key()];
  }
}

function parts(explanation) {
  const rows = Object.entries(explanation.parts).map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, score(value, 3))));
  const sum = element("tr.sum", {}, element("th", { scope: "row" }, "score"), element("td", {}, score(explanation.score, 3)));
  return element("table.parts", {}, element("caption", {}, "The score and its parts"), element("tbody", {}, rows, sum));
}

function side(title, modality, made, given, image) {
  const children = [element("h4", {}, title)];
  if (made.length === 0) children.push(element("p.soft", {}, "It is one piece: nothing can be left out of it."));
  else if (modality === "text" && given.text) children.push(highlighted(given.text, made));
  else if (modality === "gaze" && given.gaze && image) {
    children.push(gazePicture(image.number, image.name, given.gaze, made));
  }
  if (made.length > 0) children.push(table(made, modality, modality === "personality"));
  return element("section.side", {}, children);
}

/** The text with each word that counted underlined: solid raises, dotted lowers the score. */
function highlighted(text, contributions) {
  const most = Math.max(...contributions.map(({ value }) => Math.abs(value)), 1e-12);
  const characters = [...text]; // the server counts whole characters, a browser halves some
  const sorted = [...contributions].sort((a, b) => a.start - b.start);
  const children = [];
  let reached = 0;
  for (const { start, end, value } of sorted) {
    if (start < reached || end > characters.length) continue;
    children.push(characters.slice(reached, start).join(""));
    const word = element(value >= 0 ? "mark.raises" : "mark.lowers", { title: signed(value) }, characters.slice(start, end).join(""));
    word.style.setProperty("--share", (Math.abs(value) / most).toFixed(3));
    children.push(word);
    reached = end;
  }
  children.push(characters.slice(reached).join(""));
  return element("p.words.marked", { dir: "auto" }, children);
}

function table(made, modality, isOpen) {
  const order = [...made].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 50);
  const rows = order.map(({ start, end, label, value }) => element(
    "tr",
    {},
    element("th", { scope: "row", dir: "auto" }, nameOf(modality, label, start, end)),
    element("td", {}, signed(value)),
  ));
  const head = element("tr", {}, ["what", "to the score"].map((name) => element("th", { scope: "col" }, name)));
  const filled = element("table", {}, element("thead", {}, head), element("tbody", {}, rows));
  return element("details", { open: isOpen }, element("summary", {}, "In numbers"), filled);
}

function nameOf(modality, label, start, end) {
  if (modality === "gaze" && !label) return end - start > 1 ? `points ${start + 1} to ${end}` : `point ${start + 1}`;
  if (modality === "personality") return itemText(start) ?? `item ${label}`;
  return label;
}

function itemText(place) {
  return document.querySelectorAll("#survey .slider > span")[place]?.textContent;
}

function key() {
  return element(
    "p.soft.key-line",
    {},
    element("mark.raises", {}, "solid"),
    " raises the score, ",
    element("mark.lowers", {}, "dotted"),
    " lowers it; stronger or larger counts for more. Each was left out in turn, and the score computed again.",
  );
}

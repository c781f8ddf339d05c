/** One sample or person of the map beside it. */

import { attempt, get } from "./api.js";
import { profile } from "./charts.js";
import { BASE, debounced, element } from "./dom.js";
import { fold } from "./folding.js";
import { gazePicture } from "./gaze_picture.js";
import { nothing, write } from "./state.js";

const MOST_KEPT = 200;
const MOST_POINTS = 60; // of a gaze that is put into an address

export class SamplePanel {
  constructor(room) {
    this.room = room;
    this.empty = [...room.children];
    this.kept = new Map(); // what was read, by number
    this.wanted = null;
    this.soon = debounced((number) => this.#read(number), 60);
  }

  /** Show a sample by its number, a person, or nothing. */
  show({ number = null, person = null } = {}) {
    this.wanted = number;
    if (person !== null) this.room.replaceChildren(...personParts(person));
    else if (number === null) this.room.replaceChildren(...this.empty);
    else if (this.kept.has(number)) this.#fill(this.kept.get(number));
    else this.soon(number);
  }

  async #read(number) {
    await attempt("sample", async () => {
      const sample = await get(`/v1/samples/${number}`);
      if (this.kept.size >= MOST_KEPT) this.kept.clear();
      this.kept.set(number, sample);
      if (this.wanted === number) this.#fill(sample);
    });
  }

  #fill(sample) {
    const link = (path, name) => element("a", { href: BASE + path }, name);
    const words = sample.text ? element("blockquote.words", { dir: "auto" }, sample.text) : element("p.soft", {}, "wrote nothing");
    const who = sample.participant === null ? "nobody named" : link(`/people/${sample.participant_number}`, sample.participant);
    this.room.replaceChildren(
      gazePicture(sample.image_number, sample.image, sample.gaze),
      words,
      element("p.links", {}, element("span", {}, "by ", who), element("span", {}, "on ", link(`/images/${sample.image_number}`, sample.image))),
      element("p.links", {}, sample.text ? asked({ text: sample.text }, "Ask with these words") : null, gazeLink(sample)),
    );
    if (sample.text) fold(words);
  }
}

function gazeLink(sample) {
  if (sample.gaze?.form !== "points") return null;
  const { x, y } = sample.gaze;
  const step = Math.ceil(x.length / MOST_POINTS);
  const places = x.map((value, n) => ({ x: value, y: y[n] })).filter((_, n) => n % step === 0);
  const isWithin = (place) => [place.x, place.y].every((value) => value >= 0 && value <= 1);
  return asked({ image: sample.image, gaze: places.filter(isWithin) }, "Ask with this gaze");
}

function asked(change, name) {
  return element("a", { href: `${BASE}/#${write({ ...nothing(), ...change })}` }, name);
}

function personParts(person) {
  return [
    element("h3", {}, element("a", { href: `${BASE}/people/${person.number}` }, person.name)),
    element("p.soft", {}, "A person: the middle of their samples."),
    person.traits ? profile(person.traits) : null,
  ].filter((part) => part !== null);
}

/** The left side of the search page and the wishes above the answers: all that can be asked. */

import { byId } from "./dom.js";
import { Drawing } from "./drawing.js";
import { Filters } from "./filters.js";
import { Picker, named } from "./picker.js";
import { asked } from "./state.js";
import { Survey } from "./survey.js";
import { FINDS, listed } from "./words.js";

const SENSES = { gaze: "a gaze", text: "words", personality: "a survey" };

export class Asking {
  /** `onchange` is told what changed, and of which kind a change is that may go on. */
  constructor(facts, onchange) {
    Object.assign(this, { facts, onchange });
    this.image = null; // {number, name, width, height}
    this.weights = {};
    byId("ask").addEventListener("submit", (event) => event.preventDefault());
    this.#gaze();
    this.#text();
    this.#survey();
    this.#weighing();
    this.#finding();
    this.#eyes();
    this.filters = new Filters(facts, (filters) => onchange(filters, null));
  }

  /** Return what somebody gave before the page was ready to take it. */
  given() {
    const early = {};
    if (this.words?.value) early.text = this.words.value;
    if (this.survey?.answers()) early.survey = this.survey.answers();
    const find = document.querySelector("input[name=find]:checked").value;
    if (find !== "text") early.find = find;
    return early;
  }

  /** Show all of a state; the image is looked up by its name. */
  async show(state) {
    if (this.words) this.words.value = state.text;
    state.survey = this.survey ? this.survey.show(state.survey) : null;
    this.weights = { ...state.weights };
    this.#showWeights();
    this.as.show(state.as);
    this.and.show(state.and);
    this.filters.show(state);
    const wanted = state.image;
    if (wanted !== null && this.image?.name !== wanted && this.drawing) {
      const found = await named("images", wanted, null, 200);
      const image = found.find((one) => one.name === wanted) ?? null;
      if (image === null) throw new Error(`This store has no image ${wanted}.`);
      this.image = image;
    } else if (wanted === null) {
      this.image = null;
    }
    this.imagePicker?.show(this.image?.name);
    this.drawing?.show(this.image, state.gaze);
  }

  /** Tell what is possible with what is asked; return whether what is to be found is. */
  tell(state) {
    const modalities = asked(state);
    for (const modality of Object.keys(SENSES)) {
      const weight = byId(`weight-${modality}`);
      if (weight) weight.hidden = modalities.length < 2 || !modalities.includes(modality);
    }
    byId("second").hidden = state.as === null;
    const reasons = new Map();
    for (const radio of document.querySelectorAll("input[name=find]")) {
      const reason = this.#reason(radio.value, modalities, state.as);
      radio.checked = radio.value === state.find;
      radio.disabled = reason !== null && radio.value !== state.find;
      radio.parentElement.title = reason ?? "";
      radio.parentElement.classList.toggle("not-possible", reason !== null);
      if (reason !== null) reasons.set(reason, [...(reasons.get(reason) ?? []), FINDS[radio.value]]);
    }
    const sentences = [...reasons].map(([reason, finds]) => `No ${listed(finds)}: ${reason}.`);
    byId("impossible").textContent = sentences.join(" ");
    byId("impossible").hidden = sentences.length === 0;
    return this.#reason(state.find, modalities, state.as) === null;
  }

  /** Return why something cannot be found, or null. */
  #reason(find, modalities, as) {
    const possible = this.facts.finds[find] ?? [];
    if (possible.length === 0) return `the run ${this.facts.run} was trained for ${this.facts.tasks.join(", ")}`;
    const missing = modalities.filter((modality) => !possible.includes(modality));
    if (missing.length > 0) {
      return `the run was not trained to find them from ${listed(missing.map((one) => SENSES[one]))}`;
    }
    if (find === "participants" && as !== null) return "a search for people is not made through somebody’s eyes";
    return null;
  }

  #gaze() {
    if (!byId("ask-gaze")) return;
    this.drawing = new Drawing(byId("drawing"), (gaze) => this.onchange({ gaze }, "gaze"));
    this.imagePicker = new Picker(byId("pick-image"), {
      kind: "images",
      label: "Image",
      placeholder: "Choose an image by its name",
      onpick: (image) => {
        this.image = image;
        this.drawing.show(image, []);
        this.onchange({ image: image?.name ?? null, gaze: [] }, null);
      },
    });
  }

  #text() {
    this.words = byId("text");
    this.words?.addEventListener("input", () => this.onchange({ text: this.words.value }, "text"));
  }

  #survey() {
    const root = byId("ask-personality");
    if (!root) return;
    this.survey = new Survey(root, (survey, goesOn) => this.onchange({ survey }, goesOn ? "survey" : null));
  }

  #weighing() {
    for (const modality of Object.keys(SENSES)) {
      const slider = byId(`weight-${modality}`)?.querySelector("input");
      slider?.addEventListener("input", () => {
        this.weights = { ...this.weights, [modality]: rounded(2 ** Number(slider.value)) };
        this.#showWeights();
        this.onchange({ weights: this.weights }, "weights");
      });
    }
  }

  #showWeights() {
    for (const modality of Object.keys(SENSES)) {
      const room = byId(`weight-${modality}`);
      if (!room) continue;
      const weight = this.weights[modality] ?? 1;
      room.querySelector("input").value = String(Math.log2(weight));
      room.querySelector("output").textContent = `${weight}×`;
    }
  }

  #finding() {
    for (const radio of document.querySelectorAll("input[name=find]")) {
      radio.addEventListener("change", () => this.onchange({ find: radio.value }, null));
    }
  }

  #eyes() {
    const picker = (key, label, placeholder) => new Picker(byId(`pick-${key}`), {
      kind: "participants",
      id: key,
      label,
      placeholder,
      onpick: (person) => this.#looks(key, person?.name ?? null),
    });
    this.as = picker("as", "As seen by", "nobody in particular");
    this.and = picker("and", "and, side by side, by", "a second person");
  }

  #looks(key, name) {
    if (key === "and") {
      this.onchange({ and: name }, null);
      return;
    }
    if (name === null) this.and.show(null);
    this.onchange(name === null ? { as: null, and: null } : { as: name }, null);
  }
}

function rounded(weight) {
  return Math.round(weight * 100) / 100;
}

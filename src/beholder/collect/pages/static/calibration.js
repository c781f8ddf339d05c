/** How large a pixel is: a bank card, held against its outline on the screen. */

import { button, element } from "./dom.js";
import { pinch } from "./environment.js";

const CARD_CM = 8.56;
const CARD_ASPECT = 85.6 / 53.98;
const SMALLEST_PX = 150;
const LARGEST_PX = 900;
const FIRST_PX = 340;
const NEAREST_CM = 15;
const FURTHEST_CM = 200;

export class Calibration {
  constructor(wanted, messages, onChange) {
    this.isRequired = wanted.calibration === "required";
    this.messages = messages;
    this.onChange = onChange;
    this.length = FIRST_PX;
    this.#build(wanted.viewing_distance_cm);
  }

  /** Return what is still wrong in one sentence, or "". */
  problem() {
    if (!this.isRequired && !this.matches.checked) return "";
    if (!this.matches.checked) return this.messages.text("card.required");
    const distance = Number(this.distance.value);
    const isFine = distance >= NEAREST_CM && distance <= FURTHEST_CM;
    const bounds = { least: NEAREST_CM, most: FURTHEST_CM };
    return isFine ? "" : this.messages.text("card.distance.wrong", bounds);
  }

  /** Return the measurement, or null where the card was not held against the screen. */
  result() {
    if (!this.matches.checked) return null;
    const length = this.length * pinch(); // in pixels as they are without a zoom of the fingers
    return {
      pixels_per_cm: length / CARD_CM,
      viewing_distance_cm: Number(this.distance.value),
      card_width_px: length,
    };
  }

  #build(distance) {
    const say = (key) => this.messages.text(key);
    this.card = element("div.outline", { "aria-hidden": "true" }, element("span.chip"));
    this.slider = element("input", {
      type: "range",
      id: "card",
      min: SMALLEST_PX,
      max: LARGEST_PX,
      step: 1,
      value: FIRST_PX,
      oninput: () => this.#resize(Number(this.slider.value)),
    });
    this.matches = element("input", {
      type: "checkbox",
      id: "card-matches",
      onchange: this.onChange,
    });
    this.distance = element("input", {
      type: "number",
      id: "distance",
      inputmode: "decimal",
      min: NEAREST_CM,
      max: FURTHEST_CM,
      value: distance,
    });
    const change = (by) => () => this.#resize(Number(this.slider.value) + by);
    const smaller = button("−", change(-1), "small");
    const larger = button("+", change(1), "small");
    smaller.setAttribute("aria-label", say("card.smaller"));
    larger.setAttribute("aria-label", say("card.larger"));
    const parts = [
      element("p", {}, say("card.text")),
      element("div.slider", {}, smaller, this.slider, larger),
      element("div.bench", {}, this.card),
      element("p.check", {}, this.matches, label("card-matches", say("card.matches"))),
      element("p.field", {}, label("distance", say("card.distance")), this.distance),
    ];
    this.slider.setAttribute("aria-label", say("card.size"));
    const title = say(this.isRequired ? "card.title" : "card.title.optional");
    this.node = element(
      "details.card",
      { open: this.isRequired },
      element("summary", {}, title),
      ...parts,
    );
    this.#resize(FIRST_PX);
  }

  #resize(length) {
    this.length = Math.min(LARGEST_PX, Math.max(SMALLEST_PX, length));
    this.slider.value = String(this.length);
    this.matches.checked = false;
    // On a phone a card is wider than the screen: there it stands upright.
    const isUpright = innerWidth < 600;
    const [long, short] = [this.length, this.length / CARD_ASPECT];
    this.card.style.width = `${isUpright ? short : long}px`;
    this.card.style.height = `${isUpright ? long : short}px`;
  }
}

function label(id, text) {
  return element("label", { for: id }, text);
}

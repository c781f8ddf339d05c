/** Long texts are shown by their beginning, until somebody wants all of it. */

import { button } from "./dom.js";

const LONG = 400; // characters
const LINES = 8;

export function fold(words) {
  const text = words.textContent;
  if (text.length <= LONG && text.split("\n").length <= LINES) return;
  words.classList.add("folded");
  const toggle = button("Show all", () => {
    const isFolded = words.classList.toggle("folded");
    toggle.textContent = isFolded ? "Show all" : "Show less";
    toggle.setAttribute("aria-expanded", String(!isFolded));
  }, "link");
  toggle.setAttribute("aria-expanded", "false");
  words.after(toggle);
}

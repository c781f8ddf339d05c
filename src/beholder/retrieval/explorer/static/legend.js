/** What the colours of the map mean. */

import { button, element, shape } from "./dom.js";
import { css, unknownColour } from "./colours.js";
import { counted } from "./words.js";

/** Fill a room; `onmark` is told the number of somebody or something to single out, or to stop. */
export function showLegend(room, title, legend, hasPeople, onmark) {
  const parts = [element("h2", {}, title)];
  if (legend.ramp) parts.push(gradient(legend));
  if (legend.entries) parts.push(names(legend.entries, onmark));
  if (legend.means) parts.push(element("p.soft", {}, legend.means));
  if (legend.unknown > 0) parts.push(element("p.key", {}, swatch(unknownColour), `not known: ${counted(legend.unknown)}`));
  if (hasPeople) parts.push(element("p.key", {}, element("span.diamond"), "a person: the middle of their samples"));
  room.replaceChildren(...parts);
}

function gradient({ ramp, ticks }) {
  const stops = ramp.map((colour, place) =>
    shape("stop", { offset: place / (ramp.length - 1), "stop-color": css(colour) }));
  const fill = shape("defs", {}, shape("linearGradient", { id: "ramp" }, stops));
  const bar = shape("svg.ramp", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, fill, shape("rect", { width: 100, height: 8, rx: 2, fill: "url(#ramp)" }));
  return element("div", {}, bar, element("p.ends.soft", {}, ticks.map((tick) => element("span", {}, tick))));
}

function names(entries, onmark) {
  return element("ul.marks", { "aria-label": "Single out" }, entries.map(({ number, name, count, colour, isMarked }) => {
    const mark = button("", () => onmark(number), "mark-one", { "aria-pressed": String(isMarked) });
    mark.append(swatch(colour), element("span", {}, name), element("span.soft", {}, counted(count)));
    return element("li", {}, mark);
  }));
}

function swatch(colour) {
  const made = element("span.swatch");
  made.style.backgroundColor = colour;
  return made;
}

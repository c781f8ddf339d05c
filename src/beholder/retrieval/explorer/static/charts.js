/** Small charts, each with its numbers in words. */

import { element, shape } from "./dom.js";
import { score } from "./words.js";

const WIDTH = 200;

/** The parts that have a colour of their own. */
const PARTS = ["base", "content", "style", "canonical", "manner", "popularity"];

/** The parts of a score: what adds to the right of a line, what is taken off to its left. */
export function scoreBar(parts, { low, high }) {
  const shown = Object.entries(parts);
  const words = shown.map(([name, value]) => `${name} ${score(value)}`).join(", ");
  const at = (value) => ((value - low) / Math.max(high - low, 1e-9)) * WIDTH;
  const ends = { right: 0, left: 0 };
  const blocks = shown.filter(([, value]) => value !== 0).map(([name, value]) => {
    const side = value > 0 ? "right" : "left";
    const from = ends[side];
    ends[side] += value;
    const [start, end] = [at(from), at(ends[side])].sort((a, b) => a - b);
    const title = shape("title", {}, `${name} ${score(value)}`);
    return shape(`rect.${partClass(name)}`, { x: start, y: 2, width: Math.max(end - start, 0.5), height: 10 }, title);
  });
  return shape(
    "svg.score-bar",
    { viewBox: `0 0 ${WIDTH} 14`, preserveAspectRatio: "none", role: "img", "aria-label": `Parts of the score: ${words}` },
    blocks,
    shape("path.zero", { d: `M${at(0)} 0V14` }),
  );
}

/** The range that holds every one of several scores' parts. */
export function scaleOf(answers) {
  const sums = answers.flatMap(({ parts }) => {
    const values = Object.values(parts);
    const of = (sign) => values.filter((value) => value * sign > 0).reduce((sum, value) => sum + value, 0);
    return [of(1), of(-1)];
  });
  return { low: Math.min(0, ...sums), high: Math.max(0, ...sums) };
}

/** What the colours of the parts mean. */
export function partsLegend(names) {
  return names.map((name) => element("span.key", {}, element(`span.swatch.${partClass(name)}`), name));
}

/** Traits as bars on the survey's scale. */
export function profile(traits) {
  const { lowest, highest } = document.documentElement.dataset;
  const [low, high] = [Number(lowest ?? 1), Number(highest ?? 5)];
  const rows = Object.entries(traits).map(([name, value]) => {
    const share = Math.min(Math.max((value - low) / (high - low), 0), 1);
    const bar = shape(
      "svg.trait-bar",
      { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      shape("path.trait-all", { d: "M0 4H100" }),
      shape("path.trait-own", { d: `M0 4H${share * 100}` }),
    );
    return element("div", {}, element("dt", {}, name), element("dd", {}, bar, element("span", {}, value.toFixed(1))));
  });
  return element("dl.traits", { "aria-label": `Survey, from ${low} to ${high}` }, rows);
}

function partClass(name) {
  return PARTS.includes(name) ? `part-${name}` : "part-other";
}

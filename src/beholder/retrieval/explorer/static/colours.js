/** What colour each sample has, and what the colours mean. */

import { counted, percent } from "./words.js";

const MOST_NAMED = 12;
const UNKNOWN = [138, 144, 151];
const DIMMED = 26;
const SHOWN = 215;
const RAMPS = {
  light: [[226, 164, 46], [205, 92, 84], [140, 46, 122], [42, 30, 96]],
  dark: [[112, 102, 222], [190, 80, 150], [250, 140, 96], [255, 226, 130]],
};

/** The ways to colour a map: [value, what it is called]. */
export function waysToColour(cloud) {
  const traits = new Set(cloud.people.flatMap(({ traits }) => Object.keys(traits ?? {})));
  return [
    ["participant", "participant"],
    ["image", "image"],
    ["error", "error"],
    ...[...traits].map((trait) => [`trait:${trait}`, `trait: ${trait}`]),
  ];
}

/**
 * Return {rgba, last, legend}: bytes of each row, the rows to draw on top, and what to explain.
 * `marked` holds the numbers of people or images that alone keep their colour, if there are any.
 */
export function colourBy(way, cloud, marked, isDark) {
  const rgba = new Uint8Array(cloud.count * 4);
  const ramp = RAMPS[isDark ? "dark" : "light"];
  const last = [];
  const paint = (row, colour, alpha = SHOWN) => rgba.set([...colour, alpha], row * 4);
  if (way === "participant" || way === "image") {
    const numbers = cloud.data[way];
    for (let row = 0; row < cloud.count; row += 1) {
      const isMarked = marked.size === 0 || marked.has(numbers[row]);
      paint(row, numbers[row] < 0 ? UNKNOWN : ownColour(numbers[row], isDark), isMarked ? SHOWN : DIMMED);
      if (isMarked && marked.size > 0) last.push(row);
    }
    return { rgba, last, legend: named(way, cloud, marked, isDark) };
  }
  const { value, low, high, bend, words, means } = measure(way, cloud);
  let unknown = 0;
  for (let row = 0; row < cloud.count; row += 1) {
    const own = value(row);
    if (own === null) unknown += 1;
    paint(row, own === null ? UNKNOWN : between(ramp, ((own - low) / Math.max(high - low, 1e-9)) ** bend), own === null ? DIMMED * 3 : SHOWN);
  }
  return { rgba, last, legend: { ramp, ticks: [0, 0.5, 1].map((at) => words(low + (high - low) * at ** (1 / bend))), means, unknown } };
}

/** Take most of the colour from every row but some. */
export function dimOthers(rgba, rows) {
  const kept = new Set(rows);
  for (let row = 0; row < rgba.length / 4; row += 1) {
    if (!kept.has(row)) rgba[row * 4 + 3] = Math.min(rgba[row * 4 + 3], DIMMED * 2);
  }
}

export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

export const unknownColour = css(UNKNOWN);

/** A colour of one's own: neighbours in number are far from each other in hue. */
function ownColour(number, isDark) {
  const hue = (number * 137.508 + 210) % 360;
  const lightness = (isDark ? 0.64 : 0.44) + ((number % 3) - 1) * 0.07;
  return hsl(hue, 0.62, lightness);
}

function measure(way, cloud) {
  if (way === "error") {
    const means = "How many of the others lie nearer to a sample than its own other half: the words of its gaze, or the gaze of its words.";
    // Most errors are small: the root tells these apart.
    return { value: (row) => cloud.error(row), low: 0, high: 1, bend: 0.5, words: percent, means };
  }
  const trait = way.slice("trait:".length);
  const { lowest, highest } = document.documentElement.dataset;
  const of = (row) => cloud.person.get(cloud.data.participant[row])?.traits?.[trait] ?? null;
  const means = `The ${trait} of whoever a sample is of.`;
  return { value: of, low: Number(lowest ?? 1), high: Number(highest ?? 5), bend: 1, words: String, means };
}

function named(way, cloud, marked, isDark) {
  const counts = new Map();
  for (const number of cloud.data[way]) counts.set(number, (counts.get(number) ?? 0) + 1);
  const name = (number) => (way === "image" ? cloud.data.images[number] : cloud.person.get(number)?.name);
  const order = [...counts.keys()].filter((number) => number >= 0);
  order.sort((a, b) => marked.has(b) - marked.has(a) || counts.get(b) - counts.get(a) || a - b);
  const most = Math.max(MOST_NAMED, marked.size);
  const entries = order.slice(0, most).map((number) => ({
    number,
    name: name(number) ?? String(number),
    count: counts.get(number),
    colour: css(ownColour(number, isDark)),
    isMarked: marked.has(number),
  }));
  const rest = order.length - entries.length;
  const means = rest > 0 ? `and ${counted(rest)} more, each in a colour of its own` : "";
  return { entries, means, unknown: counts.get(-1) ?? 0 };
}

function between(ramp, share) {
  const at = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
  const first = Math.min(Math.floor(at), ramp.length - 2);
  return ramp[first].map((value, n) => Math.round(value + (ramp[first + 1][n] - value) * (at - first)));
}

function hsl(hue, saturation, lightness) {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

/** A gaze over its image: points with their order, areas as boxes, a map as heat. */

import { thumbnail } from "./api.js";
import { element, shape } from "./dom.js";
import { percent, plural, signed } from "./words.js";

const MOST_NUMBERED = 24;
const MOST_CELLS = 40;
const HEAT = [226, 82, 29]; // what the page's style calls heat, as a canvas needs it

/** Return an image of the store with a gaze over it, and what made its score, if that is given. */
export function gazePicture(image, name, gaze, contributions = null) {
  const picture = element("img", { src: thumbnail(image), alt: "", loading: "lazy" });
  const frame = element("div.frame", {}, picture);
  overlay(frame, name, gaze, contributions);
  return frame;
}

/** Lay a gaze over the picture in a frame; the drawing takes the picture's own proportions. */
export function overlay(frame, name, gaze, contributions = null) {
  const picture = frame.querySelector("img");
  if (!gaze) {
    picture.alt = name;
    return;
  }
  const drawing = shape("svg.gaze", { role: "img", "aria-label": told(name, gaze, contributions) });
  picture.alt = "";
  frame.append(drawing);
  const draw = () => {
    const { naturalWidth: width, naturalHeight: height } = picture;
    if (width === 0) return;
    const scale = { width, height, unit: Math.max(width * 0.75, height) / 100 };
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.replaceChildren(...marks(gaze, scale, contributions));
  };
  if (picture.complete) draw();
  picture.addEventListener("load", draw);
}

/** Say a gaze in words. */
export function told(name, gaze, contributions = null) {
  const made = contributions?.length ? `, ${plural(contributions.length, "contribution")} to the score` : "";
  if (gaze.form === "areas") {
    const labels = [...new Set(gaze.label)].filter(Boolean).slice(0, 5).join(", ");
    return `${plural(gaze.label.length, "area")} of ${name} looked at${labels && `: ${labels}`}${made}`;
  }
  if (gaze.form === "map") return `Where ${name} was looked at, as a map of heat${made}`;
  const first = `the first ${percent(gaze.x[0])} across, ${percent(gaze.y[0])} down`;
  return `${plural(gaze.x.length, "point")} looked at on ${name}, ${first}${made}`;
}

function marks(gaze, scale, contributions) {
  const forms = { areas, map: heat, points };
  const parts = forms[gaze.form](gaze, scale);
  return contributions === null ? parts : [...dimmed(parts), ...made(gaze, scale, contributions)];
}

function dimmed(parts) {
  return [shape("g.behind", {}, parts)];
}

function points(gaze, { width, height, unit }) {
  const places = gaze.x.map((x, number) => [x * width, gaze.y[number] * height]);
  const path = `M${places.map((place) => place.join(" ")).join("L")}`;
  const lines = ["path-back", "path"].map((kind) => shape(`path.${kind}`, { d: path, "stroke-width": unit * (kind === "path" ? 0.7 : 1.6) }));
  const isNumbered = places.length <= MOST_NUMBERED;
  const radius = isNumbered ? unit * 4 : unit * 1.8;
  const dots = places.map(([x, y], number) => shape(
    "g",
    { transform: `translate(${x} ${y})` },
    shape("circle.dot", { r: radius, "stroke-width": unit * 0.7 }),
    isNumbered ? shape("text.order", { dy: "0.36em", "font-size": unit * 5 }, String(number + 1)) : null,
  ));
  return [...lines, ...dots];
}

/** Each area once, numbered by when it was first looked at. */
function areas(gaze, { width, height, unit }) {
  const looked = new Map();
  gaze.box.forEach((box, place) => {
    const key = `${gaze.label[place]} ${box.join(" ")}`;
    looked.set(key, { box, label: gaze.label[place], times: (looked.get(key)?.times ?? 0) + 1 });
  });
  return [...looked.values()].flatMap(({ box: [x, y, wide, high], label, times }, number) => [
    shape("rect.area", {
      x: x * width,
      y: y * height,
      width: wide * width,
      height: high * height,
      "stroke-width": unit,
    }),
    // A label that would hide its neighbours is only a number.
    shape(
      "text.area-label",
      { x: x * width + unit * 1.5, y: y * height + unit * 5.5, "font-size": unit * 5, "stroke-width": unit * 1.4 },
      wide * width > unit * 24 ? `${number + 1} ${label}${times > 1 ? ` ×${times}` : ""}` : String(number + 1),
    ),
  ]);
}

/** Rings and boxes around what raised (solid) or lowered (dashed) the score, sized by how much. */
function made(gaze, { width, height, unit }, contributions) {
  if (gaze.form === "map") return cells(gaze.values, { width, height, unit }, contributions);
  const most = Math.max(...contributions.map(({ value }) => Math.abs(value)), 1e-12);
  return contributions.flatMap(({ start, end, value }) => {
    const share = Math.abs(value) / most;
    const kind = value >= 0 ? "raises" : "lowers";
    const title = shape("title", {}, `${signed(value)} to the score`);
    return Array.from({ length: Math.max(1, end - start) }, (_, step) => start + step).map((place) => {
      const line = { "stroke-width": unit * (0.6 + 1.6 * share) };
      if (gaze.form === "areas") {
        const box = gaze.box[place];
        if (!box) return null;
        const [x, y, wide, high] = box;
        return shape(`rect.${kind}`, { x: x * width, y: y * height, width: wide * width, height: high * height, ...line }, title.cloneNode(true));
      }
      if (gaze.x[place] === undefined) return null;
      const centre = { cx: gaze.x[place] * width, cy: gaze.y[place] * height };
      return shape(`circle.${kind}`, { ...centre, r: unit * (2 + 9 * share), ...line }, title.cloneNode(true));
    });
  }).filter((mark) => mark !== null);
}

/** The cells of a map that counted most; each piece is one or more of them, row by row. */
function cells(values, { width, height, unit }, contributions) {
  const columns = values[0].length;
  const [wide, high] = [width / columns, height / values.length];
  const order = [...contributions].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return order.slice(0, MOST_CELLS).flatMap(({ start, end, value }) => {
    const share = Math.abs(value) / Math.max(Math.abs(order[0].value), 1e-12);
    return Array.from({ length: end - start }, (_, step) => shape(
      `rect.${value >= 0 ? "raises" : "lowers"}`,
      {
        x: ((start + step) % columns) * wide,
        y: Math.floor((start + step) / columns) * high,
        width: wide,
        height: high,
        "stroke-width": unit * (0.3 + share),
      },
      shape("title", {}, `${signed(value)} to the score`),
    ));
  });
}

function heat({ values }, { width, height }) {
  const [rows, columns] = [values.length, values[0].length];
  const canvas = element("canvas", { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  const most = Math.max(...values.flat(), 1e-12);
  values.flat().forEach((value, place) => {
    pixels.data.set([...HEAT, Math.round(215 * Math.sqrt(value / most))], place * 4);
  });
  context.putImageData(pixels, 0, 0);
  return [shape("image", { href: canvas.toDataURL(), width, height, preserveAspectRatio: "none" })];
}

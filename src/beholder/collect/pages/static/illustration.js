/** Drawings of what a participant does; they say nothing that the text beside them does not. */

const SVG = "http://www.w3.org/2000/svg";

/** Draw a blurred scene, one place of it sharp. */
export function drawingOfLooking() {
  const drawing = canvas();
  const blur = shape("filter", { id: "drawn-blur", x: 0, y: 0, width: 1, height: 1 }, [
    shape("feGaussianBlur", { stdDeviation: 9 }),
  ]);
  const clip = shape("clipPath", { id: "drawn-bubble" }, [
    shape("circle", { cx: 214, cy: 104, r: 36 }),
  ]);
  drawing.append(
    shape("defs", {}, [blur, clip]),
    shape("g", { filter: "url(#drawn-blur)" }, scene()),
    shape("g", { "clip-path": "url(#drawn-bubble)" }, scene()),
    shape("circle", {
      cx: 214,
      cy: 104,
      r: 36.5,
      fill: "none",
      stroke: "#fff",
      "stroke-width": 2.5,
    }),
    shape("path", {
      d: "M214 104l9 25 4-10 10-4z",
      fill: "#fff",
      stroke: "#1b1f24",
      "stroke-width": 1.5,
      "stroke-linejoin": "round",
    }),
  );
  return drawing;
}

/** Draw a sheet with lines of writing. */
export function drawingOfWriting() {
  const drawing = canvas();
  const line = (y, to) => ["path", { d: `M84 ${y}H${to}`, stroke: "#8fa3b3", "stroke-width": 7 }];
  const parts = [
    ["rect", { width: 320, height: 180, fill: "#a9cde6" }],
    ["rect", { x: 56, y: 30, width: 208, height: 150, rx: 10, fill: "#fffdf8" }],
    line(62, 232),
    line(88, 216),
    line(114, 176),
    ["path", { d: "M182 126l8-26 46-46 18 18-46 46z", fill: "#f4c95d" }],
    ["path", { d: "M182 126l8-26 18 18z", fill: "#f3ece0" }],
    ["path", { d: "M182 126l3-10 7 7z", fill: "#1b1f24" }],
    ["path", { d: "M228 62l8-8 18 18-8 8z", fill: "#b5533c" }],
  ];
  drawing.append(...parts.map(([name, attributes]) => shape(name, attributes)));
  return drawing;
}

function canvas() {
  return shape("svg", { viewBox: "0 0 320 180", "aria-hidden": "true", class: "drawing" });
}

function scene() {
  const parts = [
    ["rect", { width: 320, height: 180, fill: "#a9cde6" }],
    ["circle", { cx: 62, cy: 44, r: 22, fill: "#f4c95d" }],
    ["path", { d: "M0 130q80-40 160-8t160-16v74H0z", fill: "#6f9d62" }],
    ["rect", { x: 180, y: 84, width: 66, height: 52, fill: "#f3ece0" }],
    ["path", { d: "M170 86l43-34 43 34z", fill: "#b5533c" }],
    ["rect", { x: 206, y: 106, width: 16, height: 30, fill: "#6b4a35" }],
    ["rect", { x: 188, y: 96, width: 13, height: 13, fill: "#4e88b5" }],
    ["rect", { x: 227, y: 96, width: 13, height: 13, fill: "#4e88b5" }],
    ["rect", { x: 96, y: 100, width: 8, height: 36, fill: "#6b4a35" }],
    ["circle", { cx: 100, cy: 84, r: 26, fill: "#3f7a4a" }],
    ["circle", { cx: 284, cy: 112, r: 18, fill: "#3f7a4a" }],
  ];
  return parts.map(([name, attributes]) => shape(name, attributes));
}

function shape(name, attributes, children = []) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

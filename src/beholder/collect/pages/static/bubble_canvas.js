/** The blurred image on a canvas, a sharp disc where the viewer last looked. */

import { pinch } from "./environment.js";

const MOST_PIXELS = 4096; // a side of the backing store that every browser still draws

export class BubbleCanvas {
  /**
   * `sheet` is the room that the style sheet gives the canvas within it; `size` is the image's in
   * its own pixels, in which all drawing is done.
   */
  constructor(sheet, canvas, size, radius) {
    this.sheet = sheet;
    this.canvas = canvas;
    this.size = size;
    this.radius = radius;
    this.ground = null; // what is seen all over: the blurred image, or the sharp one
    this.sharp = null;
    this.bubble = null; // fractions of the image
    this.crosshair = null;
    sheet.style.setProperty("--aspect", String(size.width / size.height));
    sheet.style.setProperty("--natural", `${size.width}px`);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(sheet);
    this.ending = new AbortController();
    const redraw = { signal: this.ending.signal };
    addEventListener("resize", () => this.draw(), redraw); // or another device pixel ratio
    window.visualViewport?.addEventListener("resize", () => this.draw(), redraw);
  }

  setPictures(ground, sharp) {
    this.ground = ground;
    this.sharp = sharp;
    this.draw();
  }

  /** Return the place under a pointer as fractions of the image; null beside the image. */
  place(clientX, clientY) {
    // The canvas has neither border nor padding, so its box is the image's. Box and pointer are
    // measured in the same (layout) viewport, whatever was scrolled, zoomed or turned.
    const box = this.canvas.getBoundingClientRect();
    const x = (clientX - box.left) / box.width;
    const y = (clientY - box.top) / box.height;
    return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : null;
  }

  show({ bubble = this.bubble, crosshair = this.crosshair }) {
    this.bubble = bubble;
    this.crosshair = crosshair;
    this.draw();
  }

  draw() {
    const { canvas, size, ground } = this;
    if (ground === null || this.sheet.offsetWidth === 0) return;
    layOnPixels(this.sheet, canvas);
    const box = canvas.getBoundingClientRect();
    this.#fit(box);
    const context = canvas.getContext("2d");
    context.setTransform(canvas.width / size.width, 0, 0, canvas.height / size.height, 0, 0);
    context.imageSmoothingQuality = "high";
    context.drawImage(ground, 0, 0, size.width, size.height);
    const line = size.width / box.width; // one CSS pixel
    if (this.bubble !== null) this.#drawBubble(context, line);
    if (this.crosshair !== null) this.#drawCrosshair(context, line);
  }

  stop() {
    this.observer.disconnect();
    this.ending.abort();
  }

  #fit(box) {
    const wanted = devicePixelRatio * Math.min(pinch(), 3);
    const ratio = Math.min(wanted, MOST_PIXELS / Math.max(box.width, box.height));
    const width = Math.max(1, Math.round(box.width * ratio));
    const height = Math.max(1, Math.round(box.height * ratio));
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  #drawBubble(context, line) {
    const { size, radius } = this;
    const [x, y] = [this.bubble.x * size.width, this.bubble.y * size.height];
    context.save();
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.clip();
    context.drawImage(this.sharp, 0, 0, size.width, size.height);
    context.restore();
    for (const [colour, offset] of [["#fff", 1], ["#000", 2.25]]) {
      context.beginPath();
      context.arc(x, y, radius + offset * line, 0, 2 * Math.PI);
      context.lineWidth = 1.5 * line;
      context.strokeStyle = colour;
      context.stroke();
    }
  }

  #drawCrosshair(context, line) {
    const { size, radius } = this;
    const [x, y] = [this.crosshair.x * size.width, this.crosshair.y * size.height];
    const [inner, outer] = [3 * line, Math.max(radius * 0.6, 14 * line)];
    for (const [colour, width] of [["#000", 5], ["#fff", 2.5]]) {
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + dx * inner, y + dy * inner);
        context.lineTo(x + dx * outer, y + dy * outer);
      }
      context.lineWidth = width * line;
      context.strokeStyle = colour;
      context.lineCap = "round";
      context.stroke();
    }
  }
}

/**
 * Lay the canvas within its sheet on edges that are whole pixels. A browser draws a box on the
 * nearest ones, up to half a pixel away from where it says that the box is.
 */
function layOnPixels(sheet, canvas) {
  const room = sheet.getBoundingClientRect();
  const zoom = sheet.currentCSSZoom ?? 1;
  const unit = wholeUnit(devicePixelRatio);
  const sides = [
    ["left", "width", room.left + scrollX, room.right + scrollX],
    ["top", "height", room.top + scrollY, room.bottom + scrollY],
  ];
  for (const [side, length, from, to] of sides) {
    const first = Math.ceil(from / unit) * unit;
    const last = Math.max(first + unit, Math.floor(to / unit) * unit);
    canvas.style[side] = `${(first - from) / zoom}px`;
    canvas.style[length] = `${(last - first) / zoom}px`;
  }
}

/** Return the least length of whole CSS pixels and whole device pixels, or else of the latter. */
function wholeUnit(ratio) {
  const pixels = [1, 2, 3, 4].find((n) => Math.abs(n * ratio - Math.round(n * ratio)) < 1e-6);
  return pixels ?? 1 / ratio;
}

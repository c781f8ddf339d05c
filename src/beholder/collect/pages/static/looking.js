/** Mouse, touch, pen and keyboard on the image, as looks at places. */

const TAP_MOVES_CSS_PX = 12; // a finger that went further was scrolling
const PATH_MS = 50;
const STEP = 0.25; // of the bubble's radius
const BIG_STEP = 1.5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Looking {
  /** Calls `onLook(place, input)` and, at most 20 times a second, `onMove(place)`. */
  constructor(view, start, { onLook, onMove }) {
    this.view = view;
    this.onLook = onLook;
    this.onMove = onMove;
    this.crosshair = start ?? { x: 0.5, y: 0.5 };
    this.tap = null;
    this.lastMove = -Infinity;
    this.ending = new AbortController();
    const on = (kind, listener) =>
      view.canvas.addEventListener(kind, listener, { signal: this.ending.signal });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#hover(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", () => (this.tap = null)); // the browser scrolls or zooms with it
    on("keydown", (event) => this.#key(event));
    on("focus", () => this.#focus());
    on("blur", () => view.show({ crosshair: null }));
  }

  stop() {
    this.ending.abort();
    this.view.show({ crosshair: null });
  }

  #down(event) {
    this.view.show({ crosshair: null });
    if (event.pointerType === "mouse") {
      if (event.button === 0) this.#look(this.view.place(event.clientX, event.clientY), "mouse");
    } else if (event.isPrimary && event.button === 0) {
      // Where the finger touched, if it turns out to be a tap: the page may move until it lifts.
      const place = this.view.place(event.clientX, event.clientY);
      this.tap = { id: event.pointerId, place, x: event.clientX, y: event.clientY };
    } else {
      this.tap = null; // a second finger: not a tap
    }
  }

  #hover(event) {
    if (this.tap?.id === event.pointerId) {
      const moved = Math.hypot(event.clientX - this.tap.x, event.clientY - this.tap.y);
      if (moved > TAP_MOVES_CSS_PX) this.tap = null;
    }
    if (event.pointerType !== "touch") this.#move(this.view.place(event.clientX, event.clientY));
  }

  #up(event) {
    const { tap } = this;
    this.tap = null;
    if (tap?.id !== event.pointerId) return;
    this.#look(tap.place, event.pointerType === "pen" ? "pen" : "touch");
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) {
      event.preventDefault();
      this.#step(ARROWS[event.key], event.shiftKey ? BIG_STEP : STEP);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.view.show({ crosshair: this.crosshair });
      if (!event.repeat) this.#look(this.crosshair, "keyboard");
    }
  }

  #step([right, down], size) {
    const { size: image, radius } = this.view;
    const within = (value) => Math.min(1, Math.max(0, value));
    this.crosshair = {
      x: within(this.crosshair.x + (right * size * radius) / image.width),
      y: within(this.crosshair.y + (down * size * radius) / image.height),
    };
    this.view.show({ crosshair: this.crosshair });
    this.#move(this.crosshair);
  }

  #focus() {
    if (this.view.canvas.matches(":focus-visible")) this.view.show({ crosshair: this.crosshair });
  }

  #look(place, input) {
    if (place === null) return;
    this.crosshair = place; // the keyboard goes on from where one looked last
    this.onLook(place, input);
  }

  #move(place) {
    const now = performance.now();
    if (place === null || now - this.lastMove < PATH_MS) return;
    this.lastMove = now;
    this.onMove(place);
  }
}

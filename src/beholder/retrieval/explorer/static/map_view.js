/** The map itself: where it is looked at, what is drawn over the points, and every gesture. */

import { Trace } from "./lasso.js";
import { Marks, PERSON_PX, pixelsOf } from "./map_marks.js";
import { painter } from "./painters.js";

const MOST_ZOOM = 400;
const MARGIN = 0.92; // of the shorter side, that the whole map takes
const REACH_PX = 12;
const CLICK_PX = 4;
const PAN_PX = 60;
const KEYS = {
  ArrowLeft: (view) => view.pan(PAN_PX, 0),
  ArrowRight: (view) => view.pan(-PAN_PX, 0),
  ArrowUp: (view) => view.pan(0, PAN_PX),
  ArrowDown: (view) => view.pan(0, -PAN_PX),
  "+": (view) => view.zoom(1.5),
  "=": (view) => view.zoom(1.5),
  "-": (view) => view.zoom(1 / 1.5),
  0: (view) => view.whole(),
};

export class MapView {
  /** `on` has hover(thing), pick(thing), moved() and drawn(line); a thing is {row} or {person}. */
  constructor(room, on) {
    Object.assign(this, { room, on });
    this.camera = { x: 0.5, y: 0.5, zoom: 1 };
    this.cloud = null;
    this.overlay = document.createElement("canvas");
    this.painter = null;
    this.showsPeople = true;
    this.isLasso = false;
    this.trace = null; // being drawn
    this.chosen = null; // a closed line
    this.hovered = null;
    this.picked = null;
    this.hasCross = false;
    this.pointers = new Map();
    room.append(this.overlay);
    this.#paintAnew();
    this.#listen();
    new ResizeObserver(() => this.#fit()).observe(room);
  }

  show(cloud) {
    this.cloud = cloud;
    this.hovered = this.picked = null;
  }

  colour({ rgba, last }) {
    this.shades = { rgba, last };
    this.painter.load(this.cloud.places, rgba, last);
    this.draw();
  }

  look(camera) {
    this.camera = camera;
    this.draw();
  }

  whole() {
    this.look({ x: 0.5, y: 0.5, zoom: 1 });
    this.on.moved();
  }

  pan(dx, dy) {
    const { scale } = this.#view();
    this.camera = { ...this.camera, x: this.camera.x - dx / scale, y: this.camera.y - dy / scale };
    this.draw();
    this.on.moved();
  }

  /** Zoom about a place of the room in pixels, its middle unless told. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const before = this.at(px, py);
    this.camera.zoom = Math.min(Math.max(this.camera.zoom * factor, 0.5), MOST_ZOOM);
    const after = this.at(px, py);
    this.pan((after.x - before.x) * this.#view().scale, (after.y - before.y) * this.#view().scale);
  }

  /** Return the place of the map under a pixel of the room. */
  at(px, py) {
    const { x, y, scale } = this.#view();
    return { x: x + (px - this.width / 2) / scale, y: y + (py - this.height / 2) / scale };
  }

  /** Return the corners of what is seen. */
  corners() {
    return { from: this.at(0, 0), to: this.at(this.width, this.height) };
  }

  /** Draw at the next frame, once however often it is asked for. */
  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  #paintAnew() {
    this.painter?.canvas.remove();
    this.painter = painter();
    this.painter.canvas.setAttribute("aria-hidden", "true");
    this.overlay.setAttribute("aria-hidden", "true");
    this.room.prepend(this.painter.canvas);
    this.painter.canvas.addEventListener("webglcontextlost", () => {
      this.#paintAnew();
      this.#fit();
      if (this.shades) this.colour(this.shades);
    });
  }

  #fit() {
    const ratio = Math.min(devicePixelRatio, 2);
    [this.width, this.height, this.ratio] = [this.room.clientWidth, this.room.clientHeight, ratio];
    for (const canvas of [this.painter.canvas, this.overlay]) {
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
    }
    this.draw();
  }

  #view() {
    const { width, height, ratio } = this;
    const scale = Math.min(width, height) * MARGIN * this.camera.zoom;
    const room = Math.sqrt((width * height) / Math.max(this.cloud?.count ?? 1, 1));
    const radius = Math.min(Math.max(0.16 * room * Math.sqrt(this.camera.zoom), 1.2), 6);
    return { width, height, ratio, x: this.camera.x, y: this.camera.y, scale, radius };
  }

  #draw() {
    if (this.cloud === null || !this.width || !this.shades) return;
    const view = this.#view();
    this.painter.paint(view);
    const marks = new Marks(this.overlay, view, this.room);
    if (this.showsPeople) marks.people(this.cloud.people, this.camera.zoom);
    for (const [thing, colour] of [[this.hovered, marks.ink], [this.picked, marks.accent]]) {
      if (thing) marks.ring(this.placeOf(thing), thing.person ? PERSON_PX : view.radius, colour);
    }
    if (this.chosen) marks.line(this.chosen, true);
    if (this.trace) marks.line(this.trace.line, false);
    if (this.hasCross) marks.cross();
  }

  placeOf({ row, person }) {
    if (person) return person;
    return { x: this.cloud.places[2 * row], y: this.cloud.places[2 * row + 1] };
  }

  /** Return what lies under a pixel: a person before a sample, or null. */
  thingAt(px, py, reach = REACH_PX) {
    if (this.cloud === null) return null;
    const view = this.#view();
    if (this.showsPeople) {
      const near = this.cloud.people.find((person) => {
        const [x, y] = pixelsOf(person, view);
        return Math.hypot(x - px, y - py) <= 8;
      });
      if (near) return { person: near };
    }
    const { x, y } = this.at(px, py);
    const row = this.cloud.nearest(x, y, reach / view.scale);
    return row < 0 ? null : { row };
  }

  #listen() {
    const { room } = this;
    room.addEventListener("pointerdown", (event) => this.#down(event));
    room.addEventListener("pointermove", (event) => this.#move(event));
    room.addEventListener("pointerup", (event) => this.#up(event));
    room.addEventListener("pointercancel", (event) => this.#up(event, true));
    room.addEventListener("pointerleave", () => this.#hover(null));
    room.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoom(Math.exp((-event.deltaY * lines) / 400), ...this.#spot(event));
    }, { passive: false });
    room.addEventListener("keydown", (event) => this.#key(event));
    room.addEventListener("focus", () => this.#aim(room.matches(":focus-visible")));
    room.addEventListener("blur", () => this.#aim(false));
  }

  #spot(event) {
    const box = this.room.getBoundingClientRect();
    return [event.clientX - box.left - this.room.clientLeft, event.clientY - box.top - this.room.clientTop];
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#aim(false);
    this.room.setPointerCapture(event.pointerId);
    const spot = this.#spot(event);
    this.pointers.set(event.pointerId, spot);
    this.began = this.pointers.size === 1 ? spot : null;
    if ((this.isLasso || event.shiftKey) && this.pointers.size === 1) this.trace = new Trace(this.at(...spot));
    if (this.pointers.size > 1) this.trace = null;
  }

  #move(event) {
    const spot = this.#spot(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.#hover(this.thingAt(...spot));
      return;
    }
    if (this.trace) {
      this.trace.add(this.at(...spot), 3 / this.#view().scale);
      this.draw();
    } else if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      const spread = (place) => Math.max(Math.hypot(place[0] - other[0], place[1] - other[1]), 1);
      this.zoom(spread(spot) / spread(before), (spot[0] + other[0]) / 2, (spot[1] + other[1]) / 2);
      this.pan((spot[0] - before[0]) / 2, (spot[1] - before[1]) / 2);
    } else if (!this.began || away(spot, this.began) > CLICK_PX) {
      this.began = null;
      this.pan(spot[0] - before[0], spot[1] - before[1]);
    } else {
      return;
    }
    this.pointers.set(event.pointerId, spot);
  }

  #up(event, isBroken = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const { trace } = this;
    this.trace = null;
    if (trace && !isBroken && trace.line.length > 2) {
      this.on.drawn(trace.line);
    } else if (this.began && !isBroken && !trace) {
      const reach = event.pointerType === "touch" ? 2 * REACH_PX : REACH_PX;
      this.on.pick(this.thingAt(...this.#spot(event), reach));
    }
    this.draw();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) {
      this.#aim(true);
      KEYS[event.key](this);
      this.#hover(this.thingAt(this.width / 2, this.height / 2, Infinity));
    } else if (event.key === "Enter" || event.key === " ") {
      this.on.pick(this.thingAt(this.width / 2, this.height / 2, Infinity));
    } else if (event.key === "Escape") {
      this.trace = null;
      this.on.drawn(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  #aim(hasCross) {
    this.hasCross = hasCross;
    this.draw();
  }

  #hover(thing) {
    if (thing?.row === this.hovered?.row && thing?.person === this.hovered?.person) return;
    this.hovered = thing;
    this.draw();
    this.on.hover(thing);
  }
}

function away([x, y], [a, b]) {
  return Math.hypot(x - a, y - b);
}

/** The image that bubbles are drawn on: soft all over, and sharp where somebody would look. */

import { thumbnail } from "./api.js";
import { button, element, shape } from "./dom.js";
import { percent, plural } from "./words.js";

const WIDTH = 1000;
const RADIUS = 85;
const APART = 0.05; // of the image's width, between bubbles of one drag
const MOST = 200;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Drawing {
  /** `onchange` is told the places, fractions of the image. */
  constructor(room, onchange) {
    this.onchange = onchange;
    this.places = [];
    this.image = null;
    this.cross = null;
    this.last = null; // where a drag is
    this.surface = element("div.surface", {
      tabindex: 0,
      role: "application",
      "aria-describedby": "drawing-help",
      hidden: true,
      onpointerdown: (event) => this.#down(event),
      onpointermove: (event) => this.#dragged(event),
      onpointerup: () => this.#up(),
      onpointercancel: () => this.#up(),
      onkeydown: (event) => this.#key(event),
      onblur: () => this.#aim(null),
    });
    this.told = element("p.soft.told", { role: "status" });
    this.undo = button("Undo", () => this.#set(this.places.slice(0, -1)));
    this.clear = button("Clear", () => this.#set([]));
    this.tools = element("div.drawing-tools", { hidden: true }, this.told, this.undo, this.clear);
    const help = "Click or drag where you would look. With the keyboard: arrows aim, Enter looks, Backspace takes back.";
    this.help = element("p.soft.help", { id: "drawing-help", hidden: true }, help);
    room.append(this.surface, this.tools, this.help);
  }

  /** Show an image of the store ({number, name, width, height}), or none, with its places. */
  show(image, places) {
    this.places = places;
    this.surface.hidden = this.tools.hidden = this.help.hidden = image === null;
    if (image !== null && image.number !== this.image?.number) this.#stage(image);
    this.image = image;
    if (image !== null) this.#draw();
  }

  #stage(image) {
    this.height = (WIDTH * image.height) / image.width;
    const picture = (attributes) => shape("image", {
      href: thumbnail(image.number),
      width: WIDTH,
      height: this.height,
      preserveAspectRatio: "none",
      ...attributes,
    });
    this.holes = shape("clipPath", { id: "bubbles" });
    this.marks = shape("g", {});
    const soft = shape(
      "filter",
      { id: "soft", x: 0, y: 0, width: 1, height: 1 },
      shape("feGaussianBlur", { stdDeviation: 7, edgeMode: "duplicate" }),
    );
    this.svg = shape(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${this.height}`, "aria-hidden": "true" },
      shape("defs", {}, soft, this.holes),
      picture({ filter: "url(#soft)" }),
      shape("rect.dim", { width: WIDTH, height: this.height }),
      picture({ "clip-path": "url(#bubbles)" }),
      this.marks,
    );
    this.surface.replaceChildren(this.svg);
    this.surface.setAttribute("aria-label", `Draw on ${image.name}`);
  }

  #draw() {
    const at = ({ x, y }) => ({ cx: x * WIDTH, cy: y * this.height });
    this.holes.replaceChildren(...this.places.map((place) => shape("circle", { ...at(place), r: RADIUS })));
    const marks = this.places.map((place, number) => shape(
      "g",
      { transform: `translate(${place.x * WIDTH} ${place.y * this.height})` },
      shape("circle.ring", { r: RADIUS }),
      shape("text.order", { dy: "0.36em" }, String(number + 1)),
    ));
    if (this.cross !== null) {
      const { cx, cy } = at(this.cross);
      const path = `M${cx - 60} ${cy}H${cx + 60}M${cx} ${cy - 60}V${cy + 60}`;
      marks.push(shape("path.cross-back", { d: path }), shape("path.cross", { d: path }));
    }
    this.marks.replaceChildren(...marks);
    const count = this.places.length;
    this.told.textContent = count === 0 ? "No bubble yet" : plural(count, "bubble");
    this.undo.disabled = this.clear.disabled = count === 0;
  }

  #set(places) {
    this.places = places.slice(0, MOST);
    this.#draw();
    this.onchange(this.places);
  }

  #place(event) {
    const box = this.svg.getBoundingClientRect();
    const within = (value) => Math.min(Math.max(value, 0), 1);
    const place = { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    return { x: within(place.x), y: within(place.y) };
  }

  #down(event) {
    if (event.button !== 0 || this.image === null) return;
    this.surface.setPointerCapture(event.pointerId);
    this.last = this.#place(event);
    this.#set([...this.places, this.last]);
  }

  #dragged(event) {
    if (this.last === null) return;
    const place = this.#place(event);
    const rise = ((place.y - this.last.y) * this.height) / WIDTH;
    if (Math.hypot(place.x - this.last.x, rise) < APART) return;
    this.last = place;
    this.#set([...this.places, place]);
  }

  #up() {
    this.last = null;
  }

  #key(event) {
    const undoes = event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey));
    if (event.key in STEPS) {
      const size = event.shiftKey ? 0.1 : 0.025;
      const from = this.cross ?? { x: 0.5, y: 0.5 };
      const [x, y] = STEPS[event.key].map((step, axis) => {
        const value = (axis === 0 ? from.x : from.y) + step * size;
        return Math.min(Math.max(value, 0), 1);
      });
      this.#aim({ x, y });
    } else if (event.key === "Enter" || event.key === " ") {
      const place = this.cross ?? { x: 0.5, y: 0.5 };
      this.#set([...this.places, place]);
      this.#tell(`Bubble ${this.places.length}`, place);
    } else if (undoes) {
      this.#set(this.places.slice(0, -1));
    } else {
      return;
    }
    event.preventDefault();
  }

  #aim(place) {
    if (this.cross === place) return;
    this.cross = place;
    if (this.image === null) return;
    this.#draw();
    if (place !== null) this.#tell("The cross is", place);
  }

  #tell(what, place) {
    this.told.textContent = `${what} ${percent(place.x)} across, ${percent(place.y)} down`;
  }
}

/** What is drawn over the points of a map: people, rings, lines and the cross. */

export const PERSON_PX = 6;
const FEW_PEOPLE = 300; // that are drawn in full size on the whole map

/** Return where a place of the map is in the room, in pixels. */
export function pixelsOf({ x, y }, view) {
  return [(x - view.x) * view.scale + view.width / 2, (y - view.y) * view.scale + view.height / 2];
}

export class Marks {
  /** Begin anew on a canvas, in the colours that the page gives the room. */
  constructor(canvas, view, room) {
    const style = getComputedStyle(room);
    [this.ink, this.card, this.accent] = ["--ink", "--card", "--accent"].map((name) => style.getPropertyValue(name));
    this.view = view;
    this.context = canvas.getContext("2d");
    this.context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    this.context.clearRect(0, 0, view.width, view.height);
  }

  /** People as diamonds, smaller in a crowd. */
  people(people, zoom) {
    const { context } = this;
    const crowd = Math.sqrt((FEW_PEOPLE * zoom) / Math.max(people.length, 1));
    const half = PERSON_PX * Math.min(Math.max(crowd, 0.4), 1);
    context.lineWidth = 1.5;
    context.fillStyle = this.card;
    context.strokeStyle = this.ink;
    for (const person of people) {
      const [x, y] = pixelsOf(person, this.view);
      context.beginPath();
      context.moveTo(x, y - half);
      context.lineTo(x + half, y);
      context.lineTo(x, y + half);
      context.lineTo(x - half, y);
      context.closePath();
      context.fill();
      context.stroke();
    }
  }

  ring(place, radius, colour) {
    const { context } = this;
    context.beginPath();
    context.arc(...pixelsOf(place, this.view), radius + 4, 0, 2 * Math.PI);
    context.lineWidth = 2.5;
    context.strokeStyle = colour;
    context.stroke();
  }

  line(places, isClosed) {
    const { context } = this;
    context.beginPath();
    for (const place of places) context.lineTo(...pixelsOf(place, this.view));
    if (isClosed) context.closePath();
    context.lineWidth = 2;
    context.setLineDash([6, 4]);
    context.strokeStyle = this.accent;
    context.stroke();
    context.setLineDash([]);
  }

  /** The middle, which keys aim with. */
  cross() {
    const { context, view } = this;
    const [x, y] = [view.width / 2, view.height / 2];
    for (const [colour, width] of [[this.card, 5], [this.ink, 2]]) {
      context.beginPath();
      context.moveTo(x - 10, y);
      context.lineTo(x + 10, y);
      context.moveTo(x, y - 10);
      context.lineTo(x, y + 10);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}

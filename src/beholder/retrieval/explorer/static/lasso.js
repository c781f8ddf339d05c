/** A line drawn by hand, and how it is written in an address. */

const FINE = 10_000;
const MOST = 80; // corners in an address

export class Trace {
  constructor(place) {
    this.line = [place];
  }

  /** Go on to a place, unless it is too close to the last one. */
  add(place, apart) {
    const last = this.line.at(-1);
    if (Math.hypot(place.x - last.x, place.y - last.y) >= apart) this.line.push(place);
  }
}

export function written(line) {
  const step = Math.max(1, Math.ceil(line.length / MOST));
  const kept = line.filter((_, place) => place % step === 0);
  return kept.map(({ x, y }) => `${Math.round(x * FINE)}.${Math.round(y * FINE)}`).join("_");
}

/** Return a closed line of at least three corners, or null. */
export function readLine(text) {
  const places = (text ?? "").split("_").map((place) => place.split(".").map(Number));
  if (places.length < 3 || places.some((place) => place.length !== 2 || !place.every(Number.isFinite))) return null;
  return places.map(([x, y]) => ({ x: x / FINE, y: y / FINE }));
}

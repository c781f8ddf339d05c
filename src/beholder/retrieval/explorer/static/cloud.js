/** The samples and people of a map as columns, and who is close to a place. */

const CELLS = 160; // a side
const FULL = 65535;

export class Cloud {
  /** `data` is what the interface calls a map. */
  constructor(data) {
    this.data = data;
    this.count = data.samples.length;
    this.places = new Float32Array(this.count * 2);
    for (let n = 0; n < this.count; n += 1) {
      this.places[2 * n] = data.x[n] / FULL;
      this.places[2 * n + 1] = data.y[n] / FULL;
    }
    this.people = data.participants.map((one) => ({ ...one, x: one.x / FULL, y: one.y / FULL }));
    this.person = new Map(this.people.map((one) => [one.number, one]));
    this.row = new Map(data.samples.map((number, row) => [number, row]));
    this.#fill();
  }

  participant(row) {
    return this.person.get(this.data.participant[row])?.name ?? null;
  }

  image(row) {
    return this.data.images[this.data.image[row]] ?? "";
  }

  part(row) {
    return this.data.parts[this.data.part[row]] ?? "";
  }

  /** From 0, nothing is nearer than the sample's own other half, to 1; null where unknown. */
  error(row) {
    const value = this.data.error[row];
    return value === null ? null : value / 255;
  }

  /** Return the row nearest to a place within a radius, or -1. */
  nearest(x, y, radius) {
    let best = -1;
    let least = radius * radius;
    this.#visit(x - radius, y - radius, x + radius, y + radius, (row) => {
      const [dx, dy] = [this.places[2 * row] - x, this.places[2 * row + 1] - y];
      const distance = dx * dx + dy * dy;
      if (distance <= least) [best, least] = [row, distance];
    });
    return best;
  }

  /** Return the rows within a rectangle. */
  within(left, top, right, bottom) {
    const rows = [];
    this.#visit(left, top, right, bottom, (row) => {
      const [x, y] = [this.places[2 * row], this.places[2 * row + 1]];
      if (x >= left && x <= right && y >= top && y <= bottom) rows.push(row);
    });
    return rows.sort((a, b) => a - b);
  }

  /** Return the rows within a closed line of {x, y}, by the even-odd rule. */
  inside(line) {
    const [xs, ys] = [line.map(({ x }) => x), line.map(({ y }) => y)];
    const rows = this.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
    return rows.filter((row) => isInside(this.places[2 * row], this.places[2 * row + 1], line));
  }

  /** Rows sorted by cell, and where each cell's rows begin. */
  #fill() {
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    const cell = new Uint32Array(this.count);
    for (let row = 0; row < this.count; row += 1) {
      cell[row] = line(this.places[2 * row + 1]) * CELLS + line(this.places[2 * row]);
      this.starts[cell[row] + 1] += 1;
    }
    for (let n = 0; n < CELLS * CELLS; n += 1) this.starts[n + 1] += this.starts[n];
    const next = this.starts.slice();
    this.rows = new Uint32Array(this.count);
    for (let row = 0; row < this.count; row += 1) {
      this.rows[next[cell[row]]] = row;
      next[cell[row]] += 1;
    }
  }

  #visit(left, top, right, bottom, visit) {
    for (let y = line(top); y <= line(bottom); y += 1) {
      const end = this.starts[y * CELLS + line(right) + 1];
      for (let n = this.starts[y * CELLS + line(left)]; n < end; n += 1) visit(this.rows[n]);
    }
  }
}

function line(fraction) {
  return Math.min(Math.max(Math.floor(fraction * CELLS), 0), CELLS - 1);
}

function isInside(x, y, line) {
  let inside = false;
  line.forEach((a, n) => {
    const b = line[(n + line.length - 1) % line.length];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  });
  return inside;
}

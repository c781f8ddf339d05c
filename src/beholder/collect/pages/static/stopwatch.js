/** Milliseconds since a start, monotonic, across reloads of the page too. */

export class Stopwatch {
  /** Continue after `last` ms; what passed while the page was away is taken from the wall clock. */
  constructor(startedAt = Date.now(), last = 0) {
    this.origin = performance.now();
    this.before = Math.max(last, Date.now() - startedAt);
  }

  /** Return the time in ms, to a tenth. */
  now() {
    return Math.round((this.before + performance.now() - this.origin) * 10) / 10;
  }
}

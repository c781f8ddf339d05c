/** A running record: its clock, what happens around it, kept in the browser after each event. */

import { measure, watchEnvironment } from "./environment.js";
import { randomId } from "./identifiers.js";
import { Stopwatch } from "./stopwatch.js";

const MOST_EVENTS = 2_000;
const SOON_MS = 500;

export class Journal {
  /** Continue the record kept under `name`, or begin one with `fields`. */
  constructor(keeping, name, fields, picture = null) {
    this.keeping = keeping;
    this.name = name;
    const kept = keeping.get(name);
    this.isResumed = kept !== null;
    this.record = kept ?? {
      client_id: randomId(),
      started_at_ms: Date.now(),
      last_ms: 0,
      environment: measure(picture),
      events: [],
      ...fields,
    };
    this.stopwatch = new Stopwatch(this.record.started_at_ms, this.record.last_ms);
    this.timer = null;
    this.endWatch = watchEnvironment((kind, environment) => this.note(kind, environment), picture);
    this.flush = () => this.keep();
    addEventListener("pagehide", this.flush);
    this.keep();
  }

  /** Return the time since the start in ms; it never falls, also across reloads. */
  now() {
    this.record.last_ms = Math.max(this.record.last_ms, this.stopwatch.now());
    return this.record.last_ms;
  }

  note(kind, environment = null) {
    if (this.record.events.length < MOST_EVENTS) {
      this.record.events.push({ t: this.now(), kind, environment });
    }
    this.keep();
  }

  keep() {
    clearTimeout(this.timer);
    this.timer = null;
    this.now();
    this.keeping.put(this.name, this.record);
  }

  /** Keep within half a second: for what comes many times a second. */
  keepSoon() {
    this.timer ??= setTimeout(() => this.keep(), SOON_MS);
  }

  /** Stop watching; what is kept stays. */
  stop() {
    clearTimeout(this.timer);
    this.endWatch();
    removeEventListener("pagehide", this.flush);
  }
}

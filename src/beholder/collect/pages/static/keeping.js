/** What is not yet on the server, kept in the browser under the session's id. */

import { randomId } from "./identifiers.js";

const PREFIX = "beholder:";
const OLDEST_MS = 30 * 24 * 3600 * 1000;
const OWNER = randomId(); // this tab, as it was loaded

export class Keeping {
  constructor(session) {
    this.prefix = `${PREFIX}${session}:`;
    this.memory = new Map(); // where the browser keeps nothing: full, private, or in a frame
  }

  get(name) {
    if (this.memory.has(name)) return this.memory.get(name);
    try {
      const kept = localStorage.getItem(this.prefix + name);
      if (kept !== null) return JSON.parse(kept).value;
    } catch {
      // Unreadable is as good as absent.
    }
    return null;
  }

  put(name, value) {
    try {
      const kept = JSON.stringify({ owner: OWNER, at: Date.now(), value });
      localStorage.setItem(this.prefix + name, kept);
      this.memory.delete(name);
    } catch {
      this.memory.set(name, value);
    }
  }

  drop(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // Nothing was kept.
    }
  }

  /** Call back once when another tab of this browser goes on with what this one was doing. */
  whenTaken(name, callback) {
    const listener = (event) => {
      if (event.key !== this.prefix + name || event.newValue === null) return;
      if (JSON.parse(event.newValue).owner === OWNER) return;
      removeEventListener("storage", listener);
      callback();
    };
    addEventListener("storage", listener);
    return () => removeEventListener("storage", listener);
  }

  /** Forget all of this session. */
  clear() {
    this.memory.clear();
    forget((key) => key.startsWith(this.prefix));
  }
}

/** Forget what was left behind long ago, by whichever session. */
export function tidy() {
  forget((key) => {
    if (!key.startsWith(PREFIX)) return false;
    try {
      return Date.now() - JSON.parse(localStorage.getItem(key)).at > OLDEST_MS;
    } catch {
      return true;
    }
  });
}

function forget(isOver) {
  try {
    Object.keys(localStorage).filter(isOver).forEach((key) => localStorage.removeItem(key));
  } catch {
    // Nothing was kept.
  }
}

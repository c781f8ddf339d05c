/** Trying again, for as long as it takes. */

import { Unreachable } from "./api.js";

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Attempt until the server answers, telling `onWaiting` of each failure; a refusal is thrown. */
export async function untilAnswered(attempt, onWaiting = () => {}) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      onWaiting(navigator.onLine ? "unreachable" : "offline");
      const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
      await pauseOrOnline(longest * (0.5 + Math.random() / 2)); // not all participants at once
    }
  }
}

function pauseOrOnline(ms) {
  return new Promise((resolve) => {
    const goOn = () => {
      clearTimeout(timer);
      removeEventListener("online", goOn);
      resolve();
    };
    const timer = setTimeout(goOn, ms);
    addEventListener("online", goOn);
  });
}

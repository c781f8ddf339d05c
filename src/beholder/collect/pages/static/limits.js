/** The time that a task may take, shown and enforced. */

import { element } from "./dom.js";

const TICK_MS = 200;
const ANNOUNCED_S = [60, 30, 10];

export class TimeLimit {
  /** Counts down from `seconds` after `started` on the journal's clock; 0 seconds is no limit. */
  constructor(seconds, started, journal, messages, onOver) {
    this.node = element("div.limit");
    this.timer = null;
    if (seconds === 0) return;
    const bar = element("progress", { max: seconds, "aria-hidden": "true" });
    const shown = element("span.figures", { "aria-hidden": "true" });
    const announced = element("span.quiet", { role: "status" });
    this.node.append(shown, bar, announced);
    let previous = Infinity;
    const tick = () => {
      if (this.timer === null) return;
      const left = Math.max(0, seconds - (journal.now() - started) / 1000);
      const whole = Math.ceil(left);
      bar.value = left;
      shown.textContent = messages.text("limit.left", { time: minutes(whole) });
      this.node.classList.toggle("soon", whole <= 10);
      if (whole < previous && ANNOUNCED_S.includes(whole)) {
        announced.textContent = messages.text("limit.announce", { count: whole });
      }
      previous = whole;
      if (left > 0) return;
      this.stop();
      onOver();
    };
    this.timer = setInterval(tick, TICK_MS);
    setTimeout(tick); // after the task has been shown: its time may be over already
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }
}

function minutes(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

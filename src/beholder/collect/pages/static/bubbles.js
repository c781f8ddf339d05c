/** The BubbleView task: look at the blurred image, a bubble at a time. */

import { button, element } from "./dom.js";
import { TimeLimit } from "./limits.js";
import { Looking } from "./looking.js";

const MOST_PATH = 20_000;

export function startRecordOfBubbles(started) {
  return { started_ms: started, ended_ms: null, timed_out: false, clicks: [], path: [] };
}

/** Show the task in `panel`; `onDone(timedOut)` ends it. Returns what stops it. */
export function showBubbles({ task, record, trial, view, journal, panel, messages, onDone }) {
  const say = (key, values) => messages.text(key, values);
  const canvas = view.canvas;
  const counted = element("p.counted", { role: "status" });
  const problem = element("p.problem", { id: "look-problem", role: "alert" });
  const found = foundAreas(trial, messages);
  const limit = new TimeLimit(task.maximum_seconds, record.started_ms, journal, messages, () =>
    onDone(true),
  );
  panel.replaceChildren(
    element("p.lead", { id: "look-how" }, say("look.how")),
    element("p.hint.keys", {}, say("look.keys")),
    found.node,
    counted,
    limit.node,
    problem,
    button(say("look.done"), finish),
  );
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", say("look.label"));
  canvas.setAttribute("aria-describedby", "look-how");
  canvas.classList.add("live");

  const looking = new Looking(view, record.clicks.at(-1), { onLook: look, onMove: move });
  if (record.clicks.length > 0) view.show({ bubble: record.clicks.at(-1) });
  tell();

  function look(place, input) {
    if (record.clicks.length >= task.maximum_clicks) return;
    const { x, y } = place;
    const n = record.clicks.length + 1;
    record.clicks.push({ n, x, y, t: journal.now(), radius_px: view.radius, input });
    view.show({ bubble: { x, y } });
    journal.keep();
    problem.textContent = "";
    tell();
  }

  function move({ x, y }) {
    if (record.path.length >= MOST_PATH) return;
    record.path.push([journal.now(), rounded(x), rounded(y)]);
    journal.keepSoon();
  }

  function tell() {
    const count = record.clicks.length;
    const missing = task.minimum_clicks - count;
    const key = count >= task.maximum_clicks ? "used" : missing > 0 ? "missing" : "enough";
    counted.textContent = say(`look.${key}`, { count, more: missing, most: task.maximum_clicks });
    found.mark(record.clicks, view);
  }

  function finish() {
    const missing = task.minimum_clicks - record.clicks.length;
    const early = task.minimum_seconds - (journal.now() - record.started_ms) / 1000;
    if (missing > 0) problem.textContent = say("look.more", { count: missing });
    else if (early > 0) problem.textContent = say("look.longer", { count: Math.ceil(early) });
    else onDone(false);
  }

  return () => {
    looking.stop();
    limit.stop();
    canvas.removeAttribute("tabindex");
    canvas.removeAttribute("aria-describedby");
    canvas.classList.remove("live");
    view.show({ bubble: null });
  };
}

/** What there is to find in a practice image, ticked off as it is found. */
function foundAreas(trial, messages) {
  const named = trial.areas.filter((area) => area.name);
  const items = named.map((area) => element("li", {}, area.name));
  const title = element("p.hint", {}, messages.text("look.find"));
  const node = named.length > 0 ? element("div.find", {}, title, element("ul", {}, items)) : null;
  const mark = (clicks, view) =>
    named.forEach((area, n) => {
      if (items[n].className === "found" || !clicks.some((click) => uncovers(click, area, view))) {
        return;
      }
      items[n].className = "found";
      items[n].append(element("span", {}, ` ${messages.text("look.found")}`));
    });
  return { node: node ?? "", mark };
}

/** Tell whether a bubble reaches into an area, both measured in image pixels. */
function uncovers(click, area, view) {
  const { width, height } = view.size;
  const nearest = (value, from, length) => Math.min(Math.max(value, from), from + length);
  const dx = (click.x - nearest(click.x, area.x, area.width)) * width;
  const dy = (click.y - nearest(click.y, area.y, area.height)) * height;
  return Math.hypot(dx, dy) < view.radius;
}

function rounded(fraction) {
  return Math.round(fraction * 10_000) / 10_000;
}

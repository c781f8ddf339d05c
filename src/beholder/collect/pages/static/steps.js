/** How far one has come. */

import { element } from "./dom.js";

const OF_STAGE = {
  consent: "consent",
  device: "device",
  practice: "images",
  trials: "images",
  survey: "survey",
  debrief: "end",
};

/** Return the list of steps for a state, or null where there is nothing to come. */
export function stepsOf(state, definition, messages) {
  const current = OF_STAGE[state.stage];
  if (current === undefined) return null;
  const names = ["consent", "device", "images", "survey", "end"];
  const steps = names.filter((name) => name !== "survey" || definition.survey !== null);
  const at = steps.indexOf(current);
  const { practice, trials } = state.progress;
  const total = practice.total + trials.total;
  const part = current === "images" && total > 0 ? (practice.saved + trials.saved) / total : 0;
  return element("ol", { role: "list" }, steps.map((name, n) => step(name, n)));

  function step(name, n) {
    const bar = element("span.bar", { "aria-hidden": "true" }, element("span.fill"));
    const filled = n < at ? 1 : n === at ? part : 0;
    bar.firstChild.style.width = `${100 * filled}%`;
    const label = element("span.label", {}, messages.text(`step.${name}`));
    const isDone = n < at ? element("span.quiet", {}, ` ${messages.text("step.done")}`) : "";
    return element("li", { "aria-current": n === at ? "step" : null }, bar, label, isDone);
  }
}

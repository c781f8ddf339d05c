/** The device check: the window is large enough, there is a way to point, and perhaps the card. */

import { Calibration } from "./calibration.js";
import { button, element } from "./dom.js";
import { inputsHere, measure, userAgentFamily } from "./environment.js";

let hasSeenKey = false; // a keyboard shows itself only when it is used
addEventListener("keydown", () => (hasSeenKey = true), { capture: true });

export function showDevice(participant) {
  const { definition, frame, messages } = participant;
  const wanted = definition.device;
  const say = (key, values) => messages.text(key, values);
  const list = element("ul.checks", { role: "list" });
  const advice = element("p.problem", { role: "alert" });
  const goOn = button(say("device.continue"), finish);
  const giveUp = button(say("device.cannot"), () => send(null), "second");
  const calibration =
    wanted.calibration === "off" ? null : new Calibration(wanted, messages, () => check());
  frame.show(say("device.title"), [
    element("p.prose", {}, say("device.text")),
    list,
    calibration?.node ?? "",
    advice,
    element("div.choices", {}, goOn, giveUp),
  ]);

  const ending = new AbortController();
  for (const kind of ["resize", "keydown"]) {
    addEventListener(kind, check, { signal: ending.signal });
  }
  check();
  return () => ending.abort();

  function failures() {
    const width = { count: wanted.minimum_width };
    return [
      innerWidth < wanted.minimum_width ? say("device.wider", width) : null,
      innerHeight < wanted.minimum_height
        ? say("device.higher", { count: wanted.minimum_height })
        : null,
      inputs().length === 0 ? say("device.inputs", { inputs: names(wanted.inputs) }) : null,
    ];
  }

  function inputs() {
    return inputsHere(hasSeenKey).filter((input) => wanted.inputs.includes(input));
  }

  function names(inputs) {
    const format = new Intl.ListFormat(messages.language, { type: "disjunction" });
    return format.format(inputs.map((input) => say(`device.input.${input}`)));
  }

  function check() {
    const [wide, high, input] = failures();
    const size = { width: String(innerWidth), height: String(innerHeight) };
    list.replaceChildren(
      row(wide === null && high === null, say("device.window", size), [wide, high]),
      row(input === null, say("device.pointing", { inputs: names(inputs()) }), [input]),
    );
    giveUp.hidden = [wide, high, input].every((failure) => failure === null);
    if (giveUp.hidden) advice.textContent = "";
  }

  function row(isFine, text, problems) {
    const sign = element("span.sign", { "aria-hidden": "true" }, isFine ? "✓" : "!");
    const shown = isFine ? [text] : problems.filter((problem) => problem !== null);
    const quiet = element("span.quiet", {}, say(isFine ? "device.fine" : "device.not"));
    return element(isFine ? "li.fine" : "li.not", {}, sign, quiet, ` ${shown.join(" ")}`);
  }

  function finish() {
    const isFine = failures().every((failure) => failure === null);
    const problem = isFine ? (calibration?.problem() ?? "") : say("device.first");
    advice.textContent = problem;
    if (problem === "") send(calibration?.result() ?? null);
  }

  function send(measured) {
    const has = (query) => matchMedia(query).matches;
    participant.act("api/session/device", {
      environment: measure(),
      inputs: inputsHere(hasSeenKey),
      user_agent_family: userAgentFamily(),
      color_scheme: has("(prefers-color-scheme: dark)") ? "dark" : "light",
      reduced_motion: has("(prefers-reduced-motion: reduce)"),
      time_zone_offset_minutes: new Date().getTimezoneOffset(),
      calibration: measured,
    });
  }
}

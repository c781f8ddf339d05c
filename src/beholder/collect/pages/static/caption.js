/** The caption task: write what was seen. */

import { button, element } from "./dom.js";
import { TimeLimit } from "./limits.js";

const MOST_KEYS = 5_000;
const MOST_PASTES = 200;

export function startRecordOfCaption(started) {
  return {
    started_ms: started,
    ended_ms: null,
    timed_out: false,
    text: "",
    keys: [],
    pastes: [],
    deletions: 0,
  };
}

/** Show the task in `panel`; `onDone(timedOut)` ends it. Returns what stops it. */
export function showCaption({ task, record, journal, panel, messages, onDone }) {
  const say = (key, values) => messages.text(key, values);
  const hint = element("p.hint", { id: "caption-hint" });
  const problem = element("p.problem", { id: "caption-problem", role: "alert" });
  const box = element("textarea", {
    id: "caption",
    rows: 5,
    maxlength: task.maximum_characters,
    autocomplete: "off",
    "aria-describedby": "caption-template caption-hint caption-problem",
    oninput: typed,
    onpaste: (event) => pasted(event.clipboardData),
    ondrop: (event) => pasted(event.dataTransfer),
  });
  box.value = record.text;
  const limit = new TimeLimit(task.maximum_seconds, record.started_ms, journal, messages, () =>
    onDone(true),
  );
  const template = task.template
    ? [say("caption.template"), " ", element("em", {}, task.template)]
    : null;
  panel.replaceChildren(
    element("label.lead", { for: "caption" }, task.prompt),
    element("p.template", { id: "caption-template", hidden: template === null }, template),
    box,
    hint,
    limit.node,
    problem,
    button(say("caption.done"), finish),
  );
  tell();

  function typed(event) {
    const kind = event.inputType ?? "";
    if (kind.startsWith("delete")) record.deletions += 1;
    const isTransfer = kind === "insertFromPaste" || kind === "insertFromDrop";
    const t = journal.now();
    if (!isTransfer && record.keys.length < MOST_KEYS) record.keys.push(t);
    record.text = wellFormed(box.value);
    journal.keep();
    mark("");
    tell();
  }

  function pasted(transfer) {
    const characters = charactersOf(transfer?.getData("text/plain") ?? "");
    if (record.pastes.length < MOST_PASTES) record.pastes.push({ t: journal.now(), characters });
    journal.keep();
  }

  function missing() {
    return task.minimum_characters - charactersOf(record.text.trim());
  }

  function tell() {
    const left = task.maximum_characters - record.text.length;
    const key = missing() > 0 ? "least" : left <= 100 ? "left" : "enough";
    const count = key === "left" ? left : task.minimum_characters;
    hint.textContent = key === "enough" ? "" : say(`caption.${key}`, { count });
  }

  function mark(message) {
    problem.textContent = message;
    if (message === "") box.removeAttribute("aria-invalid");
    else box.setAttribute("aria-invalid", "true");
  }

  function finish() {
    if (missing() <= 0) return onDone(false);
    mark(say("caption.more", { count: missing() }));
    box.focus();
  }

  return () => limit.stop();
}

/** Count characters as people and the server do, not in units of UTF-16. */
function charactersOf(text) {
  return [...text].length;
}

/** Replace halves of characters, and leave out the one character that databases refuse. */
function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD").replaceAll("\0", "");
}

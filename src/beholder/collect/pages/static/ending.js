/** The end: debrief, the code and the way back; and every outcome that came before the end. */

import { button, element, paragraphs } from "./dom.js";

const MOST_COMMENT = 2_000;
const OUTCOMES = [
  "no_consent",
  "screened_out",
  "timed_out",
  "full",
  "left",
  "expired",
  "returning",
];

export function showDebrief(participant) {
  const { definition, frame, keeping, messages } = participant;
  const comment = element("textarea", {
    id: "comment",
    rows: 4,
    maxlength: MOST_COMMENT,
    oninput: () => keeping.put("comment", comment.value),
  });
  comment.value = keeping.get("comment") ?? "";
  const finish = () => {
    const text = comment.value.trim().replaceAll("\0", "");
    participant.act("api/session/finish", { comment: text === "" ? null : text });
  };
  frame.show(messages.text("debrief.title"), [
    ...paragraphs(definition.debrief ?? messages.text("debrief.text")),
    element(
      "div.card",
      {},
      element("label.lead", { for: "comment" }, messages.text("debrief.comment")),
      comment,
    ),
    element("p.notice", {}, messages.text("debrief.last")),
    button(messages.text("debrief.finish"), finish),
  ]);
}

export function showCompletion(participant) {
  const { state, frame, messages } = participant;
  const { outcome, code, receipt, exit } = state.completion;
  const isComplete = outcome === "complete";
  const known = isComplete ? "done" : `closed.${OUTCOMES.includes(outcome) ? outcome : "other"}`;
  frame.show(messages.text(`${known}.title`), [
    isComplete ? element("div.tick", { "aria-hidden": "true" }, "✓") : "",
    element("p.prose", {}, messages.text(`${known}.text`)),
    code === null ? "" : codeToCopy(code, messages),
    wayOut(exit, state.platform, messages),
    receipt === null
      ? ""
      : element("p.hint", {}, messages.text("done.receipt"), " ", element("code", {}, receipt)),
  ]);
}

function codeToCopy(code, messages) {
  const size = code.length + 1;
  const field = element("input.code", { id: "code", readonly: true, value: code, size });
  field.addEventListener("focus", () => field.select());
  const said = element("span.copied", { role: "status" });
  const copy = async () => {
    said.textContent = messages.text((await copied(field)) ? "done.copied" : "done.copy.self");
  };
  return element(
    "div.card.completion",
    {},
    element("label", { for: "code" }, messages.text("done.code")),
    element("div.choices", {}, field, button(messages.text("done.copy"), copy, "second"), said),
  );
}

/** Copy the field's text; where the page may not reach the clipboard, in the old way. */
async function copied(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand("copy");
  }
}

function wayOut(exit, platform, messages) {
  if (exit.kind === "redirect") {
    const key = platform === "prolific" ? "done.redirect.prolific" : "done.redirect";
    return element("p", {}, element("a.button.main", { href: exit.url }, messages.text(key)));
  }
  if (exit.kind === "form") {
    const query = new URLSearchParams(location.search);
    const fields = { ...exit.fields };
    for (const name of exit.from_address) fields[name] = query.get(name) ?? "";
    const inputs = Object.entries(fields).map(([name, value]) =>
      element("input", { type: "hidden", name, value }),
    );
    const submit = element("button.main", { type: "submit" }, messages.text("done.submit"));
    return element("form", { method: "post", action: exit.action }, ...inputs, submit);
  }
  return element("p.prose", {}, messages.text("done.close"));
}

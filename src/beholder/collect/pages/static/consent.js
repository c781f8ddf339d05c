/** Consent, and the preview that a crowd platform shows before a task is accepted. */

import { button, element, paragraphs } from "./dom.js";

export function showConsent(participant) {
  const { definition, frame, messages } = participant;
  const { text, version } = definition.consent;
  const answer = (agreed) => participant.act("api/session/consent", { agreed, version });
  const refuse = async () => {
    const isSure = await frame.confirm({
      title: messages.text("consent.sure"),
      text: messages.text("consent.sure.text"),
      yes: messages.text("consent.refuse"),
      no: messages.text("dialog.back"),
    });
    if (isSure) answer(false);
  };
  frame.show(messages.text("consent.title"), [
    element("div.card.reading", {}, paragraphs(text)),
    element(
      "div.choices",
      {},
      button(messages.text("consent.agree"), () => answer(true)),
      button(messages.text("consent.refuse"), refuse, "second"),
    ),
    element("p.hint", {}, messages.text("consent.version", { version })),
  ]);
}

export function showPreview({ definition, frame, messages }) {
  frame.show(definition.title, [
    element("p.notice", {}, messages.text("preview.text")),
    element("div.card.reading", {}, paragraphs(definition.consent.text)),
  ]);
}

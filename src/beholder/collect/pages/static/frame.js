/** What surrounds every stage: title, languages, steps, status, the question before leaving. */

import { button, element } from "./dom.js";
import { nameOfLanguage } from "./messages.js";
import { stepsOf } from "./steps.js";

const SAVED_SHOWN_MS = 4_000;

export class Frame {
  constructor() {
    const part = (id) => document.getElementById(id);
    this.main = part("main");
    this.status = part("status");
    this.steps = part("steps");
    this.languages = part("languages");
    this.leave = part("leave");
    this.dialog = part("dialog");
    this.contact = part("contact");
    this.fading = null;
  }

  /** Say in the page's language what frames a state. */
  surround({ definition, state, messages }, onLanguage, onLeave) {
    this.messages = messages;
    this.title = definition.title;
    document.documentElement.lang = definition.language;
    document.querySelector(".study").textContent = definition.title;
    const { contact } = definition;
    const asked = contact ? [messages.text("frame.contact"), " ", ...linked(contact)] : [];
    this.contact.replaceChildren(...asked);
    const pilot = state.pilot ? [" ", element("strong", {}, messages.text("frame.pilot"))] : [];
    this.contact.append(...pilot);
    this.#offerLanguages(definition, onLanguage);
    const steps = stepsOf(state, definition, messages);
    this.steps.setAttribute("aria-label", messages.text("frame.steps"));
    this.steps.hidden = steps === null;
    this.steps.replaceChildren(steps ?? "");
    this.leave.textContent = messages.text("leave.button");
    this.leave.onclick = onLeave;
    this.leave.hidden = !["device", "practice", "trials", "survey"].includes(state.stage);
  }

  /** Replace the stage and move the focus to its heading. */
  show(heading, nodes, width = "") {
    const title = element("h1", { id: "heading", tabindex: -1 }, heading);
    this.main.className = width;
    this.main.removeAttribute("aria-busy");
    this.main.replaceChildren(title, ...nodes);
    document.title = heading === this.title ? heading : `${heading} – ${this.title}`;
    scrollTo(0, 0);
    title.focus();
  }

  /** Tell how saving goes: null, saving, saved, offline or unreachable. */
  tell(what) {
    clearTimeout(this.fading);
    if (what === (this.status.dataset.what ?? null)) return;
    if (what === null) delete this.status.dataset.what;
    else this.status.dataset.what = what;
    this.status.textContent = what === null ? "" : this.messages.text(`status.${what}`);
    if (what === "saved") this.fading = setTimeout(() => this.tell(null), SAVED_SHOWN_MS);
  }

  /** Ask a question; resolves to whether the answer is yes. */
  confirm({ title, text, yes, no }) {
    return new Promise((resolve) => {
      const close = (answer) => () => this.dialog.close(answer);
      this.dialog.replaceChildren(
        element("h2", { id: "dialog-title" }, title),
        element("p", {}, text),
        element("div.choices", {}, button(no, close("no")), button(yes, close("yes"), "second")),
      );
      this.dialog.returnValue = "no";
      this.dialog.onclose = () => resolve(this.dialog.returnValue === "yes");
      this.dialog.showModal();
    });
  }

  #offerLanguages({ language, languages }, onLanguage) {
    this.languages.hidden = languages.length < 2;
    this.languages.setAttribute("aria-label", this.messages.text("frame.language"));
    this.languages.replaceChildren(
      ...languages.map((code) => {
        const choice = button(nameOfLanguage(code), () => onLanguage(code), "language");
        choice.lang = code;
        choice.setAttribute("aria-pressed", String(code === language));
        return choice;
      }),
    );
  }
}

/** Make the e-mail address within a text, where there is one, a link. */
function linked(contact) {
  const [address] = /[^\s@,;<>()]+@[^\s@,;<>()]+/.exec(contact) ?? [];
  if (address === undefined) return [contact];
  const [before, after] = contact.split(address);
  return [before, element("a", { href: `mailto:${address}` }, address), after];
}

/** The participants: a list that can be filtered, each line leading to one of them. */

import { button, element } from "./dom.js";
import { moment, money, signalName } from "./researcher_words.js";

const byId = (id) => document.getElementById(id);
const PAGE = 200;

const FILTERS = {
  all: () => true,
  undecided: (one) => one.outcome === "complete" && one.decision === null,
  flagged: (one) => one.flags.length > 0,
  approve: (one) => one.decision === "approve",
  reject: (one) => one.decision === "reject",
  open: (one) => one.outcome === null,
  other: (one) => one.outcome !== null && one.outcome !== "complete",
};

export class People {
  /** `open(session)` is called with the session that is chosen. */
  constructor(api, open) {
    this.api = api;
    this.open = open;
    this.sessions = [];
    this.limit = PAGE;
    this.rows = new Map();
    byId("filter").addEventListener("change", () => this.show());
    byId("search").addEventListener("input", () => this.show());
    byId("more").addEventListener("click", () => {
      this.limit += PAGE;
      this.show();
    });
  }

  async refresh() {
    this.sessions = (await this.api.get("sessions")).reverse(); // the newest first
    this.show();
  }

  show() {
    const keeps = FILTERS[byId("filter").value];
    const wanted = byId("search").value.trim();
    const kept = this.sessions.filter((one) => keeps(one) && one.participant.includes(wanted));
    const shown = kept.slice(0, this.limit);
    byId("more").hidden = kept.length <= shown.length;
    const focused = document.activeElement?.dataset?.session;
    byId("sessions").replaceChildren(...shown.map((one) => this.#row(one)));
    const told = `${kept.length} of ${this.sessions.length}`;
    if (byId("shown").textContent !== told) byId("shown").textContent = told;
    // A list that is drawn anew must not take the keyboard's place away.
    if (focused) this.focus(focused);
  }

  focus(session) {
    const [found] = [...byId("sessions").querySelectorAll("button")].filter(
      (each) => each.dataset.session === session,
    );
    found?.focus({ preventScroll: true });
  }

  /** Return the session that stands below this one in the list, if there is one. */
  after(session) {
    const shown = [...byId("sessions").querySelectorAll("button")].map((b) => b.dataset.session);
    return shown[shown.indexOf(session) + 1] ?? null;
  }

  #row(one) {
    const name = button(one.participant, () => this.open(one.session), "link");
    name.dataset.session = one.session;
    if (one.turn > 1) name.append(` (${one.turn})`);
    const flags = one.flags.map((flag) => element("span.flag", {}, signalName(flag)));
    const decision = element(`span.${one.decision ?? "none"}`, {}, judged(one.decision));
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td.flags", {}, flags.length ? flags : "–"),
      element("td", {}, decision),
      element("td", {}, (one.outcome ?? one.stage).replaceAll("_", " ")),
      element("td", {}, `${one.saved}/${one.planned}`),
      element("td", {}, one.set_name ?? "–"),
      element("td", {}, money(one.bonus_cents)),
      element("td", {}, moment(one.created_ms)),
    );
  }
}

export function judged(decision) {
  return { approve: "approved", reject: "rejected" }[decision] ?? "–";
}

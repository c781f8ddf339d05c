/** The researcher's page: enter with the token, then live counts, people, replay, decisions. */

import { NoAccess, ResearcherApi } from "./researcher_api.js";
import { Files } from "./researcher_files.js";
import { People } from "./researcher_people.js";
import { Person } from "./researcher_person.js";
import { Progress } from "./researcher_progress.js";

const EVERY_MS = 5_000;
const byId = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.api = new ResearcherApi();
    const attempt = (act) => this.attempt(act);
    this.progress = new Progress(this.api, attempt);
    this.people = new People(this.api, (session) => attempt(() => this.person.open(session)));
    this.person = new Person(
      this.api,
      attempt,
      (session) => this.changed(session),
      (session) => this.people.after(session),
    );
    this.files = new Files(this.api, attempt);
    this.shown = "";
    byId("entry").addEventListener("submit", (event) => {
      event.preventDefault();
      this.api.remember(byId("token").value, byId("by").value);
      byId("token").value = "";
      attempt(() => this.enter());
    });
    byId("leave").addEventListener("click", () => {
      this.api.forget();
      location.reload();
    });
    byId("assess").addEventListener("click", () => attempt(() => this.assess()));
    document.addEventListener("visibilitychange", () => this.#tick());
    setInterval(() => this.#tick(), EVERY_MS);
  }

  /** Run what may fail; say in one place what went wrong, until the same kind goes well. */
  async attempt(act, kind = "act") {
    const trouble = byId("trouble");
    try {
      await act();
      if (kind === "act" || trouble.dataset.kind === kind) trouble.hidden = true;
    } catch (error) {
      if (error instanceof NoAccess) this.#ask();
      const isAway = error instanceof TypeError;
      trouble.textContent = isAway ? "The server cannot be reached." : error.message;
      trouble.dataset.kind = kind;
      trouble.hidden = false;
    }
  }

  async begin() {
    if (this.api.hasToken) await this.attempt(() => this.enter());
    else this.#ask();
  }

  async enter() {
    await this.refresh();
    byId("entry").hidden = true;
    byId("work").hidden = false;
    await this.files.refresh();
  }

  /** Read the counts; read the list too when they have changed, and check what is new. */
  async refresh() {
    const overview = await this.progress.refresh();
    const { server_time_ms: _, ...state } = overview;
    const shown = JSON.stringify(state);
    if (shown === this.shown) return;
    this.shown = shown;
    await this.people.refresh();
    if (overview.unassessed > 0) await this.assess();
  }

  async assess() {
    await this.api.act("signals");
    const overview = await this.progress.refresh();
    const { server_time_ms: _, ...state } = overview;
    this.shown = JSON.stringify(state);
    await this.people.refresh();
  }

  async changed(session) {
    this.shown = "";
    await this.refresh();
    await this.files.refresh();
    if (session !== null && byId("person").hidden) this.people.focus(session);
  }

  #ask() {
    this.api.forget();
    byId("work").hidden = true;
    byId("entry").hidden = false;
    byId("token").focus();
  }

  #tick() {
    if (document.visibilityState === "visible" && !byId("work").hidden) {
      this.attempt(() => this.refresh(), "poll");
    }
  }
}

new Page().begin();

/** The search page: what is asked goes into the address, and what is found below it. */

import { attempt, get, post } from "./api.js";
import { answerList } from "./answers.js";
import { Asking } from "./asking.js";
import { partsLegend } from "./charts.js";
import { button, byId, debounced, element } from "./dom.js";
import { asked, body, read, write } from "./state.js";
import { Why } from "./why.js";
import { FINDS, counted } from "./words.js";

const TOP = 12;
const PAUSE_MS = 120; // in typing, drawing and moving
const BURST_MS = 2000; // changes of one kind that are one step of the history
const SLOW_MS = 150;

class Search {
  constructor(facts) {
    this.facts = facts;
    this.fragment = null; // of the address, as it was read or written last
    this.request = null;
    this.bodies = new WeakMap(); // of each list of answers, what was asked for it
    this.last = { kind: null, at: 0 };
    this.asking = new Asking(facts, (change, kind) => this.change(change, kind));
    this.why = new Why({
      asked: (room) => this.bodies.get(room.closest(".column")),
      image: () => this.asking.image,
      onchange: (number) => this.#remember({ why: number === null ? null : String(number) }, "why"),
    });
    followAnswers();
    this.searchSoon = debounced(() => this.search(), PAUSE_MS);
    addEventListener("popstate", () => this.#arrive());
    addEventListener("hashchange", () => this.#arrive());
  }

  async begin() {
    const early = this.asking.given();
    await this.#arrive();
    if (Object.keys(early).length === 0) return;
    this.change(early, null);
    await attempt("address", () => this.asking.show(this.state));
  }

  /** Take a change of what is asked; one that goes on waits for a pause. */
  change(change, kind) {
    this.#remember({ page: 1, why: null, ...change }, kind);
    this.asking.tell(this.state);
    if (kind === null) this.search();
    else this.searchSoon();
  }

  async search() {
    this.request?.abort();
    const request = (this.request = new AbortController());
    const possible = this.asking.tell(this.state);
    const isAsked = asked(this.state).length > 0;
    byId("start").hidden = isAsked;
    if (!isAsked || !possible) {
      this.#clear();
      this.#busy(false);
      if (!isAsked) await attempt("search", () => {});
      return;
    }
    const late = setTimeout(() => this.#busy(true), SLOW_MS);
    const people = this.state.as !== null && this.state.and !== null ? [this.state.as, this.state.and] : [this.state.as];
    const queries = people.map((person) => body(this.state, person, TOP));
    const began = performance.now();
    const wentWell = await attempt("search", async () => {
      const results = await this.#ask(queries, request.signal);
      if (request === this.request) this.#show(queries, results, performance.now() - began);
    });
    clearTimeout(late);
    if (request !== this.request) return;
    this.#busy(false);
    if (!wentWell) this.#clear();
  }

  async #ask(queries, signal) {
    if (queries.length === 1) return [await post("/v1/search", queries[0], signal)];
    return (await post("/v1/search/batch", { queries }, signal)).results;
  }

  #show(queries, results, milliseconds) {
    const both = results.length === 2;
    const columns = results.map((result, place) => {
      const name = queries[place].as;
      const other = both ? { result: results[1 - place], name: queries[1 - place].as } : null;
      const column = element(
        "section.column",
        { "aria-label": name ? `As seen by ${name}` : "Answers" },
        name ? element("h2", {}, `As seen by ${name}`) : null,
        result.notes.map((note) => element("p.note", {}, note)),
        answerList(result, { why: this.why, elsewhere: other }),
      );
      this.bodies.set(column, queries[place]);
      return column;
    });
    byId("answers").classList.toggle("both", both);
    byId("answers").replaceChildren(...columns, this.#pager(results));
    byId("legend").replaceChildren(...partsLegend(partNames(results)));
    byId("status").textContent = sentence(results[0], milliseconds);
    this.#reopen();
  }

  #reopen() {
    if (this.state.why === null) return;
    const number = CSS.escape(this.state.why);
    byId("answers").querySelector(`[data-why="${number}"]`)?.click();
  }

  #pager(results) {
    const pages = Math.ceil(Math.max(...results.map(({ candidates }) => candidates)) / TOP);
    const { page } = this.state;
    if (pages < 2) return "";
    const turn = (to) => {
      this.#remember({ page: to, why: null }, null);
      this.search().then(() => {
        byId("answers").focus({ preventScroll: true });
        byId("status").scrollIntoView();
      });
    };
    return element(
      "nav.pager",
      { "aria-label": "Pages of answers" },
      button("Previous", () => turn(page - 1), "button", { disabled: page <= 1 }),
      element("span", {}, `Page ${counted(page)} of ${counted(pages)}`),
      button("Next", () => turn(page + 1), "button", { disabled: page >= pages }),
    );
  }

  #clear() {
    byId("answers").replaceChildren();
    byId("legend").replaceChildren();
    byId("status").textContent = "";
  }

  #busy(isBusy) {
    byId("busy").hidden = !isBusy;
    byId("answers").setAttribute("aria-busy", String(isBusy));
  }

  /** Keep a change in the address: a new step of the history, or the last one going on. */
  #remember(change, kind) {
    this.state = { ...this.state, ...change };
    const now = Date.now();
    const goesOn = kind !== null && kind === this.last.kind && now - this.last.at < BURST_MS;
    this.last = { kind, at: now };
    const fragment = write(this.state);
    if (fragment === this.fragment) return;
    this.fragment = fragment;
    const address = fragment === "" ? location.pathname : `#${fragment}`;
    if (goesOn) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }

  async #arrive() {
    const fragment = location.hash.replace(/^#/, "");
    if (fragment === this.fragment) return;
    this.fragment = fragment;
    this.last = { kind: null, at: 0 };
    this.state = read(fragment);
    await attempt("address", () => this.asking.show(this.state));
    await this.search();
  }
}

/** On a narrow page, offer a way down to the answers while they are out of sight. */
function followAnswers() {
  const [way, answers] = [byId("to-answers"), byId("answers")];
  let isSeen = true;
  const tell = () => (way.hidden = isSeen || answers.childElementCount === 0);
  new IntersectionObserver(([{ isIntersecting }]) => {
    isSeen = isIntersecting;
    tell();
  }).observe(answers);
  new MutationObserver(tell).observe(answers, { childList: true });
  way.addEventListener("click", () => answers.scrollIntoView());
}

/** The parts that any of the answers' scores has. */
function partNames(results) {
  const parts = results.flatMap(({ answers }) => answers.flatMap((answer) => Object.entries(answer.parts)));
  return [...new Set(parts.filter(([, value]) => value !== 0).map(([name]) => name))];
}

function sentence(result, milliseconds) {
  const { candidates, answers, offset, find, chance_rank: chance } = result;
  if (answers.length === 0) return `None of ${counted(candidates)}.`;
  const range = `${counted(offset + 1)} to ${counted(offset + answers.length)}`;
  return `${range} of ${counted(candidates)} ${FINDS[find]}, in ${Math.round(milliseconds)} ms. By chance each would stand at ${counted(chance)}.`;
}

attempt("store", async () => new Search(await get("/v1/store")).begin());

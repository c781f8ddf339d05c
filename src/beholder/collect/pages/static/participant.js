/** The participant's page: the server says the stage, the page shows it. */

import { Api, Refusal } from "./api.js";
import { showConsent, showPreview } from "./consent.js";
import { showDevice } from "./device.js";
import { button, element } from "./dom.js";
import { showCompletion, showDebrief } from "./ending.js";
import { Frame } from "./frame.js";
import { Keeping, tidy } from "./keeping.js";
import { Messages, wantedLanguage } from "./messages.js";
import { untilAnswered } from "./patience.js";
import { Pictures } from "./pictures.js";
import { showImages } from "./ready.js";
import { showSurvey } from "./survey.js";

const STAGES = {
  preview: showPreview,
  consent: showConsent,
  device: showDevice,
  practice: showImages,
  trials: showImages,
  survey: showSurvey,
  debrief: showDebrief,
  done: showCompletion,
  closed: showCompletion,
};
const MOST_PARAMETERS = 20;
const LONGEST_PARAMETER = 500;
const MOST_REFUSALS = 2; // then asking where we are does not help
const QUICK_MS = 400; // a save that takes longer is worth a view of its own

class Participant {
  constructor() {
    this.api = new Api();
    this.frame = new Frame();
    this.pictures = new Pictures(this.api);
    this.keeping = null;
    this.definition = null;
    this.messages = null;
    this.state = null;
    this.hasShown = new Set(); // running records that this page, not one before it, has begun
    this.unsaved = () => false;
    this.isBusy = false;
    this.refusals = 0; // in a row
    this.leaveView = () => {};
  }

  /** Begin, or go on where this person stopped. */
  async start(languages) {
    tidy();
    const unreachable = document.getElementById("unreachable");
    const asked = new URLSearchParams(location.search).get("lang");
    const language = wantedLanguage(languages, asked, navigator.languages);
    await this.#loadDefinition(language ?? languages[0], () => (unreachable.hidden = false));
    this.#becomes({ stage: "consent", progress: nothing(), pilot: false });
    this.frame.steps.hidden = true;
    try {
      await this.#goOn(await this.#enter(language));
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** POST what a person decided, and show the state that the server answers. */
  async act(address, body) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.frame.main.setAttribute("aria-busy", "true");
    this.frame.tell("saving");
    try {
      const state = await untilAnswered(
        () => this.api.post(address, body),
        (why) => this.frame.tell(why),
      );
      this.frame.tell("saved");
      this.refusals = 0;
      // A record that was finished meanwhile is on its way, and brings a newer state.
      if (!this.keeping?.get("outbox")) await this.show(state);
    } catch (error) {
      await this.recover(error);
    } finally {
      this.isBusy = false;
    }
  }

  /** Queue a finished record in place of its running one, and send it until it is acknowledged. */
  async send(address, body, running) {
    this.keeping.put("outbox", { address, body });
    this.keeping.drop(running);
    await this.deliver();
  }

  async deliver() {
    const { address, body } = this.keeping.get("outbox");
    this.isBusy = true;
    this.frame.main.setAttribute("aria-busy", "true");
    this.frame.leave.hidden = true; // one may leave when this is safe
    this.frame.tell("saving");
    const view = setTimeout(() => this.#showSaving(), QUICK_MS);
    try {
      const answer = await untilAnswered(
        () => this.api.post(address, body),
        (why) => this.frame.tell(why),
      );
      this.keeping.drop("outbox");
      this.refusals = 0;
      this.frame.tell("saved");
      clearTimeout(view);
      await this.show(answer.state);
    } catch (error) {
      clearTimeout(view);
      if (error instanceof Refusal && [404, 409].includes(error.status)) {
        this.keeping.drop("outbox"); // another tab was first, or this is over: the server knows
      }
      await this.recover(error);
    } finally {
      this.isBusy = false;
    }
  }

  /** Show a state, in its language. */
  async show(state) {
    if (state.language && state.language !== this.definition.language) {
      await this.#loadDefinition(state.language, (why) => this.frame.tell(why));
    }
    this.#becomes(state);
    this.leaveView = STAGES[state.stage](this) ?? (() => {});
  }

  /** After a refusal: take the server's word for where we are, or say what is wrong. */
  async recover(error) {
    this.frame.tell(null);
    if (!(error instanceof Refusal)) throw error;
    this.refusals += 1;
    try {
      if (this.refusals > MOST_REFUSALS) {
        this.#refuse(error);
      } else if (error.status === 401) {
        await this.#goOn(await this.#enter(this.definition.language));
      } else if (error.status === 409 || error.status === 404) {
        if (error.code === "wrong_version") await this.#loadDefinition(this.definition.language);
        await this.show(await untilAnswered(() => this.api.get("api/session"), this.#tell));
      } else {
        this.#refuse(error);
      }
    } catch (another) {
      this.#refuse(another);
    }
  }

  headingOf({ kind, number }) {
    const { progress } = this.state;
    const total = (kind === "practice" ? progress.practice : progress.trials).total;
    return this.messages.text(`heading.${kind}`, { number, total });
  }

  /** Another tab of this browser goes on with what was running here. */
  showTaken() {
    this.#clear();
    this.frame.show(this.messages.text("taken.title"), [
      element("p.prose", {}, this.messages.text("taken.text")),
      button(this.messages.text("taken.here"), () => location.reload()),
    ]);
  }

  get hasUnsaved() {
    return this.unsaved() || Boolean(this.keeping?.get("outbox"));
  }

  #tell = (why) => this.frame.tell(why);

  async #loadDefinition(language, onWaiting = this.#tell) {
    const address = `api/definition?language=${encodeURIComponent(language)}`;
    this.definition = await untilAnswered(() => this.api.get(address), onWaiting);
    this.messages = new Messages(this.definition.language, this.definition.messages);
  }

  #enter(language) {
    const given = [...new URLSearchParams(location.search)]
      .filter(([name, value]) => name !== "lang" && value.length <= LONGEST_PARAMETER)
      .slice(0, MOST_PARAMETERS);
    const body = { entry: Object.fromEntries(given), language };
    return untilAnswered(() => this.api.post("api/session", body), this.#tell);
  }

  /** Go on in a session just entered: first with what was not yet acknowledged. */
  async #goOn(state) {
    this.frame.tell(null);
    if (state.session !== null) this.keeping = new Keeping(state.session);
    if (!this.keeping?.get("outbox") || isOver(state)) return this.show(state);
    this.#becomes(state);
    return this.deliver();
  }

  #becomes(state) {
    this.#clear();
    this.state = state;
    if (isOver(state)) this.keeping?.clear();
    this.frame.surround(
      this,
      (code) => this.#changeLanguage(code),
      () => this.#leave(),
    );
  }

  #clear() {
    this.leaveView();
    this.leaveView = () => {};
    this.unsaved = () => false;
  }

  async #changeLanguage(language) {
    if (this.isBusy || language === this.definition.language) return;
    if (this.state.session && !isOver(this.state)) {
      await this.act("api/session/language", { language });
    } else {
      await this.show({ ...this.state, language });
    }
    this.frame.languages.querySelector("[aria-pressed=true]")?.focus();
  }

  async #leave() {
    const isSure = await this.frame.confirm({
      title: this.messages.text("leave.title"),
      text: this.messages.text("leave.text"),
      yes: this.messages.text("leave.yes"),
      no: this.messages.text("dialog.back"),
    });
    if (isSure) await this.act("api/session/leave", { reason: "left" });
  }

  #showSaving() {
    this.#clear();
    const text = element("p.prose", {}, this.messages.text("saving.text"));
    this.frame.show(this.messages.text("saving.title"), [element("div.waiting"), text]);
  }

  #refuse(error) {
    if (!(error instanceof Refusal)) throw error;
    this.#clear();
    this.frame.tell(null);
    const known = { paused: "paused", unknown_platform: "platform", no_session: "cookies" };
    const key = `problem.${known[error.code] ?? "other"}`;
    const redo = () => {
      this.keeping.drop("outbox");
      location.reload();
    };
    const hasRecord = Boolean(this.keeping?.get("outbox"));
    this.frame.show(this.messages.text(`${key}.title`), [
      element("p.prose", {}, this.messages.text(`${key}.text`)),
      element(
        "p.hint",
        {},
        this.messages.text("problem.said"),
        " ",
        element("q", {}, error.message),
      ),
      element(
        "div.choices",
        {},
        button(this.messages.text("problem.again"), () => location.reload()),
        hasRecord ? button(this.messages.text("problem.redo"), redo, "second") : "",
      ),
    ]);
  }
}

function isOver({ stage }) {
  return stage === "done" || stage === "closed";
}

function nothing() {
  return { practice: { saved: 0, total: 0 }, trials: { saved: 0, total: 0 } };
}

const participant = new Participant();
addEventListener("beforeunload", (event) => {
  if (participant.hasUnsaved) event.preventDefault();
});
participant.start(document.documentElement.dataset.languages.split(" "));

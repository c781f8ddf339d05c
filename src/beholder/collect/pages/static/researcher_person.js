/** One participation: its signals with their evidence, its trials, and what is decided of it. */

import { button, element } from "./dom.js";
import { judged } from "./researcher_people.js";
import { Replay } from "./researcher_replay.js";
import { facts, moment, money, seconds, signalName, signalValue } from "./researcher_words.js";

const byId = (id) => document.getElementById(id);

export class Person {
  /** `changed()` is called after each decision, `next(session)` gives who stands below. */
  constructor(api, attempt, changed, next) {
    Object.assign(this, { api, attempt, changed, next });
    this.root = byId("person");
    this.replay = null;
    this.session = null;
  }

  /** Show a session and, if one is named, a trial of it. */
  async open(session, trial = null) {
    this.#stop();
    this.detail = await this.api.get(`sessions/${session}`);
    this.session = session;
    this.place = element("div", {});
    const { summary } = this.detail;
    const title = element("h3", { id: "person-title", tabindex: -1 }, summary.participant);
    this.root.replaceChildren(
      title,
      this.#facts(),
      element("h4", {}, "Signals"),
      this.#signals(),
      element("h4", {}, "Trials"),
      this.#trials(),
      this.place,
      ...this.#survey(),
      element("h4", {}, "Decision"),
      this.#decide(),
      this.#bonus(),
      this.#decisions(),
      this.#withdraw(),
      element("p", {}, button("Close", () => this.close(), "plain")),
    );
    this.root.hidden = false;
    title.focus();
    if (trial !== null) await this.#show(trial);
  }

  close() {
    this.#stop();
    this.root.hidden = true;
    this.root.replaceChildren();
    const { session } = this;
    this.session = null;
    this.changed(session);
  }

  #stop() {
    this.replay?.stop();
    this.replay = null;
  }

  #facts() {
    const { summary, device, consent_version: consent } = this.detail;
    const calibration = device?.calibration;
    const pairs = [
      ["stage", (summary.outcome ?? summary.stage).replaceAll("_", " ")],
      ["set", summary.set_name ?? "–"],
      ["platform", `${summary.platform}, ${summary.language}`],
      ["consent", consent === null ? "–" : `version ${consent}`],
      ["began", moment(summary.created_ms)],
      ["ended", moment(summary.ended_ms)],
      ["device", device ? `${device.user_agent_family}, ${device.inputs.join(" and ")}` : "–"],
      ["screen", calibration ? `${calibration.pixels_per_cm.toFixed(1)} px/cm at ${calibration.viewing_distance_cm} cm` : "not calibrated"],
      ["session", summary.session],
    ];
    if (summary.comment) pairs.push(["comment", summary.comment]);
    return element(
      "dl.facts",
      {},
      pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
    );
  }

  #signals() {
    const { signals } = this.detail;
    if (signals.length === 0) return element("p.soft", {}, "None yet: the participation is not complete, or its quality was not checked.");
    const ordered = [...signals].sort((one, other) => other.flagged - one.flagged);
    return element("ul.signals", {}, ordered.map((signal) => this.#signal(signal)));
  }

  #signal(signal) {
    const trials = (signal.evidence.trials ?? []).map((each) => element(
      "li",
      {},
      button(`trial ${each.number}`, () => this.attempt(() => this.#show(each.trial)), "link"),
      ` ${facts(each)} `,
      this.#source(each),
    ));
    return element(
      `li.${signal.flagged ? "raised" : "calm"}`,
      {},
      element("strong", {}, `${signal.flagged ? "⚑ " : ""}${signalName(signal.name)}`),
      ` ${signalValue(signal)}`,
      element("span.soft", {}, ` (${facts(signal.evidence)})`),
      trials.length
        ? element("details", { open: signal.flagged && trials.length <= 5 }, element("summary", {}, `${trials.length} trials`), element("ol", {}, trials))
        : null,
    );
  }

  /** Lead to the trial that this one is like. */
  #source(evidence) {
    if (!evidence.of_trial) return null;
    const session = evidence.of_session ?? this.session;
    const label = evidence.of_session ? "the other's trial" : "the earlier trial";
    return button(label, () => this.attempt(() => this.open(session, evidence.of_trial)), "link");
  }

  #trials() {
    const rows = this.detail.trials.map((trial) => {
      const label = `${trial.number}`;
      const name = trial.seconds === null
        ? label
        : button(label, () => this.attempt(() => this.#show(trial.id)), "link");
      const kind = trial.kind === "image" ? "" : ` (${trial.kind})`;
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, name),
        element("td", {}, trial.image + kind),
        element("td", {}, seconds(trial.seconds)),
        element("td", {}, trial.clicks === null ? "–" : String(trial.clicks)),
        element("td.text", {}, trial.captions.join(" / ") || "–"),
      );
    });
    const names = ["trial", "image", "time", "clicks", "text"];
    const head = element("tr", {}, names.map((name) => element("th", { scope: "col" }, name)));
    return element(
      "div.scroll",
      { tabindex: 0, role: "region", "aria-label": "Trials" },
      element("table", {}, element("thead", {}, head), element("tbody", {}, rows)),
    );
  }

  async #show(trial) {
    this.#stop();
    const { session } = this;
    const detail = await this.api.get(`sessions/${session}/trials/${trial}`);
    const query = `image=${encodeURIComponent(detail.trial.image)}`;
    const picture = async (which) => createImageBitmap(await this.api.blob(`images/${which}?${query}`));
    const sharp = await picture("sharp");
    const blurred = detail.has_blurred ? await picture("blurred") : null;
    if (this.session !== session) return; // another was opened meanwhile
    this.replay = new Replay(detail, sharp, blurred);
    const title = element("h4", { tabindex: -1 }, `Trial ${detail.trial.number}: ${detail.trial.image}`);
    this.place.replaceChildren(title, this.replay.root);
    title.focus();
    title.scrollIntoView({ block: "nearest" });
  }

  #survey() {
    const { survey, survey_seconds: took } = this.detail;
    if (survey.length === 0) return [];
    const rows = survey.map((each) => element(
      "tr",
      {},
      element("th", { scope: "row" }, each.item),
      element("td", {}, String(each.answer)),
      element("td", {}, each.label ?? ""),
    ));
    const summary = element("summary", {}, `Survey, answered in ${seconds(took)}`);
    return [element("details", {}, summary, element("table", {}, element("tbody", {}, rows)))];
  }

  #decide() {
    const reason = element("textarea", { id: "reason", rows: 2, maxlength: 2000 });
    const act = (kind) => this.attempt(async () => {
      if (kind === "reject" && !reason.value.trim()) {
        reason.focus();
        throw new Error("A rejection needs a reason.");
      }
      const following = this.next(this.session);
      await this.api.act(`sessions/${this.session}/decision`, { kind, reason: reason.value });
      await this.changed(this.session);
      await this.open(following ?? this.session);
    });
    return element(
      "form.decide",
      { onsubmit: (event) => event.preventDefault() },
      element("p", {}, `So far: ${judged(this.detail.summary.decision)}`),
      element("label", { for: "reason" }, "Reason (kept with the decision; a rejection needs one)"),
      reason,
      element("div.tools", {}, button("Approve", () => act("approve")), button("Reject", () => act("reject"), "danger")),
    );
  }

  #bonus() {
    const amount = element("input", { id: "amount", type: "number", min: 0, max: 10000, step: "0.01", required: true });
    const submit = (event) => {
      event.preventDefault();
      this.attempt(async () => {
        const cents = Math.round(Number(amount.value) * 100);
        await this.api.act(`sessions/${this.session}/bonus`, { amount_cents: cents });
        await this.open(this.session);
        await this.changed(this.session);
      });
    };
    return element(
      "form.tools",
      { onsubmit: submit },
      element("label", { for: "amount" }, `Bonus (now ${money(this.detail.summary.bonus_cents)})`),
      amount,
      element("button.plain", {}, "Note the bonus"),
    );
  }

  #decisions() {
    const lines = this.detail.decisions.map((each) => {
      const what = each.kind === "bonus" ? `bonus of ${money(each.amount_cents)}` : judged(each.kind);
      const why = each.reason ? `: ${each.reason}` : "";
      return element("li", {}, `${moment(each.made_ms)} ${each.actor}, ${what}${why}`);
    });
    return element("ul.soft", { hidden: lines.length === 0 }, lines);
  }

  #withdraw() {
    const { participant } = this.detail.summary;
    const typed = element("input", { id: "typed", autocomplete: "off", spellcheck: "false", required: true });
    const submit = (event) => {
      event.preventDefault();
      this.attempt(async () => {
        const gone = await this.api.act("withdrawals", { participant, typed: typed.value.trim() });
        this.#stop();
        this.session = null;
        this.root.replaceChildren(...receipt(gone));
        this.root.firstElementChild.focus();
        await this.changed(null);
      });
    };
    return element(
      "details.withdraw",
      {},
      element("summary", {}, "Withdraw this person"),
      element("p", {}, "Removes everything this person gave, for good: every participation, every signal and decision, and every prepared export that holds it."),
      element(
        "form",
        { onsubmit: submit },
        element("label", { for: "typed" }, "Type the pseudonym to confirm"),
        typed,
        element("button.danger", {}, "Remove for good"),
      ),
    );
  }
}

function receipt(gone) {
  const rows = Object.entries(gone.counts).filter(([, count]) => count > 0);
  const list = (title, names) => names.length
    ? [element("p", {}, title), element("ul", {}, names.map((name) => element("li", {}, name)))]
    : [];
  return [
    element("h3", { id: "person-title", tabindex: -1 }, "Withdrawn"),
    element("p", {}, "Receipt ", element("strong", {}, gone.receipt), ` of ${moment(gone.made_ms)}: `, rows.map(([table, count]) => `${count} ${table}`).join(", ")),
    ...list("Exports that were removed:", gone.removed_exports),
    ...list("Exports outside the data folder that may hold the person; please remove them yourself:", gone.exports_elsewhere),
  ];
}

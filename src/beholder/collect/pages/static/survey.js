/** The survey: a group of choices for each item, every choice recorded. */

import { button, element } from "./dom.js";
import { Journal } from "./journal.js";

const NAME = "survey";
const MOST_CHOICES = 2_000;

export function showSurvey(participant) {
  const { definition, frame, keeping, messages } = participant;
  const survey = definition.survey;
  const say = (key, values) => messages.text(key, values);
  const keys = survey.items.map((item) => item.key);
  const order = survey.shuffle ? shuffled(keys) : keys;
  const journal = new Journal(keeping, NAME, { answers: {}, order, choices: [] });
  const { record } = journal;
  if (journal.isResumed && !participant.hasShown.has(NAME)) journal.note("reload");
  participant.hasShown.add(NAME);
  const forgetOthers = keeping.whenTaken(NAME, () => participant.showTaken());
  participant.unsaved = () => Object.keys(record.answers).length > 0;

  const problem = element("p.problem", { role: "alert", tabindex: -1 });
  const counted = element("p.counted", { role: "status" });
  const items = new Map(survey.items.map((item) => [item.key, item]));
  const groups = new Map(record.order.map((key) => [key, group(items.get(key))]));
  frame.show(say("survey.title"), [
    element("p.prose", {}, say("survey.text")),
    element("p.stem", { "aria-hidden": "true" }, survey.stem),
    element("form.survey", { onsubmit: submit, novalidate: true }, ...groups.values()),
    counted,
    problem,
    button(say("survey.done"), submit),
    survey.notice ? element("p.hint", {}, survey.notice) : "",
  ]);
  tell();
  return stop;

  function group(item) {
    const missing = element("p.missing", { id: `missing-${item.key}` });
    const legend = element(
      "legend",
      {},
      element("span.quiet", {}, `${survey.stem} `),
      item.text,
    );
    return element(
      "fieldset.item",
      { "aria-describedby": missing.id },
      legend,
      element("div.scale", {}, survey.labels.map((label, n) => choice(item, label, n))),
      missing,
    );
  }

  function choice(item, label, n) {
    const answer = survey.minimum + n;
    const radio = element("input", {
      type: "radio",
      name: item.key,
      value: answer,
      checked: record.answers[item.key] === answer,
      onchange: () => choose(item.key, answer),
    });
    return element("label.choice", {}, radio, element("span", {}, label));
  }

  function choose(key, answer) {
    record.answers[key] = answer;
    const t = journal.now();
    if (record.choices.length < MOST_CHOICES) record.choices.push({ t, key, answer });
    journal.keep();
    groups.get(key).classList.remove("lacking");
    groups.get(key).querySelector(".missing").textContent = "";
    problem.textContent = "";
    tell();
  }

  function tell() {
    const answered = Object.keys(record.answers).length;
    counted.textContent = say("survey.answered", { answered, total: record.order.length });
  }

  function submit(event) {
    event.preventDefault();
    const lacking = record.order.filter((key) => !(key in record.answers));
    for (const key of lacking) {
      groups.get(key).classList.add("lacking");
      groups.get(key).querySelector(".missing").textContent = say("survey.missing");
    }
    if (lacking.length === 0) return send();
    problem.textContent = say("survey.more", { count: lacking.length });
    groups.get(lacking[0]).querySelector("input").focus();
  }

  function send() {
    const duration = journal.now();
    const { last_ms: _, ...sent } = record;
    stop();
    participant.send("api/session/survey", { ...sent, duration_ms: duration }, NAME);
  }

  function stop() {
    forgetOthers();
    journal.stop();
    participant.unsaved = () => false;
  }
}

function shuffled(keys) {
  const order = [...keys];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

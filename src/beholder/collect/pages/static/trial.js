/** One image: its tasks in order, recorded from the moment at which it is drawn. */

import { BubbleCanvas } from "./bubble_canvas.js";
import { showBubbles, startRecordOfBubbles } from "./bubbles.js";
import { showCaption, startRecordOfCaption } from "./caption.js";
import { element } from "./dom.js";
import { measure } from "./environment.js";
import { Journal } from "./journal.js";

const KINDS = {
  bubbles: { show: showBubbles, begin: startRecordOfBubbles },
  caption: { show: showCaption, begin: startRecordOfCaption },
};

/** Return the name under which a trial's running record is kept. */
export function nameOfTrial(trial) {
  return `trial:${trial.id}`;
}

/**
 * Show the trial, or go on with it where it stopped. `blurred` is null where no task needs it.
 * Returns what takes the trial away again.
 */
export function showTrial(participant, trial, blurred, sharp, isReload) {
  const { definition, frame, keeping, messages } = participant;
  const canvas = element("canvas", {});
  const sheet = element("div.sheet", {}, canvas);
  const picture = element("div.picture", {}, sheet);
  const panel = element("section.panel", { "aria-labelledby": "heading" });
  frame.show(participant.headingOf(trial), [element("div.trial", {}, picture, panel)], "wide");
  const view = new BubbleCanvas(sheet, canvas, trial.image, trial.bubble_radius_px);
  view.setPictures(blurred ?? sharp, sharp);

  const journal = new Journal(keeping, nameOfTrial(trial), { tasks: [] }, canvas);
  if (journal.isResumed && isReload) journal.note("reload", measure(canvas));
  const forgetOthers = keeping.whenTaken(nameOfTrial(trial), () => participant.showTaken());
  participant.unsaved = () => journal.record.tasks.length > 0;
  let stopTask = () => {};
  next(false);
  picture.scrollIntoView({ block: "nearest" }); // a small or zoomed screen

  /** Show the task that is running; after the last, the record goes to the server. */
  function next(isSettled = true) {
    stopTask();
    stopTask = () => {};
    const tasks = journal.record.tasks;
    const ended = tasks.filter((task) => task.ended_ms !== null).length;
    if (ended === definition.tasks.length) return send();
    const task = definition.tasks[ended];
    const kind = KINDS[task.kind];
    if (tasks.length === ended) {
      tasks.push({ kind: task.kind, name: task.name, ...kind.begin(tasks.at(-1)?.ended_ms ?? 0) });
      journal.keep();
    }
    const record = tasks[ended];
    setOut(task);
    const onDone = (timedOut) => {
      record.ended_ms = journal.now();
      record.timed_out = timedOut;
      journal.keep();
      next();
    };
    stopTask = kind.show({ task, record, trial, view, journal, panel, messages, onDone });
    if (isSettled) panel.querySelector("textarea, canvas")?.focus();
  }

  function setOut(task) {
    picture.hidden = task.kind === "caption" && task.image === "none";
    picture.parentElement.dataset.task = task.kind;
    view.setPictures(task.image === "sharp" ? sharp : (blurred ?? sharp), sharp);
    if (task.kind !== "caption") return;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", messages.text("caption.label"));
  }

  function send() {
    const { last_ms: _, ...record } = journal.record;
    record.duration_ms = record.tasks.at(-1).ended_ms;
    record.clock_offset_ms = participant.api.clockOffset;
    stop();
    participant.send(`api/session/trials/${trial.id}`, record, nameOfTrial(trial));
  }

  function stop() {
    stopTask();
    forgetOthers();
    journal.stop();
    view.stop();
    participant.unsaved = () => false;
  }

  return stop;
}

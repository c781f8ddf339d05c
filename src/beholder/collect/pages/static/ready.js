/** The pause before each image: nothing runs until the person asks for the image. */

import { button, element, paragraphs } from "./dom.js";
import { drawingOfLooking, drawingOfWriting } from "./illustration.js";
import { untilAnswered } from "./patience.js";
import { nameOfTrial, showTrial } from "./trial.js";

/** Show the instructions before the first image, a pause before the others, then the trial. */
export function showImages(participant) {
  const { state, keeping, pictures, messages, frame } = participant;
  const trial = state.trial;
  const isFirst = state.progress.practice.saved + state.progress.trials.saved === 0;
  const isFirstReal = trial.kind === "trial" && trial.number === 1;
  const { blurred, sharp } = trial.image;
  const isRunning = keeping.get(nameOfTrial(trial)) !== null;
  let stop = () => {};
  let isGone = false;

  pictures.keepOnly([blurred, sharp, state.next_blurred]);
  const loading = Promise.all(
    [blurred, sharp].map((address) => address && load(participant, address)),
  );
  loading.catch(() => {}); // told where it is waited for
  if (isRunning) {
    frame.show(participant.headingOf(trial), [waiting(messages)]);
    begin();
  } else if (isFirst) {
    frame.show(messages.text("instructions.title"), instructions(participant, startButton()));
  } else {
    const text = messages.text(isFirstReal ? "ready.first" : "ready.rest");
    const card = element("div.card.ready", {}, element("p.prose", {}, text), startButton());
    frame.show(participant.headingOf(trial), [card]);
  }

  function startButton() {
    const start = button(messages.text(`ready.${trial.kind}`), () => {
      start.setAttribute("aria-disabled", "true");
      start.textContent = messages.text("ready.loading");
      begin();
    });
    return start;
  }

  async function begin() {
    try {
      const [whole, detail] = await loading;
      if (isGone) return;
      const isReload = isRunning && !participant.hasShown.has(trial.id);
      participant.hasShown.add(trial.id);
      frame.tell(null); // nothing lies over an image
      stop = showTrial(participant, trial, whole, detail, isReload);
      if (state.next_blurred) pictures.get(state.next_blurred).catch(() => {}); // ahead of its need
    } catch (error) {
      if (!isGone) await participant.recover(error);
    }
  }

  return () => {
    isGone = true;
    stop();
  };
}

function load({ pictures, frame }, address) {
  let isTold = false;
  return untilAnswered(
    () => pictures.get(address),
    (why) => {
      isTold = true;
      frame.tell(why);
    },
  ).then((picture) => {
    if (isTold) frame.tell(null);
    return picture;
  });
}

function waiting(messages) {
  return element("p.prose", {}, messages.text("ready.loading"));
}

function instructions({ definition, messages, state }, start) {
  const say = (key, values) => messages.text(key, values);
  const steps = definition.tasks.flatMap((task, n) => {
    const limits = limitsOf(task, messages);
    const title = say(task.kind === "bubbles" ? "instructions.look" : "instructions.write");
    const how =
      task.kind === "bubbles"
        ? say("instructions.look.how")
        : say("instructions.write.how", { prompt: task.prompt });
    return element(
      "li.card",
      {},
      task.kind === "bubbles" ? drawingOfLooking() : drawingOfWriting(),
      element("h2", {}, element("span.number", {}, String(n + 1)), ` ${title}`),
      element("p", {}, how),
      task.kind === "bubbles" ? element("p.hint.keys", {}, say("instructions.keys")) : null,
      limits === "" ? null : element("p.hint", {}, limits),
    );
  });
  const count = state.progress.practice.total;
  return [
    ...paragraphs(definition.instructions),
    element("ol.tasks", { role: "list" }, steps),
    element("p.prose", {}, say("instructions.honest")),
    count > 0 ? element("p.prose", {}, say("instructions.practice", { count })) : "",
    start,
  ];
}

function limitsOf(task, messages) {
  const parts = [];
  const add = (key, count) => {
    if (count > 0) parts.push(messages.text(key, { count }));
  };
  add("instructions.least", task.minimum_clicks ?? 0);
  add("instructions.most", task.maximum_clicks ?? 0);
  add("instructions.letters", task.minimum_characters ?? 0);
  add("instructions.seconds", task.maximum_seconds);
  return parts.join(" ");
}

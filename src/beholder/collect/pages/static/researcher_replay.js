/** A trial replayed: the bubbles in their order over the blurred image, with a table of them. */

import { button, element } from "./dom.js";
import { percent, seconds } from "./researcher_words.js";

const SPEEDS = [1, 2, 5, 10];
const STEP_MS = 100;

export class Replay {
  /** `trial` is the server's detail; the images are bitmaps, `blurred` perhaps null. */
  constructor(trial, sharp, blurred) {
    this.trial = trial;
    this.sharp = sharp;
    this.blurred = blurred;
    this.bubbles = trial.record.tasks.find((task) => task.kind === "bubbles") ?? null;
    this.clicks = this.bubbles?.clicks ?? [];
    this.end = this.bubbles ? this.bubbles.ended_ms : trial.record.duration_ms;
    this.time = 0;
    this.playing = null;
    this.root = element("div.replay", {}, this.bubbles ? this.#stage() : null, this.#texts());
    if (this.bubbles) this.seek(this.end);
  }

  stop() {
    if (this.playing !== null) cancelAnimationFrame(this.playing.frame);
    this.playing = null;
    if (this.bubbles) this.playButton.textContent = "Play";
  }

  seek(time) {
    this.time = Math.min(Math.max(time, 0), this.end);
    this.slider.value = String(this.time);
    this.#draw();
  }

  #stage() {
    this.canvas = element("canvas", {
      width: this.trial.width,
      height: this.trial.height,
      role: "img",
    });
    this.told = element("output", {});
    this.playButton = button("Play", () => this.#toggle());
    this.slider = element("input", {
      type: "range",
      min: 0,
      max: Math.ceil(this.end),
      step: STEP_MS,
      "aria-label": "Time in the trial",
      oninput: () => {
        this.stop();
        this.seek(Number(this.slider.value));
      },
    });
    this.speed = element(
      "select",
      { "aria-label": "Speed" },
      SPEEDS.map((speed) => element("option", { value: speed }, `${speed}×`)),
    );
    this.speed.value = "2";
    this.all = element("input", { type: "checkbox", onchange: () => this.#draw() });
    const controls = element(
      "div.tools",
      {},
      button("Previous click", () => this.#step(-1), "plain"),
      this.playButton,
      button("Next click", () => this.#step(1), "plain"),
      this.speed,
      element("label", {}, this.all, " all bubbles stay open"),
    );
    return [this.canvas, this.slider, controls, element("p", {}, this.told)];
  }

  #toggle() {
    if (this.playing !== null) {
      this.stop();
      return;
    }
    if (this.time >= this.end) this.seek(0);
    this.playButton.textContent = "Stop";
    this.playing = { last: performance.now() };
    const go = (now) => {
      if (this.playing === null) return;
      const passed = (now - this.playing.last) * Number(this.speed.value);
      this.playing.last = now;
      this.seek(this.time + passed);
      if (this.time >= this.end || !this.canvas.isConnected) this.stop();
      else this.playing.frame = requestAnimationFrame(go);
    };
    this.playing.frame = requestAnimationFrame(go);
  }

  #step(way) {
    this.stop();
    const made = this.#made();
    if (way > 0) this.seek(this.clicks[made]?.t ?? this.end);
    else this.seek(made >= 2 ? this.clicks[made - 2].t : 0);
  }

  #made() {
    return this.clicks.filter((click) => click.t <= this.time).length;
  }

  #draw() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.drawImage(this.blurred ?? this.sharp, 0, 0, width, height);
    const made = this.#made();
    const clicks = this.clicks.slice(0, made);
    const open = this.all.checked ? clicks : clicks.slice(-1);
    for (const click of open) {
      context.save();
      context.beginPath();
      context.arc(click.x * width, click.y * height, click.radius_px, 0, 2 * Math.PI);
      context.clip();
      context.drawImage(this.sharp, 0, 0, width, height);
      context.restore();
    }
    clicks.forEach((click, number) => mark(context, click, number + 1, number + 1 === made));
    const last = clicks.at(-1);
    const where = last ? `: ${percent(last.x)} across, ${percent(last.y)} down` : "";
    const told = `${seconds(this.time / 1000)} of ${seconds(this.end / 1000)}, click ${made} of ${this.clicks.length}${where}`;
    this.told.textContent = told;
    this.canvas.setAttribute("aria-label", `The image with the bubbles so far. ${told}`);
    this.slider.setAttribute("aria-valuetext", told);
  }

  #texts() {
    const captions = this.trial.record.tasks.filter((task) => task.kind === "caption");
    return [
      ...captions.map((task) => element(
        "figure.caption",
        {},
        element("blockquote", {}, task.text || "(nothing)"),
        element("figcaption", {}, how(task)),
      )),
      this.clicks.length ? clickTable(this.clicks) : null,
      eventList(this.trial.record.events),
    ];
  }
}

function mark(context, click, number, isLast) {
  const { width, height } = context.canvas;
  const size = Math.max(width, height) / 45;
  const [x, y] = [click.x * width, click.y * height];
  context.lineWidth = size / (isLast ? 5 : 10);
  for (const [colour, grow] of [["#000", 1], ["#ffd400", 0]]) {
    context.strokeStyle = colour;
    context.beginPath();
    context.arc(x, y, click.radius_px + grow * context.lineWidth, 0, 2 * Math.PI);
    context.stroke();
  }
  context.font = `700 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = size / 4;
  context.strokeStyle = "#000";
  context.strokeText(String(number), x, y);
  context.fillStyle = isLast ? "#ffd400" : "#fff";
  context.fillText(String(number), x, y);
}

function how(task) {
  const parts = [task.name, `${task.text.length} characters`, `${task.keys.length} keys`];
  parts.push(seconds((task.ended_ms - task.started_ms) / 1000));
  const pasted = task.pastes.reduce((sum, paste) => sum + paste.characters, 0);
  if (pasted) parts.push(`${pasted} characters pasted`);
  if (task.deletions) parts.push(`${task.deletions} deletions`);
  if (task.timed_out) parts.push("timed out");
  return parts.join(", ");
}

function clickTable(clicks) {
  const rows = clicks.map((click) => element(
    "tr",
    {},
    element("th", { scope: "row" }, String(click.n)),
    [seconds(click.t / 1000), percent(click.x), percent(click.y), click.input].map((cell) =>
      element("td", {}, cell),
    ),
  ));
  const names = ["click", "time", "across", "down", "with"];
  const head = element("tr", {}, names.map((name) => element("th", { scope: "col" }, name)));
  return element(
    "details",
    {},
    element("summary", {}, "The clicks as a table"),
    element("table", {}, element("thead", {}, head), element("tbody", {}, rows)),
  );
}

function eventList(events) {
  if (events.length === 0) return null;
  const lines = events.map((event) => `${seconds(event.t / 1000)} ${event.kind}`);
  return element("p.soft", {}, `What happened to the page: ${lines.join(", ")}`);
}

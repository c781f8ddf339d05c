/** The study in numbers: totals, sets, images, and the switch that pauses it. */

import { element } from "./dom.js";

const byId = (id) => document.getElementById(id);

export class Progress {
  constructor(api, attempt) {
    this.api = api;
    this.paused = false;
    byId("pause").addEventListener("click", () =>
      attempt(async () => {
        await api.act("paused", { paused: !this.paused });
        await this.refresh();
      }),
    );
    byId("images-part").addEventListener("toggle", () => attempt(() => this.refreshImages()));
  }

  /** Read and show the overview; return it. */
  async refresh() {
    const overview = await this.api.get("overview");
    this.paused = overview.paused;
    byId("pause").textContent = overview.paused ? "Resume" : "Pause";
    byId("totals").replaceChildren(...totals(overview));
    byId("sets").replaceChildren(...overview.sets.map(setRow));
    const live = sentence(overview);
    if (byId("live").textContent !== live) byId("live").textContent = live;
    await this.refreshImages();
    return overview;
  }

  async refreshImages() {
    if (!byId("images-part").open) return;
    const images = await this.api.get("images");
    byId("images").replaceChildren(...images.map(imageRow));
  }
}

function sentence(overview) {
  const complete = overview.sets.reduce((sum, each) => sum + each.complete, 0);
  const open = overview.outcomes.open ?? 0;
  const state = `${overview.paused ? "Paused. " : ""}${overview.pilot ? "Pilot. " : ""}`;
  return `${state}${complete} of ${overview.wanted} wanted participations are complete, ${open} open.`;
}

function totals(overview) {
  const numbers = [
    ["complete", overview.outcomes.complete ?? 0],
    ["open", overview.outcomes.open ?? 0],
    ["with a flag", overview.flagged],
    ["approved", overview.decisions.approve ?? 0],
    ["rejected", overview.decisions.reject ?? 0],
  ];
  const others = Object.entries(overview.outcomes).filter(
    ([name]) => name !== "complete" && name !== "open",
  );
  for (const [name, count] of others) numbers.push([name.replaceAll("_", " "), count]);
  return numbers.map(([name, count]) =>
    element("p.total", {}, element("strong", {}, String(count)), ` ${name}`),
  );
}

function setRow(set) {
  const meter = element("meter", {
    min: 0,
    max: Math.max(set.wanted, 1),
    value: set.complete,
    "aria-label": `set ${set.set_name} filled`,
  });
  const numbers = [set.wanted, set.complete, set.active, set.free];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, set.set_name),
    numbers.map((number) => element("td", {}, String(number))),
    element("td", {}, meter),
  );
}

function imageRow(image) {
  const cells = [image.set_name, image.wanted, image.complete, image.saved];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, image.image),
    cells.map((cell) => element("td", {}, String(cell))),
  );
}

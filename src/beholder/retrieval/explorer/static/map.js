/** The map page: reads a map, and keeps what is shown of it in the address. */

import { Trouble, attempt, get } from "./api.js";
import { Cloud } from "./cloud.js";
import { colourBy, dimOthers, waysToColour } from "./colours.js";
import { byId, debounced, element } from "./dom.js";
import { readLine, written } from "./lasso.js";
import { showLegend } from "./legend.js";
import { MapView } from "./map_view.js";
import { PointList } from "./point_list.js";
import { SamplePanel } from "./sample_panel.js";
import { percent, plural } from "./words.js";

const COMBINED = "combined"; // all spaces by their weights
const AGAIN_MS = 800; // until a map that is being computed is asked for again
const dark = matchMedia("(prefers-color-scheme: dark)");

class MapPage {
  constructor(facts) {
    this.spaces = [...new Set(Object.values(facts.spaces).flatMap((weights) => Object.keys(weights))), COMBINED];
    this.modalities = ["text", "gaze"].filter((modality) => facts.modalities.includes(modality));
    this.cloud = null;
    this.panel = new SamplePanel(byId("sample"));
    this.list = new PointList(byId("list"), {
      onopen: (row) => this.#pick({ row }, true),
      onforget: () => this.#choose(null),
    });
    this.view = new MapView(byId("map"), {
      hover: (thing) => this.#point(thing),
      pick: (thing) => this.#pick(thing),
      moved: () => this.#moved(),
      drawn: (line) => this.#choose(line),
    });
    this.relist = debounced(() => this.#list(), 150);
    this.rewrite = debounced(() => this.#remember(false), 250);
    this.#tools();
    dark.addEventListener("change", () => this.#paint());
    addEventListener("popstate", () => this.arrive());
    addEventListener("hashchange", () => this.arrive());
  }

  /** Show what the address says. */
  async arrive() {
    const fragment = location.hash.replace(/^#/, "");
    if (this.cloud !== null && fragment === this.#written()) return;
    this.state = this.#read(fragment);
    byId("space").value = this.state.space;
    byId("modality").value = this.state.modality;
    byId("people").checked = this.view.showsPeople = this.state.people;
    const { space, modality } = this.state;
    if (this.cloud?.data.space !== space || this.cloud?.data.modality !== modality) await this.#load();
    if (this.cloud === null) return;
    this.view.look({ ...this.state.camera });
    this.view.chosen = this.state.line;
    this.#showSample();
    this.#paint();
    this.#list();
  }

  async #load() {
    const { space, modality } = this.state;
    byId("making").hidden = false;
    const wentWell = await attempt("map", async () => {
      const data = await patient(`/v1/map?space=${encodeURIComponent(space)}&modality=${modality}`);
      if (this.state.space !== space || this.state.modality !== modality) return;
      this.cloud = new Cloud(data);
      this.view.show(this.cloud);
    });
    byId("making").hidden = wentWell;
    if (!wentWell) {
      byId("making").textContent = "There is no map to show.";
      return;
    }
    const [first, second] = this.cloud.data.explained;
    byId("told").textContent = `${plural(this.cloud.count, "sample")} and ${plural(this.cloud.people.length, "person", "people")}, by what their ${modality} is in the ${space} space; the two directions hold ${percent(first + second)} of it.`;
    const ways = waysToColour(this.cloud);
    byId("colour").replaceChildren(...ways.map(([value, name]) => element("option", { value }, name)));
  }

  #tools() {
    const options = (names) => names.map((name) => element("option", { value: name }, name));
    byId("space").replaceChildren(...options(this.spaces));
    byId("modality").replaceChildren(...options(this.modalities));
    for (const name of ["space", "modality", "colour"]) {
      byId(name).addEventListener("change", () => {
        const change = { [name]: byId(name).value };
        if (name === "colour") Object.assign(change, { marked: new Set() });
        else Object.assign(change, { camera: { x: 0.5, y: 0.5, zoom: 1 }, line: null });
        this.#change(change);
      });
    }
    byId("people").addEventListener("change", () => this.#change({ people: byId("people").checked }));
    byId("lasso").addEventListener("click", () => this.#lasso(!this.view.isLasso));
    byId("take-view").addEventListener("click", () => {
      const { from, to } = this.view.corners();
      this.#choose([from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }]);
    });
    byId("nearer").addEventListener("click", () => this.view.zoom(1.5));
    byId("further").addEventListener("click", () => this.view.zoom(1 / 1.5));
    byId("whole").addEventListener("click", () => this.view.whole());
  }

  #lasso(isOn) {
    this.view.isLasso = isOn;
    byId("lasso").setAttribute("aria-pressed", String(isOn));
    byId("map").classList.toggle("lasso", isOn);
  }

  /** Take a change as a new step of the history, and show it. */
  async #change(change) {
    this.state = { ...this.state, ...change };
    this.#remember(true);
    const { space, modality, people } = this.state;
    if (this.cloud?.data.space !== space || this.cloud?.data.modality !== modality) {
      this.cloud = null;
      await this.arrive();
      return;
    }
    this.view.showsPeople = people;
    this.view.chosen = this.state.line;
    this.#paint();
    this.#list();
  }

  #choose(line) {
    if (line === null && this.state.line === null) return;
    this.#lasso(false);
    this.#change({ line });
  }

  #paint() {
    if (this.cloud === null) return;
    const { colour, marked } = this.state;
    const select = byId("colour");
    select.value = colour;
    if (select.selectedIndex < 0) select.value = this.state.colour = "participant";
    const painted = colourBy(select.value, this.cloud, marked, dark.matches);
    if (this.state.line !== null) dimOthers(painted.rgba, this.cloud.inside(this.state.line));
    this.view.colour(painted);
    const title = `Colour: ${select.selectedOptions[0].textContent}`;
    showLegend(byId("legend"), title, painted.legend, this.state.people, (number) => this.#mark(number));
  }

  #mark(number) {
    const marked = new Set(this.state.marked);
    if (!marked.delete(number)) marked.add(number);
    this.#change({ marked });
    byId("legend").querySelector(`[aria-pressed="${marked.has(number)}"]`)?.focus();
  }

  #moved() {
    this.state.camera = { ...this.view.camera };
    this.rewrite();
    if (this.state.line === null) this.relist();
  }

  #list() {
    if (this.cloud === null) return;
    const { from, to } = this.view.corners();
    const { line } = this.state;
    const rows = line ? this.cloud.inside(line) : this.cloud.within(from.x, from.y, to.x, to.y);
    this.list.show(this.cloud, rows, line !== null);
  }

  /** Show what is pointed at, or else what was clicked before. */
  #point(thing) {
    if (thing === null) this.#showSample();
    else if (thing.person) this.panel.show({ person: thing.person });
    else this.panel.show({ number: this.cloud.data.samples[thing.row] });
  }

  #pick(thing, isFromList = false) {
    const sample = thing?.row === undefined ? null : this.cloud.data.samples[thing.row];
    const person = thing?.person?.number ?? null;
    this.state = { ...this.state, sample, person };
    this.#remember(true);
    this.#showSample();
    if (isFromList) byId("sample").scrollIntoView({ block: "nearest" });
  }

  #showSample() {
    const { sample, person } = this.state;
    const row = sample === null ? undefined : this.cloud.row.get(sample);
    const somebody = person === null ? undefined : this.cloud.person.get(person);
    this.view.picked = null;
    if (row !== undefined) this.view.picked = { row };
    else if (somebody) this.view.picked = { person: somebody };
    this.view.draw();
    this.panel.show({ number: row === undefined ? null : sample, person: somebody ?? null });
  }

  #remember(isStep) {
    const fragment = `#${this.#written()}`;
    if (fragment === location.hash) return;
    if (isStep) history.pushState(null, "", fragment);
    else history.replaceState(null, "", fragment);
  }

  #written() {
    const { space, modality, colour, marked, people, camera, sample, person, line } = this.state;
    const values = new URLSearchParams({ space, modality, colour });
    if (marked.size > 0) values.set("mark", [...marked].join("."));
    if (!people) values.set("people", "0");
    if (camera.zoom !== 1 || camera.x !== 0.5 || camera.y !== 0.5) {
      values.set("at", [camera.x.toFixed(4), camera.y.toFixed(4), camera.zoom.toFixed(3)].join("_"));
    }
    if (sample !== null) values.set("sample", sample);
    if (person !== null) values.set("person", person);
    if (line !== null) values.set("lasso", written(line));
    return values.toString();
  }

  #read(fragment) {
    const values = new URLSearchParams(fragment);
    const number = (name) => (/^\d+$/.test(values.get(name) ?? "") ? Number(values.get(name)) : null);
    const one = (name, names, preferred) => {
      if (names.includes(values.get(name))) return values.get(name);
      return names.includes(preferred) ? preferred : names[0];
    };
    const [x, y, zoom] = (values.get("at") ?? "").split("_").map(Number);
    const isAimed = [x, y, zoom].every(Number.isFinite) && zoom > 0;
    return {
      space: one("space", this.spaces, "style"),
      modality: one("modality", this.modalities, "text"),
      colour: values.get("colour") ?? "participant",
      marked: new Set((values.get("mark") ?? "").split(".").filter(Boolean).map(Number)),
      people: values.get("people") !== "0",
      camera: isAimed ? { x, y, zoom } : { x: 0.5, y: 0.5, zoom: 1 },
      sample: number("sample"),
      person: number("person"),
      line: readLine(values.get("lasso")),
    };
  }
}

/** Read a map, which the server may still be computing. */
async function patient(path) {
  for (;;) {
    try {
      return await get(path);
    } catch (error) {
      if (!(error instanceof Trouble) || ![202, 503].includes(error.status)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

attempt("store", async () => new MapPage(await get("/v1/store")).arrive());

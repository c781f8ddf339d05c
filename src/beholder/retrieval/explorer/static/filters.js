/** What may answer: chosen people and images, tasks, split parts, ranges of traits. */

import { button, byId, element } from "./dom.js";
import { Picker } from "./picker.js";

const MOST_BOXES = 8;

export class Filters {
  /** `onchange` is told {participants, images, tasks, parts, traits}. */
  constructor(facts, onchange) {
    this.onchange = onchange;
    this.value = { participants: [], images: [], tasks: [], parts: [], traits: {} };
    this.rooms = {};
    this.chips = {};
    const { lowest = 1, highest = 5 } = facts.instrument ?? {};
    this.range = [lowest, highest];
    byId("filter-room").append(
      this.#names("participants", "People", "a person's name"),
      this.#names("images", "Images", "an image's name"),
      this.#choices("tasks", "Tasks", facts.sample_tasks),
      this.#choices("parts", "Split", facts.parts),
      this.#traits(facts.instrument ? facts.traits : []),
      button("Allow everything", () => this.#changed({ participants: [], images: [], tasks: [], parts: [], traits: {} })),
    );
  }

  show({ participants, images, tasks, parts, traits }) {
    this.value = { participants, images, tasks, parts, traits };
    for (const kind of Object.keys(this.chips)) this.#showChips(kind);
    for (const kind of ["tasks", "parts"]) {
      for (const box of this.rooms[kind]?.querySelectorAll("input") ?? []) box.checked = this.value[kind].includes(box.value);
    }
    for (const row of this.rooms.traits?.querySelectorAll("[data-trait]") ?? []) {
      const range = traits[row.dataset.trait] ?? this.range;
      row.querySelectorAll("input").forEach((input, side) => (input.value = String(range[side])));
    }
    const count = participants.length + images.length + tasks.length + parts.length + Object.keys(traits).length;
    byId("filtered").hidden = count === 0;
    byId("filtered").textContent = `${count} chosen`;
  }

  #changed(change) {
    const value = { ...this.value, ...change };
    this.show(value);
    this.onchange(value);
  }

  #names(kind, title, placeholder) {
    const room = element("div.picker-room");
    const chips = (this.chips[kind] = element("ul.chips", { "aria-label": `Chosen ${kind}` }));
    const picker = new Picker(room, {
      kind,
      label: `Only these ${kind}`,
      placeholder,
      onpick: (item) => {
        if (item === null) return;
        picker.show(null);
        if (!this.value[kind].includes(item.name)) this.#changed({ [kind]: [...this.value[kind], item.name] });
      },
    });
    return element("section.filter", {}, element("h3", {}, title), room, chips);
  }

  #showChips(kind) {
    const chips = this.value[kind].map((name) => element("li", {}, element(
      "button.chip",
      {
        type: "button",
        "aria-label": `Remove ${name}`,
        onclick: () => this.#drop(kind, name),
      },
      name,
      element("span", { "aria-hidden": "true" }, "×"),
    )));
    this.chips[kind].replaceChildren(...chips);
  }

  #drop(kind, name) {
    this.#changed({ [kind]: this.value[kind].filter((one) => one !== name) });
    const room = this.chips[kind];
    (room.querySelector("button") ?? room.parentElement.querySelector("input")).focus();
  }

  #choices(kind, title, names) {
    if (names.length < 2) return null;
    if (names.length > MOST_BOXES) return this.#many(kind, title, names);
    const boxes = names.map((name) => element(
      "label.check",
      {},
      element("input", { type: "checkbox", value: name, onchange: () => this.#checked(kind) }),
      name,
    ));
    this.rooms[kind] = element("div.checks", {}, boxes);
    return element("fieldset.filter", {}, element("legend", {}, title), this.rooms[kind]);
  }

  /** More than can be read at a glance are typed, with the browser's own list of them. */
  #many(kind, title, names) {
    const list = element("datalist", { id: `all-${kind}` }, names.map((name) => element("option", { value: name })));
    const take = () => {
      const name = input.value;
      if (!names.includes(name)) return;
      input.value = "";
      if (!this.value[kind].includes(name)) this.#changed({ [kind]: [...this.value[kind], name] });
    };
    const input = element("input", {
      type: "text",
      list: list.id,
      placeholder: "begin to type",
      "aria-label": `Only these ${kind}`,
      oninput: take,
    });
    this.chips[kind] = element("ul.chips", { "aria-label": `Chosen ${kind}` });
    return element("section.filter", {}, element("h3", {}, title), input, list, this.chips[kind]);
  }

  #checked(kind) {
    const boxes = [...this.rooms[kind].querySelectorAll("input:checked")];
    this.#changed({ [kind]: boxes.map((box) => box.value) });
  }

  #traits(names) {
    if (names.length === 0) return null;
    const [low, high] = this.range;
    const rows = names.map((name) => {
      const end = (side, value) => element("input", {
        type: "number",
        min: low,
        max: high,
        step: 0.5,
        value,
        "aria-label": `${name}, ${side}`,
        onchange: () => this.#ranged(name, row),
      });
      const row = element("div.range", { "data-trait": name }, element("span", {}, name), end("from", low), "to", end("up to", high));
      return row;
    });
    this.rooms.traits = element("div.ranges", {}, rows);
    return element("fieldset.filter.wide", {}, element("legend", {}, "Traits"), this.rooms.traits);
  }

  #ranged(name, row) {
    const [low, high] = [...row.querySelectorAll("input")].map((input, side) => {
      const value = input.valueAsNumber;
      return Number.isFinite(value) ? value : this.range[side];
    });
    const { [name]: _, ...rest } = this.value.traits;
    const isAll = low <= this.range[0] && high >= this.range[1];
    this.#changed({ traits: isAll ? rest : { ...rest, [name]: [low, high] } });
  }
}

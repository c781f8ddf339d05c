/** A field with a list below it, whose entries the server finds by a part of their names. */

import { attempt, get, thumbnail } from "./api.js";
import { debounced, element } from "./dom.js";
import { plural } from "./words.js";

const SHOWN = 20;
let made = 0;

/** Return the first items of a store whose names hold some words, exact ones first. */
export async function named(kind, words, signal = null, limit = SHOWN) {
  const found = await get(`/v1/${kind}?like=${encodeURIComponent(words)}&limit=${limit}`, signal);
  return found[kind];
}

export class Picker {
  /**
   * `kind` is images or participants; `onpick` is told an item, or null when the field is
   * emptied.
   */
  constructor(room, { kind, label, placeholder, onpick, id = `picker-${(made += 1)}` }) {
    Object.assign(this, { kind, onpick });
    this.items = [];
    this.active = -1;
    this.chosen = "";
    this.request = null;
    this.list = element("ul.options", { id: `${id}-list`, role: "listbox", "aria-label": label, hidden: true });
    this.input = element("input", {
      id,
      type: "text",
      role: "combobox",
      maxlength: 200,
      placeholder,
      "aria-label": label,
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.list.id,
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.#typed(),
      onfocus: () => this.#opened(),
      onblur: () => this.#left(),
      onkeydown: (event) => this.#key(event),
    });
    this.clear = element(
      "button.empty",
      { type: "button", "aria-label": `${label}: none`, hidden: true, onclick: () => this.#emptied() },
      "×",
    );
    this.find = debounced(() => this.#find(), 120);
    room.classList.add("picker");
    room.append(this.input, this.clear, this.list);
  }

  /** Show what is chosen, without telling anybody. */
  show(name) {
    this.chosen = name ?? "";
    this.input.value = this.chosen;
    this.clear.hidden = this.chosen === "";
  }

  #typed() {
    this.find();
    if (this.input.value === "") this.#pick(null);
  }

  #opened() {
    this.input.select();
    this.find();
  }

  #left() {
    this.request?.abort();
    this.#close();
    this.input.value = this.chosen;
  }

  #emptied() {
    this.#pick(null);
    this.input.focus();
  }

  async #find() {
    if (document.activeElement !== this.input) return;
    this.request?.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    const words = this.input.value === this.chosen ? "" : this.input.value;
    await attempt("pick", async () => {
      const items = await named(this.kind, words, signal);
      if (signal.aborted || document.activeElement !== this.input) return;
      this.items = items;
      this.#open();
    });
  }

  #open() {
    this.active = -1;
    const options = this.items.map((item, place) => element(
      "li",
      {
        id: `${this.list.id}-${place}`,
        role: "option",
        "aria-selected": "false",
        onpointerdown: (event) => event.preventDefault(),
        onclick: () => this.#pick(item),
      },
      this.kind === "images" ? element("img", { src: thumbnail(item.number), alt: "", loading: "lazy" }) : null,
      element("span", {}, item.name),
      element("span.soft", {}, plural(item.samples, "sample")),
    ));
    if (options.length === 0) options.push(element("li.soft", { role: "option", "aria-disabled": "true" }, "None is called so"));
    this.list.replaceChildren(...options);
    this.list.hidden = false;
    this.list.scrollTop = 0;
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
  }

  #close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #pick(item) {
    this.show(item?.name);
    this.#close();
    this.onpick(item);
  }

  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && !event.altKey) {
      event.preventDefault();
      if (this.list.hidden) this.#find();
      else this.#move(steps[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const place = this.active >= 0 ? this.active : this.#exact();
      if (!this.list.hidden && place >= 0) this.#pick(this.items[place]);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.#close();
    }
  }

  /** Without a marked entry, Enter takes the one that is typed in full, or the only one. */
  #exact() {
    if (this.items.length === 1) return 0;
    return this.items.findIndex((item) => item.name === this.input.value);
  }

  #move(step) {
    const count = this.items.length;
    if (count === 0) return;
    this.active = this.active < 0 && step < 0 ? count - 1 : (this.active + step + count) % count;
    [...this.list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === this.active));
    });
    const option = this.list.children[this.active];
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }
}

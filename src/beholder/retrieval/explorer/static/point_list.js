/** Samples of the map as a table: those that were chosen, or else those in view. */

import { BASE, button, element } from "./dom.js";
import { csv, save } from "./csv.js";
import { counted, percent, plural } from "./words.js";

const ROWS = 20;
const NAMES = ["sample", "participant", "image", "split", "error"];

export class PointList {
  /** `onopen` is told a row, `onforget` that nothing is to be chosen any longer. */
  constructor(room, { onopen, onforget }) {
    Object.assign(this, { room, onopen, onforget });
    this.page = 0;
  }

  show(cloud, rows, isChosen) {
    const isOther = this.cloud !== cloud || this.isChosen !== isChosen || this.rows?.length !== rows.length;
    Object.assign(this, { cloud, rows, isChosen });
    if (isOther || isChosen) this.page = 0;
    this.#draw();
  }

  #draw() {
    const { rows, isChosen } = this;
    const pages = Math.max(1, Math.ceil(rows.length / ROWS));
    this.page = Math.min(Math.max(this.page, 0), pages - 1);
    const from = this.page * ROWS;
    const title = isChosen ? `${plural(rows.length, "sample")} chosen` : `${plural(rows.length, "sample")} in view`;
    const export_ = button("Export as CSV", () => save("samples.csv", this.text()), "button", { disabled: rows.length === 0 });
    const tools = element("div.list-tools", {}, export_, isChosen ? button("Forget the choice", this.onforget) : null);
    const head = element("tr", {}, NAMES.map((name) => element("th", { scope: "col" }, name)));
    const body = rows.slice(from, from + ROWS).map((row) => this.#row(row));
    this.room.replaceChildren(
      element("header", {}, element("h2", { id: "list-title", role: "status" }, title), tools),
      rows.length > 0
        ? element("div.scroll", {}, element("table", { "aria-labelledby": "list-title" }, element("thead", {}, head), element("tbody", {}, body)))
        : element("p.soft", {}, "None."),
      pages > 1 ? this.#pager(pages) : "",
    );
  }

  #row(row) {
    const { cloud } = this;
    const number = cloud.data.samples[row];
    const link = (kind, key, name) => element("a", { href: `${BASE}/${kind}/${key}` }, name);
    const participant = cloud.participant(row);
    const error = cloud.error(row);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, button(counted(number), () => this.onopen(row), "link", { "aria-label": `Show sample ${number}` })),
      element("td", {}, participant === null ? "nobody named" : link("people", cloud.data.participant[row], participant)),
      element("td", {}, link("images", cloud.data.image[row], cloud.image(row))),
      element("td", {}, cloud.part(row)),
      element("td", {}, error === null ? "not known" : percent(error)),
    );
  }

  #pager(pages) {
    const turn = (step) => {
      this.page += step;
      this.#draw();
      this.room.querySelectorAll(".pager button")[step > 0 ? 1 : 0].focus();
    };
    return element(
      "nav.pager",
      { "aria-label": "Pages of the list" },
      button("Previous", () => turn(-1), "button", { disabled: this.page === 0 }),
      element("span", {}, `Page ${counted(this.page + 1)} of ${counted(pages)}`),
      button("Next", () => turn(1), "button", { disabled: this.page === pages - 1 }),
    );
  }

  /** The listed samples as CSV. */
  text() {
    const { cloud } = this;
    const rows = this.rows.map((row) => [
      cloud.data.samples[row],
      cloud.participant(row),
      cloud.image(row),
      cloud.part(row),
      cloud.error(row) === null ? null : Number(cloud.error(row).toFixed(4)),
      Number(cloud.places[2 * row].toFixed(5)),
      Number(cloud.places[2 * row + 1].toFixed(5)),
    ]);
    return csv([[...NAMES, "x", "y"], ...rows]);
  }
}

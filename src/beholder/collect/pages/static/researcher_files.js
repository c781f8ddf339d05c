/** What leaves the page: exports, the list for the platform, and the log. */

import { button, element } from "./dom.js";
import { save } from "./researcher_api.js";
import { judged } from "./researcher_people.js";
import { moment, money, size } from "./researcher_words.js";

const byId = (id) => document.getElementById(id);

export class Files {
  constructor(api, attempt) {
    this.api = api;
    this.attempt = attempt;
    listen("prepare", attempt, () => this.#prepare());
    listen("pay", attempt, () => this.#pay());
  }

  async refresh() {
    const ready = await this.api.get("exports");
    byId("ready").replaceChildren(...ready.map((each) => this.#export(each)));
    const audit = await this.api.get("audit");
    byId("audit").replaceChildren(...audit.map(logRow));
  }

  async #prepare() {
    const send = byId("prepare").querySelector("button");
    send.disabled = true;
    send.textContent = "Preparing…";
    try {
      await this.api.act("exports", {
        only_approved: byId("only-approved").checked,
        include_flagged: !byId("without-flagged").checked,
      });
      await this.refresh();
    } finally {
      send.disabled = false;
      send.textContent = "Prepare an export";
    }
  }

  #export(each) {
    const download = async () => save(await this.api.blob(`exports/${each.name}`), each.name);
    const remove = async () => {
      await this.api.act(`exports/${each.name}/removal`);
      await this.refresh();
    };
    return element(
      "li",
      {},
      `${each.name}, ${size(each.bytes)}, ${moment(each.made_ms)} `,
      button("Download", () => this.attempt(download), "plain"),
      button("Remove", () => this.attempt(remove), "plain"),
    );
  }

  async #pay() {
    const workers = byId("workers").value.split("\n").map((line) => line.trim());
    const asked = { platform: byId("platform").value, workers: workers.filter(Boolean) };
    const lines = await this.api.post("bonuses", asked);
    const unknown = lines.filter((line) => line.outcome === null).length;
    const names = ["id", "outcome", "decision", "bonus", "reason"];
    const rows = lines.map((line) => [
      line.worker,
      line.outcome ?? "unknown here",
      judged(line.decision),
      money(line.bonus_cents),
      line.reason ?? "",
    ]);
    const csv = [names, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
    const body = rows.map((row) => element("tr", {}, row.map((each) => element("td", {}, each))));
    const head = element("tr", {}, names.map((name) => element("th", { scope: "col" }, name)));
    const file = () => save(new Blob([csv], { type: "text/csv" }), "bonuses.csv");
    byId("paid").replaceChildren(
      element("p", { role: "status" }, `${lines.length} lines, ${unknown} of them unknown here. `, button("Download as CSV", file, "plain")),
      element(
        "div.scroll",
        { tabindex: 0, role: "region", "aria-label": "Bonus list" },
        element("table", {}, element("thead", {}, head), element("tbody", {}, body)),
      ),
    );
  }
}

function listen(id, attempt, act) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(act);
  });
}

function logRow(entry) {
  const details = Object.keys(entry.details).length ? ` ${JSON.stringify(entry.details)}` : "";
  const cells = [entry.actor, entry.action, `${entry.subject ?? ""}${details}`];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, moment(entry.made_ms)),
    cells.map((each) => element("td", {}, each)),
  );
}

/** Quote a CSV cell; what a spreadsheet would run as a formula gets an apostrophe. */
function cell(value) {
  const text = /^[=+\-@\t\r']/.test(value) && value !== "–" ? `'${value}` : value;
  return `"${text.replaceAll('"', '""')}"`;
}

/** Requests with the researcher's token, which is kept for this tab alone and is in no address. */

const KEY = "beholder-researcher-token";
const NAME = "beholder-researcher-name";
const ROOT = "../api/researcher/";

/** The token is missing or wrong. */
export class NoAccess extends Error {}

export class ResearcherApi {
  constructor(storage = sessionStorage) {
    this.storage = storage;
  }

  get hasToken() {
    return this.storage.getItem(KEY) !== null;
  }

  remember(token, name) {
    this.storage.setItem(KEY, token.trim());
    this.storage.setItem(NAME, name.trim() || "researcher");
  }

  forget() {
    this.storage.removeItem(KEY);
  }

  async get(path) {
    return (await this.#fetch("GET", path)).json();
  }

  async blob(path) {
    return (await this.#fetch("GET", path)).blob();
  }

  /** Post an act; it says who does it. */
  async act(path, body = {}) {
    return this.post(path, { ...body, by: this.storage.getItem(NAME) ?? "researcher" });
  }

  async post(path, body) {
    return (await this.#fetch("POST", path, body)).json();
  }

  async #fetch(method, path, body) {
    const headers = { Authorization: `Bearer ${this.storage.getItem(KEY) ?? ""}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(ROOT + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
    });
    if (response.ok) return response;
    const answer = await response.json().catch(() => ({}));
    const message = answer.error?.message ?? `The server answered ${response.status}.`;
    if (response.status === 401) throw new NoAccess(message);
    throw new Error(message);
  }
}

/** Let the browser save a blob as a file. */
export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

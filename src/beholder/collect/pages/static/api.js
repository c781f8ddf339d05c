/** Requests to the study's server, and the two ways in which one can fail. */

const PATIENCE_MS = 30_000;

/** The server's answer is no, and asking again would not change it. */
export class Refusal extends Error {
  constructor(status, error = {}) {
    super(error.message ?? `status ${status}`);
    this.status = status;
    this.code = error.code ?? "";
  }
}

/** No answer, or one that says to come back later. */
export class Unreachable extends Error {}

export class Api {
  constructor() {
    this.token = null; // for frames in which the browser withholds cookies
    this.clockOffset = null;
  }

  async get(address) {
    return (await this.#fetch("GET", address)).json();
  }

  async getBlob(address) {
    return (await this.#fetch("GET", address)).blob();
  }

  async post(address, body) {
    const sent = Date.now();
    const answer = await (await this.#fetch("POST", address, body)).json();
    if (typeof answer.token === "string") this.token = answer.token;
    const serverTime = (answer.state ?? answer).server_time_ms;
    if (serverTime !== undefined) this.clockOffset = serverTime - (sent + Date.now()) / 2;
    return answer;
  }

  async #fetch(method, address, body) {
    const headers = { Accept: "application/json, image/*" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.token !== null) headers["X-Beholder-Session"] = this.token;
    let response;
    try {
      response = await fetch(address, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (response.ok) return new Answer(response);
    } catch (error) {
      throw new Unreachable(error.message);
    }
    const error = (await response.json().catch(() => ({}))).error;
    const isLater = response.status >= 500 || response.status === 429 || response.status === 408;
    if (isLater && error?.code !== "paused") throw new Unreachable(`status ${response.status}`);
    throw new Refusal(response.status, error);
  }
}

/** A response whose body may still break off, which counts as no answer. */
class Answer {
  constructor(response) {
    this.response = response;
  }

  json() {
    return this.response.json().catch(cutOff);
  }

  blob() {
    return this.response.blob().catch(cutOff);
  }
}

function cutOff(error) {
  throw new Unreachable(error.message);
}

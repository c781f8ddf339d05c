/** Requests to the server, and what is shown when one fails. */

import { BASE, byId } from "./dom.js";

const PATIENCE_MS = 60_000;

/** The server said no, or nothing. */
export class Trouble extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

export function get(path, signal = null) {
  return request(path, { method: "GET" }, signal);
}

export function post(path, body, signal = null) {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body) }, signal);
}

/** Return an image's address; `number` is the store's. */
export function thumbnail(number) {
  return `${BASE}/v1/images/${number}/thumbnail`;
}

/**
 * Run what may fail and say in one place what went wrong, until the same kind of thing goes
 * well. What was given up by ourselves is no failure. Returns whether all went well.
 */
export async function attempt(kind, act) {
  const trouble = byId("trouble");
  try {
    await act();
  } catch (error) {
    if (error.name === "AbortError") return false;
    trouble.textContent = error.message;
    trouble.dataset.kind = kind;
    trouble.hidden = false;
    return false;
  }
  if (trouble.dataset.kind === kind) trouble.hidden = true;
  return true;
}

async function request(path, options, given) {
  const late = AbortSignal.timeout(PATIENCE_MS);
  const signal = given === null ? late : AbortSignal.any([given, late]);
  let response;
  try {
    response = await fetch(BASE + path, { ...options, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("The server cannot be reached.");
  }
  if (response.status === 401) {
    location.assign(`${BASE}/enter?to=${encodeURIComponent(location.pathname)}`);
    throw new Trouble("This page needs the server's token.", 401);
  }
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (response.ok && response.status !== 202) return body;
  const said = body.error?.message ?? `The server answered with status ${response.status}.`;
  throw new Trouble(said, response.status);
}

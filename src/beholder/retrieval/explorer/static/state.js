/**
 * What is asked, as the part of the address behind #. That part stays in the browser: what
 * somebody types never reaches the server's log of addresses.
 */

import { FINDS } from "./words.js";

const MILLE = 1000; // places are written in thousandths of the image
const LISTS = { participants: "participant", images: "in", tasks: "task", parts: "split" };
const MODALITIES = ["gaze", "text", "personality"];

/** What nobody has asked yet. `image` is a name; `gaze` holds places, fractions of the image. */
export function nothing() {
  return {
    image: null,
    gaze: [],
    text: "",
    survey: null,
    weights: {},
    find: "text",
    as: null,
    and: null,
    participants: [],
    images: [],
    tasks: [],
    parts: [],
    traits: {},
    page: 1,
    why: null,
  };
}

/** What a query may give: only a modality that is here is asked with. */
export function asked(state) {
  const given = {
    gaze: state.image !== null && state.gaze.length > 0,
    text: state.text.trim() !== "",
    personality: state.survey !== null,
  };
  return MODALITIES.filter((modality) => given[modality]);
}

export function write(state) {
  const values = new URLSearchParams();
  const set = (name, value) => value && values.set(name, value);
  set("image", state.image);
  set("gaze", state.gaze.map(({ x, y }) => `${mille(x)}.${mille(y)}`).join("_"));
  set("text", state.text);
  set("survey", state.survey?.join("."));
  for (const [modality, weight] of Object.entries(state.weights)) {
    if (weight !== 1) values.set(`weight-${modality}`, weight);
  }
  set("find", state.find === "text" ? null : state.find);
  set("as", state.as);
  set("and", state.and);
  for (const [key, name] of Object.entries(LISTS)) {
    for (const value of state[key]) values.append(name, value);
  }
  for (const [trait, [low, high]] of Object.entries(state.traits)) {
    values.append("trait", `${low}_${high}_${trait}`);
  }
  set("page", state.page === 1 ? null : state.page);
  set("why", state.why);
  return values.toString();
}

/** Read what `write` wrote; what cannot be understood is left out. */
export function read(fragment) {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = nothing();
  state.image = values.get("image");
  const places = (values.get("gaze") ?? "").split("_").map((place) => place.split(".").map(Number));
  state.gaze = places
    .filter((place) => place.length === 2 && place.every((value) => value >= 0 && value <= MILLE))
    .map(([x, y]) => ({ x: x / MILLE, y: y / MILLE }));
  state.text = values.get("text") ?? "";
  const survey = (values.get("survey") ?? "").split(".").map((answer) => Number.parseInt(answer));
  if (survey.every(Number.isInteger)) state.survey = survey;
  for (const modality of MODALITIES) {
    const weight = Number(values.get(`weight-${modality}`) ?? 1);
    if (weight > 0 && Number.isFinite(weight) && weight !== 1) state.weights[modality] = weight;
  }
  state.find = values.get("find") in FINDS ? values.get("find") : "text";
  state.as = values.get("as");
  state.and = state.as === null ? null : values.get("and");
  for (const [key, name] of Object.entries(LISTS)) state[key] = values.getAll(name);
  for (const text of values.getAll("trait")) {
    const [low, high, ...trait] = text.split("_");
    const range = [Number(low), Number(high)];
    if (range.every(Number.isFinite) && trait.length > 0) state.traits[trait.join("_")] = range;
  }
  state.page = whole(values.get("page")) ?? 1;
  state.why = values.get("why");
  return state;
}

/** The body of a search as the server takes it, seen as `person`; see the interface. */
export function body(state, person, top) {
  const modalities = asked(state);
  const weights = Object.entries(state.weights).filter(([name]) => modalities.includes(name));
  const query = {
    find: state.find,
    weights: Object.fromEntries(weights),
    as: person,
    top,
    offset: (state.page - 1) * top,
    filters: {
      participants: state.participants,
      images: state.images,
      tasks: state.tasks,
      parts: state.parts,
      traits: Object.entries(state.traits).map(([trait, [low, high]]) => ({ trait, low, high })),
    },
  };
  if (modalities.includes("gaze")) {
    query.gaze = { x: state.gaze.map(({ x }) => x), y: state.gaze.map(({ y }) => y) };
    query.image = state.image;
  }
  if (modalities.includes("text")) query.text = state.text.trim();
  if (modalities.includes("personality")) query.personality = state.survey;
  return query;
}

function mille(fraction) {
  return Math.round(fraction * MILLE);
}

function whole(text) {
  const number = Number(text ?? Number.NaN);
  return Number.isInteger(number) && number > 0 ? number : null;
}

/** How times, shares and signals are said. */

const SIGNALS = {
  missed_validation: ["validation missed", "validation images whose areas were not clicked", "count"],
  few_clicks: ["few clicks", "trials with no more clicks than the least allowed", "share"],
  regular_grid: ["grid", "trials clicked in equal strides", "share"],
  regular_intervals: ["even rhythm", "trials clicked in a machine's rhythm", "share"],
  repeated_positions: ["same places", "clicks where another image was clicked too", "share"],
  zero_latency: ["no latency", "clicks sooner than a hand can click", "share"],
  pasted_captions: ["pasted", "texts from the clipboard, or without any key", "count"],
  copied_captions: ["copied", "texts like an earlier one of somebody else", "count"],
  repeated_captions: ["repeated text", "texts that repeat an earlier one of the same person", "share"],
  tab_switches: ["elsewhere", "of the time the page was hidden or without focus", "share"],
  fast_trials: ["too fast", "trials faster than their clicks and characters need", "share"],
  fast_survey: ["survey too fast", "per survey item, on average", "ms"],
  straight_lined: ["straight line", "survey items with one and the same answer", "share"],
  self_contradicting: ["contradiction", "traits whose opposite items were both agreed or both denied", "share"],
  agreement: ["agreement", "of other images' maps fit the viewing less than its own image's (chance: 50 %)", "share"],
};

export function signalName(name) {
  return SIGNALS[name]?.[0] ?? name.replaceAll("_", " ");
}

/** Say a signal's value in words, such as "40 % trials clicked in equal strides". */
export function signalValue(signal) {
  const [, meaning, unit] = SIGNALS[signal.name] ?? ["", "", "number"];
  return `${measured(signal.value, unit)} ${meaning}`.trim();
}

function measured(value, unit) {
  if (value === null) return "";
  if (unit === "share") return `${Math.round(100 * value)} %`;
  if (unit === "ms") return `${Math.round(value)} ms`;
  return String(Number(value.toFixed(3)));
}

/** Say facts as "clicks 5, limit 50"; lists and texts of ids are left to whoever links them. */
export function facts(evidence) {
  const plain = Object.entries(evidence).filter(([key, value]) => {
    const isId = key === "trial" || key === "number" || key.startsWith("of_");
    const isEmpty = value !== null && typeof value === "object" && Object.keys(value).length === 0;
    return !isId && !isEmpty && !Array.isArray(value);
  });
  return plain.map(([key, value]) => `${key.replaceAll("_", " ")} ${said(value)}`).join(", ");
}

function said(value) {
  if (value === null || typeof value !== "object") return String(value);
  return Object.entries(value).map(([key, inner]) => `${key} ${said(inner)}`).join(", ");
}

export function moment(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "–";
  return new Date(milliseconds).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
}

export function seconds(value) {
  return value === null ? "–" : `${value.toFixed(1)} s`;
}

export function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}

export function money(cents) {
  return cents === null || cents === undefined ? "–" : (cents / 100).toFixed(2);
}

export function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

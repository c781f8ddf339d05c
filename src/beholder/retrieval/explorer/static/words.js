/** Numbers and lists as they are written in sentences. */

export const FINDS = {
  text: "texts",
  gaze: "gazes",
  personality: "surveys",
  participants: "people",
  images: "images",
};

export function counted(number) {
  return number.toLocaleString("en", { maximumFractionDigits: 1 });
}

export function plural(number, one, many = `${one}s`) {
  return `${counted(number)} ${number === 1 ? one : many}`;
}

/** A fraction of the image, such as 41 %. */
export function percent(fraction) {
  return `${Math.round(fraction * 100)} %`;
}

/** A score or a part of one, with a true minus sign. */
export function score(value, digits = 2) {
  return value.toFixed(digits).replace("-", "−");
}

/** A difference, always with its sign. */
export function signed(value, digits = 3) {
  const text = score(value, digits);
  return value > 0 ? `+${text}` : text;
}

/** Names in a row, such as "a, b and c". */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Elements made by name: every text is added as text, never read as markup. */

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** What stands before every address, where the server lies under a prefix. */
export const BASE = document.documentElement.dataset.base;

/** Make `tag.class.class` with attributes (`onclick` and the like listen) and children. */
export function element(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return filled(document.createElement(tag), classes, attributes, children);
}

/** The same for a drawing. */
export function shape(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return filled(document.createElementNS(SVG, tag), classes, attributes, children);
}

export function button(label, action, kind = "button", attributes = {}) {
  return element(`button.${kind}`, { type: "button", onclick: action, ...attributes }, label);
}

/** Wait until calls pause for so long, and then make the last one. */
export function debounced(act, milliseconds) {
  let waiting = null;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => act(...given), milliseconds);
  };
}

function filled(made, classes, attributes, children) {
  if (classes.length > 0) made.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Elements made by name: every text is added as text, never read as markup. */

/** Make `tag.class.class` with attributes (`onclick` and the like listen) and children. */
export function element(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length > 0) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Split a text at its blank lines into paragraphs. */
export function paragraphs(text) {
  const parts = (text ?? "").split(/\n\s*\n/).map((part) => part.trim());
  return parts.filter((part) => part !== "").map((part) => element("p.prose", {}, part));
}

export function button(label, action, kind = "main") {
  return element(`button.${kind}`, { type: "button", onclick: action }, label);
}

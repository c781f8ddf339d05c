/** The page's texts in one language. */

export class Messages {
  constructor(language, texts) {
    this.language = language;
    this.texts = texts;
    this.plurals = new Intl.PluralRules(language);
    this.numbers = new Intl.NumberFormat(language);
  }

  /** Return the text of a key, its {places} filled; `count` chooses key.one or key.other. */
  text(key, values = {}) {
    const plural = "count" in values ? `${key}.${this.plurals.select(values.count)}` : key;
    const text = this.texts[plural] ?? this.texts[`${key}.other`] ?? this.texts[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (place, name) => {
      const value = values[name];
      if (value === undefined) return place;
      return typeof value === "number" ? this.numbers.format(value) : value;
    });
  }
}

/** Return how a language calls itself. */
export function nameOfLanguage(code) {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}

/** Choose, among the study's languages, the one that the address or else the browser asks for. */
export function wantedLanguage(languages, asked, preferred) {
  if (languages.includes(asked)) return asked;
  for (const language of preferred) {
    const base = language.split("-")[0];
    const found = languages.find((offered) => offered === language || offered === base);
    if (found !== undefined) return found;
  }
  return null;
}

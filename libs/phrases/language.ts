/** The bare code of a language, however an engine writes it (`en`, `en-US`, `<|en|>`); null when there is none. */
export function languageCode(language: string | null): string | null {
  return /[a-z]{2,8}/i.exec(language ?? '')?.[0].toLowerCase() ?? null;
}

/** Whether two codes name one language, whatever the country. */
export function sameLanguage(one: string, other: string): boolean {
  return languageCode(one) === languageCode(other);
}

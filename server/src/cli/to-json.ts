/** Formats JSON on one line or indented. Escapes U+0080 to U+009F, which control a terminal. */
export function toJson(value: unknown, isIndented = false): string {
  return JSON.stringify(value, null, isIndented ? 2 : undefined).replaceAll(
    /[\x7f-\x9f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

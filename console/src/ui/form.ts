/** A rule of react-hook-form: the field must not be blank. */
export const needed = (message: string) => ({
  validate: (value: unknown) =>
    (typeof value === "string" ? value.trim() !== "" : Boolean(value)) || message,
});

/** Entries of a text field, one per line or separated by commas. */
export function toLines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

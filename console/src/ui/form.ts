import { exampleDay, parseDay } from "./format.ts";

/** A rule of react-hook-form: the field must not be blank. */
export const needed = (message: string) => ({
  validate: (value: unknown) =>
    (typeof value === "string" ? value.trim() !== "" : Boolean(value)) || message,
});

/** Rule of react-hook-form for a day that a person writes. `missing`: the message for an empty field. */
export const neededDay = (missing: string) => ({
  validate: (text: string) =>
    text.trim() === "" ? missing : parseDay(text) !== null || describeDayFormats(),
});

/** Like `neededDay`, and the field can be empty. */
export const optionalDay = () => ({
  validate: (text: string) => text.trim() === "" || parseDay(text) !== null || describeDayFormats(),
});

/** Message for a text that is no day. */
export function describeDayFormats(): string {
  const example = exampleDay();
  const iso = "2026-11-27";
  return example === iso
    ? `Write a day such as ${iso}.`
    : `Write a day such as ${example} or ${iso}.`;
}

/** Entries of a text field, one per line or separated by commas. */
export function toLines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

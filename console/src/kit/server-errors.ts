import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError } from "../api-client.ts";

/**
 * Puts a refusal of the server under the fields it names ("name: expected at least 1 character.") and gives what belongs
 * to none of them, for above the buttons.
 */
export function showServerErrors<Values extends FieldValues>(
  form: UseFormReturn<Values>,
  error: Error,
  /** The wire's name of each field, where it differs from the form's. */
  names: Partial<Record<string, Path<Values>>> = {},
): Error | null {
  if (!(error instanceof ApiError) || error.status !== 400) return error;
  const parts = error.message
    .split(/(?:^|(?<=\.) )(?=[a-z][\w.]*: )/)
    .filter((part) => part !== "");
  let isPlaced = false;
  const fields = Object.keys(form.getValues());
  for (const part of parts) {
    const [, wireName = "", text = ""] = /^([a-z][\w.]*): (.*)$/s.exec(part) ?? [];
    const field = names[wireName] ?? fields.find((name) => name === wireName);
    if (field === undefined) return error;
    form.setError(field as Path<Values>, { message: capitalise(text) }, { shouldFocus: !isPlaced });
    isPlaced = true;
  }
  return isPlaced ? null : error;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError } from "../api-client.ts";

interface Placed<Values extends FieldValues> {
  names: Path<Values>[];
  rest: Error | null;
}

/**
 * Puts a refusal of the server under the fields it names ("name: expected at least 1 character.") and returns their
 * names. `rest` is the refusal where it belongs to none of them.
 */
export function showServerErrors<Values extends FieldValues>(
  form: UseFormReturn<Values>,
  error: Error,
  /** The wire's name of each field, where it differs from the form's. */
  names: Partial<Record<string, Path<Values>>> = {},
): Placed<Values> {
  const nothing: Placed<Values> = { names: [], rest: error };
  if (!(error instanceof ApiError) || error.status !== 400) return nothing;
  const parts = error.message
    .split(/(?:^|(?<=\.) )(?=[a-z][\w.]*: )/)
    .filter((part) => part !== "");
  const placed: Path<Values>[] = [];
  const fields = Object.keys(form.getValues());
  for (const part of parts) {
    const [, wireName = "", text = ""] = /^([a-z][\w.]*): (.*)$/s.exec(part) ?? [];
    const field = names[wireName] ?? fields.find((name) => name === wireName);
    if (field === undefined) return nothing;
    const isFirst = placed.length === 0;
    form.setError(field as Path<Values>, { message: capitalise(text) }, { shouldFocus: isFirst });
    placed.push(field as Path<Values>);
  }
  return placed.length > 0 ? { names: placed, rest: null } : nothing;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

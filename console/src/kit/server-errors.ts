import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError } from "../api-client.ts";

interface Placed<Values extends FieldValues> {
  names: Path<Values>[];
  rest: Error | null;
}

/**
 * Shows the errors of a refusal under their fields, and returns the names of these fields. `rest` is the refusal if the
 * form lacks one of the fields.
 */
export function showServerErrors<Values extends FieldValues>(
  form: UseFormReturn<Values>,
  error: Error,
  /** Form fields by their path in the API, if the names differ. */
  fieldNames: Partial<Record<string, Path<Values>>> = {},
): Placed<Values> {
  const known = Object.keys(form.getValues());
  const names: Path<Values>[] = [];
  for (const { path, message } of error instanceof ApiError ? error.fields : []) {
    const name = findField(path, known, fieldNames);
    if (name === undefined) return { names, rest: error };
    form.setError(
      name as Path<Values>,
      { message: capitalise(message) },
      { shouldFocus: names.length === 0 },
    );
    names.push(name as Path<Values>);
  }
  return { names, rest: names.length > 0 ? null : error };
}

/** Returns the field of a path, or of a list or object that contains it: `allowed_models.0`. */
function findField(
  path: string,
  known: readonly string[],
  fieldNames: Partial<Record<string, string>>,
): string | undefined {
  for (let part = path; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf(".")))) {
    const name = fieldNames[part] ?? known.find((each) => each === part);
    if (name !== undefined) return name;
  }
  return undefined;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

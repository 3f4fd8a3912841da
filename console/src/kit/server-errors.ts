import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError } from "../api-client.ts";

interface Placed<Values extends FieldValues> {
  names: Path<Values>[];
  rest: Error | null;
}

/**
 * Places a refusal under the fields that it names, and returns their names. `rest` is the refusal where a field of it is
 * not in the form.
 */
export function showServerErrors<Values extends FieldValues>(
  form: UseFormReturn<Values>,
  error: Error,
  /** Fields of the form by their path on the wire, where the two differ. */
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

/** Field of a path, or of the list or object that the path leads into: `allowed_models.0`. */
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

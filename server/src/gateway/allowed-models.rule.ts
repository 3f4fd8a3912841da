import { findListedModel } from "#src/domain/price-book.ts";

// Models that a key may call. An entry is a name of a model, and includes its other names in the table. An entry can also
// be a prefix: `claude-haiku-*`.

/** True if an entry allows `model`, the name in the request. */
export function isModelAllowed(allowed: readonly string[], model: string): boolean {
  const names = namesOf(model);
  return allowed.some((entry) =>
    entry.endsWith("*")
      ? names.some((name) => name.startsWith(entry.slice(0, -1)))
      : names.includes(entry),
  );
}

const SNAPSHOT = /-(?:\d{8}|latest)$/;

/**
 * Names of this model. If the table has exactly this name, they are the names in the table. Otherwise they are the name
 * itself, and the name without its snapshot date. An entry with a date allows only that date.
 */
function namesOf(model: string): string[] {
  const listed = findListedModel(model);
  const exact = listed === null ? [] : [listed.id, ...listed.aliases];
  if (exact.includes(model)) return exact;
  return SNAPSHOT.test(model) ? [model, model.replace(SNAPSHOT, "")] : [model];
}

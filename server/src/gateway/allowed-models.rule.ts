import { findListedModel } from "#src/domain/price-book.ts";

// Which models a key may call. An entry is the name of a model, which stands for the model by any of its names in the
// table, or a beginning of names: `claude-haiku-*`.

/** True where one of the entries allows `model`, the name a request gives. */
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
 * Names that mean this model: those of the table where it has exactly this one, else itself and what it is a snapshot of.
 * Another snapshot of the same model is another model: an entry with a date allows that date only.
 */
function namesOf(model: string): string[] {
  const listed = findListedModel(model);
  const exact = listed === null ? [] : [listed.id, ...listed.aliases];
  if (exact.includes(model)) return exact;
  return SNAPSHOT.test(model) ? [model, model.replace(SNAPSHOT, "")] : [model];
}

import { findListedModel } from "./price-book.ts";
import { priceList } from "./price-list.ts";

// Models that a key may call. An entry is a name of a model, and includes its other names in the table. An entry can also
// be a prefix: `claude-haiku-*`. An empty list allows no model.

/** True if an entry allows `model`, the name in the request. */
export function isModelAllowed(allowed: readonly string[], model: string): boolean {
  const names = namesOf(model);
  return allowed.some((entry) =>
    isPrefix(entry)
      ? names.some((name) => name.startsWith(prefixOf(entry)))
      : names.includes(entry),
  );
}

/**
 * Entries for the models that both lists allow. The result allows no model that one list refuses. Models of the table
 * are allowed if both lists allow them.
 */
export function intersectModels(a: readonly string[], b: readonly string[]): string[] {
  const kept = [...new Set([...a, ...b])].filter((entry) => areWithin(entry, a, b));
  const listed = listedNames.filter((name) => areWithin(name, a, b) && !isModelAllowed(kept, name));
  const entries = [...kept, ...listed];
  return entries.filter(
    (entry, index) =>
      !entries.some((other, at) => other !== entry && isRedundant(entry, index, other, at)),
  );
}

/** The same for lists of which null allows all models. */
export function intersectModelLists(
  a: readonly string[] | null,
  b: readonly string[] | null,
): readonly string[] | null {
  return a === null || b === null ? (a ?? b) : intersectModels(a, b);
}

/**
 * Models of a member in several groups: those that one of the lists allows. Null lists restrict nothing and are left out.
 * Returns null without a list.
 */
export function joinModels(lists: readonly (readonly string[] | null)[]): string[] | null {
  const restricting = lists.filter((list) => list !== null);
  return restricting.length === 0 ? null : [...new Set(restricting.flat())];
}

/** True if `list` allows every model that `inner` allows. */
export function includesModels(list: readonly string[], inner: readonly string[]): boolean {
  return inner.every((entry) => isEntryWithin(entry, list));
}

const listedNames = priceList.flatMap(({ id, aliases }) => [...aliases, id]);

function areWithin(entry: string, a: readonly string[], b: readonly string[]): boolean {
  return isEntryWithin(entry, a) && isEntryWithin(entry, b);
}

/** True if the other entry includes this one. The first of two equal entries stays. */
function isRedundant(entry: string, index: number, other: string, at: number): boolean {
  return isEntryWithin(entry, [other]) && (!isEntryWithin(other, [entry]) || at < index);
}

/** True if the list allows every model that the entry allows: the model itself, and its later snapshots. */
function isEntryWithin(entry: string, list: readonly string[]): boolean {
  if (list.includes(entry)) return true;
  if (isPrefix(entry)) {
    return list.some((other) => isPrefix(other) && prefixOf(entry).startsWith(prefixOf(other)));
  }
  if (!isModelAllowed(list, entry)) return false;
  return (
    SNAPSHOT.test(entry) ||
    list.some((other) => isPrefix(other) && `${entry}-`.startsWith(prefixOf(other)))
  );
}

const isPrefix = (entry: string) => entry.endsWith("*");
const prefixOf = (entry: string) => entry.slice(0, -1);

const SNAPSHOT = /-(?:\d{8}|latest)$/;

/**
 * Names of this model. If the table has exactly this name, they are the names in the table. Otherwise they are the name
 * itself, and the name without its snapshot date. An entry with a date allows only that date.
 */
function namesOf(model: string): string[] {
  const listed = findListedModel(model);
  const exact = listed === null ? [] : [listed.id, ...listed.aliases];
  if (exact.includes(model)) return exact;
  const base = model.replace(SNAPSHOT, "");
  return base === model || SNAPSHOT.test(base) ? [model] : [model, base];
}

import type { ErrorDetails } from "@bursar/contract/error-body.ts";
import type { ErrorFacts } from "@bursar/contract/error-facts.ts";

/** Facts of a refusal that are stored. They come from limits, keys and names of fields, never from texts of the request. */
export interface RefusalFacts extends Partial<Pick<ErrorFacts, StoredFact>> {
  /** Names of the invalid fields. */
  fields?: string[];
}

const storedFacts = [
  "header",
  "allowed_models",
  "limit",
  "max_cost_usd",
  "queue",
  "awaited_node",
  "rate_limit",
  "unsupported",
] as const satisfies readonly (keyof ErrorFacts)[];
type StoredFact = (typeof storedFacts)[number];

const MAX_ENTRIES = 20;
const MAX_PATH_CHARS = 100;

/** Picks the facts to store, with bounded lists. Messages are left out. */
export function toRefusalFacts(details: ErrorDetails): RefusalFacts {
  const facts: Record<string, unknown> = {};
  for (const name of storedFacts) {
    const value = details[name];
    if (value !== undefined)
      facts[name] = Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : value;
  }
  if (details.fields !== undefined) {
    facts["fields"] = details.fields
      .slice(0, MAX_ENTRIES)
      .map(({ path }) => path.slice(0, MAX_PATH_CHARS));
  }
  return facts;
}

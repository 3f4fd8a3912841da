import { isModelAllowed } from "./allowed-models.ts";
import { priceList } from "./price-list.ts";

/**
 * Names of models that a person can choose, by the rule that refuses the others. Null: all models. A name that is not in the
 * table is included as it is. A prefix includes the served models of the table.
 */
export function listAvailableModels(allowed: readonly string[] | null): string[] | null {
  if (allowed === null) return null;
  const listed = priceList
    .filter(({ lifecycle }) => lifecycle === "active")
    .flatMap(({ id, aliases }) => [id, ...aliases])
    .filter((name) => isModelAllowed(allowed, name));
  return [...new Set([...listed, ...allowed.filter((entry) => !entry.endsWith("*"))])];
}

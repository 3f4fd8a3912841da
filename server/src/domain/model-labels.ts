import type { PriceBook } from "./price-book.ts";

const MAX_LABEL_CHARS = 64;
const OTHER_MODELS = "other";

/** Names under which models are reported: never more than the price table's own and `cap` others. */
export interface ModelLabels {
  /** `isUsed` is false for a request that used nothing, refused by the upstream for example. */
  labelOf(model: string, book: PriceBook, isUsed: boolean): string;
}

/**
 * A model of the price table is reported as itself. Any other is, too, until there are `cap` of those; from then on a
 * new name is reported as "other", because clients can make up names without end. For the same reason only a model that
 * answered takes one of the places: made-up names that were refused must not push a real new model out. `seen` are
 * labels given out before, by an earlier run for example; they count towards the cap.
 */
export function makeModelLabels(cap: number, seen: Iterable<string> = []): ModelLabels {
  const others = new Set<string>([...seen].slice(0, cap));
  return {
    labelOf(model, book, isUsed) {
      if (book.isListed(model)) return boundedModelName(model);
      const label = boundedModelName(model);
      if (others.has(label)) return label;
      if (!isUsed || others.size >= cap) return OTHER_MODELS;
      others.add(label);
      return label;
    },
  };
}

/** A model name that any table, log or label can take: at most 64 printable characters, "unknown" for an empty one. */
export function boundedModelName(model: string): string {
  const name = model.slice(0, MAX_LABEL_CHARS).replace(/[^A-Za-z0-9._:@/+-]/g, "_");
  return name === "" ? "unknown" : name;
}

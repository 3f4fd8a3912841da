import type { PriceBook } from "./price-book.ts";

const MAX_LABEL_CHARS = 64;
const OTHER_MODELS = "other";

/** Model names in reports: those of the price table and at most `cap` others. */
export interface ModelLabels {
  /** `isUsed`: false for a request without usage, such as one that the upstream refused. */
  labelOf(model: string, book: PriceBook, isUsed: boolean): string;
}

/**
 * Creates labels. A model of the price table has its own name. Up to `cap` other models do too, later ones are "other",
 * because clients can invent any number of names. Only a model with usage counts towards the cap, so that refused names
 * cannot displace a real new model. `seen` are labels of earlier runs, which count towards the cap.
 */
export function makeModelLabels(cap: number, seen: Iterable<string> = []): ModelLabels {
  const others = new Set<string>([...seen].slice(0, cap));
  return {
    labelOf(model, book, isUsed) {
      if (book.isListed(model)) return boundModelName(model);
      const label = boundModelName(model);
      if (others.has(label)) return label;
      if (!isUsed || others.size >= cap) return OTHER_MODELS;
      others.add(label);
      return label;
    },
  };
}

/** Limits a model name to 64 printable characters, for tables, logs and labels. An empty one becomes "unknown". */
export function boundModelName(model: string): string {
  const name = model.slice(0, MAX_LABEL_CHARS).replace(/[^A-Za-z0-9._:@/+-]/g, "_");
  return name === "" ? "unknown" : name;
}

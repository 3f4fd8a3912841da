import { type FeatureKind, type NeutralFeature, neutralFeatures } from "./neutral-features.ts";

/** Neutral features of an organization: the shipped rows and its own. Immutable. */
export interface FeatureBook {
  /** Finds the row of a feature. Null: the feature is not neutral. */
  find(kind: FeatureKind, name: string): NeutralFeature | null;
}

export function makeFeatureBook(own: readonly NeutralFeature[]): FeatureBook {
  const rows = new Map<string, NeutralFeature>();
  for (const row of [...own, ...neutralFeatures]) rows.set(keyOf(row.kind, row.name), row);
  return {
    find: (kind, name) =>
      rows.get(keyOf(kind, name)) ?? rows.get(keyOf(kind, withoutVersion(name))) ?? null,
  };
}

/** Shipped rows only. */
export const shippedFeatures = makeFeatureBook([]);

function keyOf(kind: FeatureKind, name: string): string {
  return `${kind} ${name}`;
}

/** `bash_20250124` becomes `bash_*`. */
function withoutVersion(name: string): string {
  return name.replace(/\d+$/, "*");
}

import type { HoldRequest, UnknownPart } from "./hold-request.ts";
import { type FeatureKind, type NeutralFeature, neutralFeatures } from "./neutral-features.ts";

/** Neutral features of an organization: the shipped rows and its own. Immutable. */
export interface FeatureBook {
  /** Finds the row of a feature. Null: the feature is not neutral. */
  find(kind: FeatureKind, name: string): FeatureRow | null;
}

type FeatureRow = Pick<NeutralFeature, "kind" | "name" | "isInPrompt">;

export function makeFeatureBook(own: readonly FeatureRow[]): FeatureBook {
  const rows = new Map<string, FeatureRow>();
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

type Adjusted = Pick<HoldRequest, "unknownParts" | "outsidePromptBytes" | "toolsetCount">;

/**
 * Removes the parts that are neutral for an organization from the unknown ones. Returns the same object if none is. The
 * definition of a neutral tool is not known, so each counts like a toolset.
 */
export function removeNeutralParts<Request extends Adjusted>(
  request: Request,
  features: FeatureBook,
): Request {
  const { unknownParts } = request;
  if (unknownParts.length === 0) return request;
  let { outsidePromptBytes, toolsetCount } = request;
  const rest: UnknownPart[] = [];
  for (const part of unknownParts) {
    const row = features.find(part.kind, part.name);
    if (row === null) rest.push(part);
    else if (row.kind === "tool") toolsetCount += part.count;
    else if (!row.isInPrompt) outsidePromptBytes += part.bytes;
  }
  if (rest.length === unknownParts.length) return request;
  return { ...request, unknownParts: rest, outsidePromptBytes, toolsetCount };
}

import { formatPlural } from "../../ui/format.ts";
import { isLower } from "../consequences/is-lower.ts";
import type { ApiKey } from "./queries.ts";

type CountedKey = Pick<ApiKey, "owner" | "purpose" | "status">;

/** Owners of living personal keys, one entry for each key. */
export function listOwners(keys: readonly CountedKey[]): string[] {
  return keys.flatMap(({ owner, purpose, status }) => {
    const isLiving = status === "active" || status === "inactive";
    return owner.type === "member" && purpose === "calls" && isLiving ? [owner.id] : [];
  });
}

/** Effects of a maximum number of personal keys for each member. Undefined owners: unknown. */
export function describeKeysPerMember(
  ownerIds: readonly string[] | undefined,
  change: { before: number | null; after: number | null },
): string[] {
  const { before, after } = change;
  if (ownerIds === undefined || !isLower(before, after)) return [];
  const counts = new Map<string, number>();
  for (const id of ownerIds) counts.set(id, (counts.get(id) ?? 0) + 1);
  const full = [...counts.values()].filter((count) => count >= after).length;
  if (full === 0) return ["No member has this many keys."];
  return [
    `${formatPlural(full, "member has", "members have")} this many keys or more. All keys keep working, and further ones are refused.`,
  ];
}

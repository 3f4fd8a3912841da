import { listNames } from "../../kit/consequences/sentences.ts";
import { formatRelative } from "../../ui/format.ts";
import type { AdminKey } from "./queries.ts";

// Effects of a new and of a revoked admin key, as sentences.

type Revoked = Pick<AdminKey, "last_used" | "scopes" | "status">;

/** Effects of a revocation. */
export function describeRevokedKey(
  { last_used, scopes, status }: Revoked,
  nowMs: number,
): string[] {
  const from = last_used?.address ? ` from ${last_used.address}` : "";
  return [
    last_used
      ? `The key was last used ${formatRelative(last_used.at, nowMs)}${from}.`
      : "No use of the key is recorded.",
    ...(status === "active" ? [describeLoss(scopes)] : []),
    "This cannot be undone. To continue, create another key and store it in the program.",
  ];
}

function describeLoss(scopes: AdminKey["scopes"]): string {
  const lost = scopes === null ? "all rights of an Admin" : `the scopes ${listNames(scopes)}`;
  return `Programs with the key lose ${lost} within a second.`;
}

interface NewKey {
  scopes: readonly string[];
  addresses: readonly string[];
  /** True: the key has no end. */
  isEndless: boolean;
}

/** Effects of a key with wide access. A limited key has none. */
export function describeNewKey({ scopes, addresses, isEndless }: NewKey): string[] {
  const sentences: string[] = [];
  if (scopes.length === 0) {
    sentences.push("Programs with the key can change everything except owners and the upstream.");
  }
  if (addresses.length === 0) sentences.push("The key works from every address.");
  if (isEndless) sentences.push("The key does not expire. Revoke it to end it.");
  return scopes.length === 0 || isEndless ? sentences : [];
}

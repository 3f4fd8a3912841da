import { type AdminKeyScope, isWithinScopes } from "@bursar/contract/permissions.ts";
import { denied } from "#src/access/authorize.ts";
import type { Caller } from "#src/domain/caller.ts";
import { includesRanges } from "#src/key-lookup/address-ranges.ts";

interface Restrictions {
  scopes: string[] | null;
  allowed_addresses: string[] | null;
}

/**
 * Returns the restrictions of a new key. An admin key creates keys with at most its own rights and addresses. Omitted ones are
 * those of the calling key. Throws a 403 for more.
 */
export function restrictNewKey(
  caller: Caller,
  wanted: {
    scopes: AdminKeyScope[] | null | undefined;
    allowed_addresses: string[] | null | undefined;
  },
): Restrictions {
  const own: Restrictions =
    caller.kind === "admin_key"
      ? { scopes: toList(caller.scopes), allowed_addresses: toList(caller.allowedAddresses) }
      : { scopes: null, allowed_addresses: null };
  const { scopes = own.scopes, allowed_addresses = own.allowed_addresses } = wanted;
  if (!isWithinScopes(scopes, own.scopes)) {
    throw denied("This admin key creates keys within its own scopes only.");
  }
  const outer = own.allowed_addresses;
  if (outer !== null && !(allowed_addresses && includesRanges(outer, allowed_addresses))) {
    throw denied("This admin key creates keys within its own allowed addresses only.");
  }
  return { scopes, allowed_addresses };
}

/** Expiry of a new key, which ends with the calling admin key at the latest. Milliseconds since the epoch, or null. */
export function endWithCaller(caller: Caller, expiresAtMs: number | null): number | null {
  const own = caller.kind === "admin_key" ? caller.expiresAtMs : null;
  return own === null ? expiresAtMs : Math.min(own, expiresAtMs ?? own);
}

function toList(values: readonly string[] | null): string[] | null {
  return values && [...values];
}

import { isIP } from "node:net";
import { refuseField } from "#src/domain/refuse-field.ts";
import {
  findAddressFault,
  type GuardedLookupOptions,
  makeGuardedLookup,
} from "#src/lib/guarded-lookup.ts";
import type { AllowedTargets } from "#src/lib/target-address.ts";

// Addresses that a stored upstream may reach. Its responses are relayed to clients, so a private target would show them
// the inside of the network. An upstream of the environment is not checked here.

const SETTING = "BURSAR_ALLOW_PRIVATE_UPSTREAMS";
/** Names of the loopback address, which resolvers need not ask for (RFC 6761). */
const LOCALHOST = /^(?:.+\.)?localhost\.?$/;

/**
 * Returns why a stored upstream may not have this URL, as a sentence, or null. Other names are checked with each connection:
 * see `makeUpstreamLookup`.
 */
export function findTargetFault(baseUrl: string, allowed: AllowedTargets): string | null {
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, "");
  const address = LOCALHOST.test(host) ? "127.0.0.1" : host;
  if (isIP(address) === 0) return null;
  return findAddressFault({ allowed, setting: SETTING }, host, address);
}

/** Throws a 400 for a URL in a private network that the operator has not allowed. */
export function checkTarget(baseUrl: string, allowed: AllowedTargets): string {
  const fault = findTargetFault(baseUrl, allowed);
  if (fault !== null) throw refuseField("base_url", fault);
  return baseUrl;
}

/** Makes the name lookup of the client of a stored upstream. */
export function makeUpstreamLookup(
  allowed: AllowedTargets,
  resolve?: GuardedLookupOptions["resolve"],
) {
  return makeGuardedLookup({ allowed, setting: SETTING, ...(resolve && { resolve }) });
}

import { createHash } from "node:crypto";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { RateLimit } from "./limits.sql.ts";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 24;

/**
 * Permanent id of the limit of a scope and a group, also before the limit exists. The official shape lists entries of groups
 * without a limit by it.
 */
export function rateLimitIdOf(
  of: Pick<RateLimit, "organizationId" | "scopeType" | "scopeId" | "modelGroup">,
): string {
  const parts = [of.organizationId, of.scopeType, of.scopeId, of.modelGroup];
  const digest = createHash("sha256").update(parts.join("\n")).digest();
  let text = "";
  for (const byte of digest.subarray(0, LENGTH)) text += BASE62.charAt(byte % BASE62.length);
  return idPrefixes.rateLimit + text;
}

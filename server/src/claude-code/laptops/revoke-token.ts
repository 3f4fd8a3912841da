import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import type { AccessTokens, LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import { lockLaptop } from "./laptops.sql.ts";
import { endOne } from "./laptops.ts";

/**
 * Ends the laptop of an access token or a refresh token (RFC 7009). Any other text changes nothing, and its answer is the same.
 */
export async function revokeToken(
  deps: AuditDeps & LaptopDeps,
  origin: Origin,
  token: string,
): Promise<void> {
  const claims = readToken(deps.accessTokens, token, deps.nowMs());
  if (claims === null) return;
  const { organizationId, memberId, laptopId: id } = claims;
  const actor = { type: "member", id: memberId };
  await auditedTransactionByActor(deps, { organizationId, actor, origin }, async (tx) => {
    const row = await lockLaptop(tx, { organizationId, id, memberId });
    if (row === null) return { result: undefined, audit: "unchanged" };
    const now = new Date(deps.nowMs());
    const { audit } = await endOne(tx, row, { now, reason: "signed_out" });
    return { result: undefined, audit };
  });
}

/** Null: neither a valid access token nor a valid refresh token. */
function readToken(tokens: AccessTokens, token: string, nowMs: number): LaptopClaims | null {
  for (const check of [tokens.check, tokens.checkRefresh]) {
    try {
      return check(token, nowMs);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  return null;
}

import { hash } from "node:crypto";
import { deserialize, serialize } from "node:v8";
import { isLockTimeout } from "#src/db/database-error.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Claim, ClaimedChanges, ClaimedRequest } from "#src/domain/claim.ts";
import type { Logger } from "#src/lib/logger.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { limitClaimWait } from "./claim-wait.sql.ts";
import {
  deleteClaimRows,
  findClaim,
  insertClaim,
  saveResponse,
  saveResult,
} from "./claimed-changes.sql.ts";
import { isSameBytes, sign } from "./sign.ts";

// A change, its claim and its result commit in one transaction. A repeated request gets the stored response. If no response
// was stored (the server stopped after the commit, or both requests ran at once), the handler creates it again from the
// result. A refusal rolls back, and leaves no claim.

export interface ClaimDeps {
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  auditKey: Buffer;
  sealingKey: Buffer;
}

/** Time in which a repeated request is recognized. Then its row is deleted, with the sealed data. */
export const CLAIM_LIFE_MS = 10 * 60_000;
/** Time that a duplicate waits for the running request. The wait occupies a connection. */
const CLAIM_WAIT_MS = 3_000;

export function makeClaimedChanges(deps: ClaimDeps & { logger: Logger }): ClaimedChanges {
  return {
    claim: (request) => toClaim(deps.auditKey, request),
    findResponse: async (claim) => {
      if (claim.isFirstAttempt) return null;
      const row = await findClaim(deps.database, {
        claim: claim.id,
        step: 0,
        expiryCutoff: computeExpiryCutoff(deps),
      });
      if (row === null) return null;
      checkFingerprint(claim, row);
      return (
        row.responseSealed && unseal(deps.sealingKey, row.responseSealed, responseContext(claim))
      );
    },
    saveResponse: async (claim, response) => {
      // Without a transaction there is no row, and a replayed claim has its response.
      if (claim.steps === 0 || claim.isReplayed) return;
      try {
        await saveResponse(deps.database, {
          claim: claim.id,
          fingerprint: claim.fingerprint,
          responseSealed: seal(deps.sealingKey, response, responseContext(claim)),
        });
      } catch (error) {
        deps.logger.warn({ err: error }, "the response of a change could not be stored");
      }
    },
  };
}

function toClaim(
  auditKey: Buffer,
  { caller, operationId, key, ...request }: ClaimedRequest,
): Claim {
  const { target, body } = request.input;
  const input = { operationId, target, body: body === null ? null : hash("sha256", body) };
  const fingerprint = sign(auditKey, "request", input);
  const id = sign(auditKey, "claim", {
    organizationId: caller.organizationId,
    callerType: caller.kind,
    callerId: caller.id,
    operationId,
    key,
    input: key === null ? input : null,
  });
  return {
    id,
    fingerprint,
    isFirstAttempt: request.isFirstAttempt,
    steps: 0,
    isReplayed: false,
  };
}

/**
 * Runs `work`, or returns the stored result if this step of the claimed request has run before. Throws a 409 if the key
 * was used with another input, and if the first request is still running.
 */
export async function runOncePerClaim<Result>(
  tx: Tx,
  deps: ClaimDeps,
  claim: Claim,
  work: () => Promise<Result>,
): Promise<Result> {
  const place = { claim: claim.id, step: claim.steps };
  claim.steps += 1;
  const context = `${Buffer.from(claim.id).toString("hex")} result ${place.step}`;
  if (await acquireClaim(tx, deps, claim, place)) {
    const result = await work();
    const text = serialize(result).toString("base64");
    await saveResult(tx, { ...place, resultSealed: seal(deps.sealingKey, text, context) });
    return result;
  }
  const row = await findClaim(tx, { ...place, expiryCutoff: computeExpiryCutoff(deps) });
  // The row expired between the two statements.
  if (row === null) throw makeInProgressError();
  checkFingerprint(claim, row);
  claim.isReplayed = true;
  const text = unseal(deps.sealingKey, row.resultSealed, context);
  return deserialize(Buffer.from(text, "base64")) as Result;
}

async function acquireClaim(
  tx: Tx,
  deps: ClaimDeps,
  claim: Claim,
  place: { claim: Uint8Array; step: number },
): Promise<boolean> {
  await limitClaimWait(tx, CLAIM_WAIT_MS);
  try {
    return await insertClaim(tx, {
      ...place,
      fingerprint: claim.fingerprint,
      createdAt: new Date(deps.nowMs()),
      expiryCutoff: computeExpiryCutoff(deps),
      canReplaceActive: claim.isFirstAttempt,
    });
  } catch (error) {
    throw isLockTimeout(error) ? makeInProgressError() : error;
  } finally {
    await limitClaimWait(tx, null).catch(() => undefined); // a failed transaction accepts no setting
  }
}

/** Deletes claims that are older than ten minutes. Any node can call this at any time. */
export function deleteExpiredClaims(deps: ClaimDeps): Promise<number> {
  return deleteClaimRows(deps.database, computeExpiryCutoff(deps));
}

function computeExpiryCutoff(deps: ClaimDeps): Date {
  return new Date(deps.nowMs() - CLAIM_LIFE_MS);
}

function responseContext(claim: Claim): string {
  return `${Buffer.from(claim.id).toString("hex")} answer`;
}

function checkFingerprint(claim: Claim, row: { fingerprint: Uint8Array }): void {
  if (isSameBytes(claim.fingerprint, row.fingerprint)) return;
  throw new ApiError(
    "idempotency_key_reused",
    "idempotency-key: this key was used in the last 10 minutes for a request with another path or body. Repeat that request " +
      "unchanged, or use a new key for this one.",
  );
}

function makeInProgressError(): ApiError {
  return new ApiError(
    "request_in_progress",
    "A request with the same idempotency-key is still running. Send this request again in a moment to get the response.",
    { "retry-after": "1", "x-should-retry": "true" },
  );
}

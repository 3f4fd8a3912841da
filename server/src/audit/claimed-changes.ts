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
  deleteGoneClaims,
  findClaim,
  insertClaim,
  saveAnswer,
  saveResult,
} from "./claimed-changes.sql.ts";
import { isSameBytes, sign } from "./sign.ts";

// A change and the fact that this request has made it commit in one transaction, with what the change gave. Whoever asks
// again gets the answer as it was sent; where it never was (the server ended between the commit and the answer, or both
// requests ran at once), the answer is made once more from what the change gave. A refusal rolls back, and leaves nothing.

export interface ClaimDeps {
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  auditKey: Buffer;
  sealingKey: Buffer;
}

/** How long a request counts as the same one. After that its row, with all that is sealed in it, is deleted. */
export const CLAIM_LIFE_MS = 10 * 60_000;
/** A duplicate waits this long for the request that is being worked on. It holds a connection meanwhile. */
const CLAIM_WAIT_MS = 3_000;

export function makeClaimedChanges(deps: ClaimDeps & { logger: Logger }): ClaimedChanges {
  return {
    claim: (request) => toClaim(deps.auditKey, request),
    findAnswer: async (claim) => {
      if (claim.isFirstAttempt) return null;
      const row = await findClaim(deps.database, {
        claim: claim.id,
        step: 0,
        goneBy: goneBy(deps),
      });
      if (row === null) return null;
      checkFingerprint(claim, row);
      return row.answerSealed && unseal(deps.sealingKey, row.answerSealed, answerContext(claim));
    },
    keepAnswer: async (claim, answer) => {
      // Without a transaction there is nothing to keep, and what was replayed has its answer.
      if (claim.steps === 0 || claim.isReplayed) return;
      try {
        await saveAnswer(deps.database, {
          claim: claim.id,
          fingerprint: claim.fingerprint,
          answerSealed: seal(deps.sealingKey, answer, answerContext(claim)),
        });
      } catch (error) {
        deps.logger.warn({ err: error }, "the answer of a change could not be kept");
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
 * Runs `work` unless this step of the claimed request has been done: then gives what it gave. Throws a 409 for another
 * input under the same key, and one for a request that is still being worked on.
 */
export async function onceUnderClaim<Result>(
  tx: Tx,
  deps: ClaimDeps,
  claim: Claim,
  work: () => Promise<Result>,
): Promise<Result> {
  const place = { claim: claim.id, step: claim.steps };
  claim.steps += 1;
  const context = `${Buffer.from(claim.id).toString("hex")} result ${place.step}`;
  if (await takeClaim(tx, deps, claim, place)) {
    const result = await work();
    const text = serialize(result).toString("base64");
    await saveResult(tx, { ...place, resultSealed: seal(deps.sealingKey, text, context) });
    return result;
  }
  const row = await findClaim(tx, { ...place, goneBy: goneBy(deps) });
  // It was there a moment ago and has been deleted since: ten minutes old to the second.
  if (row === null) throw inProgress();
  checkFingerprint(claim, row);
  claim.isReplayed = true;
  const text = unseal(deps.sealingKey, row.resultSealed, context);
  return deserialize(Buffer.from(text, "base64")) as Result;
}

async function takeClaim(
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
      goneBy: goneBy(deps),
      replaces: claim.isFirstAttempt,
    });
  } catch (error) {
    throw isLockTimeout(error) ? inProgress() : error;
  } finally {
    await limitClaimWait(tx, null).catch(() => undefined); // nothing can be set after a failure
  }
}

/** Deletes what is older than ten minutes. Any node may, at any time. */
export function deleteOldClaims(deps: ClaimDeps): Promise<number> {
  return deleteGoneClaims(deps.database, goneBy(deps));
}

function goneBy(deps: ClaimDeps): Date {
  return new Date(deps.nowMs() - CLAIM_LIFE_MS);
}

function answerContext(claim: Claim): string {
  return `${Buffer.from(claim.id).toString("hex")} answer`;
}

function checkFingerprint(claim: Claim, row: { fingerprint: Uint8Array }): void {
  if (isSameBytes(claim.fingerprint, row.fingerprint)) return;
  throw new ApiError(
    "idempotency_key_reused",
    "idempotency-key: this key was used in the last 10 minutes for a request with another path or body. Send that request " +
      "again as it was, or use a new key for this one.",
  );
}

function inProgress(): ApiError {
  return new ApiError(
    "request_in_progress",
    "The same request (by its idempotency-key) is still being worked on. Send it again in a moment to get its answer.",
    { "retry-after": "1", "x-should-retry": "true" },
  );
}

import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { CLAUDE_CODE_HINT, ensureClaudeCodeKey } from "#src/keys/personal-keys/claude-code-key.ts";
import { newId } from "#src/lib/ids.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { beginAttempt, refundAttempt, userCodeAttempts } from "#src/people/identity/attempts.ts";
import {
  bindUserCode,
  type DeviceAuthorizationRow,
  lockBoundUserCode,
  saveDecision,
} from "./device-authorizations.sql.ts";
import { countOpenLaptops, findLaptop, insertLaptop, type LaptopRow } from "./laptops.sql.ts";
import { auditOfLaptop, laptopNotFound } from "./laptops.ts";
import { readUserCode } from "./user-code.rule.ts";

// A signed-in member looks up the code that Claude Code shows, and approves or denies the sign-in.

const HASH_BYTES = 32;
const DAY_MS = 86_400_000;
const DEFAULT_NAME = "Laptop";
/** Open laptops of a member in a workspace. */
const MAX_LAPTOPS = 50;

export type BoundCode = DeviceAuthorizationRow & { userCode: string };

/**
 * Returns the pending request with this code, and binds it to the caller's session. Throws a 404 for an unknown, expired or
 * decided code and for one that another session has bound. Throws a 429 after ten of them.
 */
export async function getDeviceAuthorization(
  deps: AuditDeps,
  call: Call,
  userCode: string,
): Promise<BoundCode> {
  const { sessionId } = getMemberCaller(call);
  const now = new Date(deps.nowMs());
  const code = parseCode(userCode);
  return countGuesses(deps, call, async () => {
    const row = await bindUserCode(deps.database, { ...code, sessionId, now });
    if (row === null) throw codeNotFound();
    return { ...row, userCode: code.userCode };
  });
}

export interface Approval {
  workspace_id: string;
  name?: string | undefined;
}

/**
 * Creates a laptop of the caller, whose client gets its tokens with the next poll. Throws like `getDeviceAuthorization`, like
 * `ensureClaudeCodeKey`, and a 403 for a member with too many laptops.
 */
export function approveDeviceAuthorization(
  deps: AuditDeps,
  call: Call,
  userCode: string,
  { workspace_id, name = DEFAULT_NAME }: Approval,
): Promise<LaptopRow> {
  const member = getMemberCaller(call);
  const nowMs = deps.nowMs();
  const { organizationId } = member;
  const code = parseCode(userCode);
  return countGuesses(deps, call, () =>
    auditedTransaction(deps, member, call.origin, async (tx) => {
      const row = await lockCode(tx, member.sessionId, code, nowMs);
      const key = await ensureClaudeCodeKey(tx, deps, member, workspace_id);
      await checkCount(tx, key.id, nowMs);
      const id = newId(idPrefixes.laptop, nowMs, deps.randomBytes);
      const laptop = {
        id,
        organization_id: organizationId,
        member_id: member.id,
        workspace_id,
        name,
        client_version: row.client_version,
        address: row.address,
        created_at: new Date(nowMs),
      };
      await insertLaptop(tx, laptop, {
        apiKeyId: key.id,
        hash: Buffer.from(deps.randomBytes(HASH_BYTES)),
        hint: CLAUDE_CODE_HINT,
        // A laptop whose client never asks for its tokens ends with the code.
        validUntil: row.expires_at,
      });
      const endsAt = key.maxDays === null ? null : new Date(nowMs + key.maxDays * DAY_MS);
      const decision = { status: "approved", laptop_id: id, laptop_ends_at: endsAt } as const;
      await saveDecision(tx, row.id, decision);
      const created = await findLaptop(tx, { organizationId, id });
      if (created === null) throw laptopNotFound();
      return {
        result: created,
        audit: [...key.audit, auditOfLaptop("laptop.created", null, created)],
      };
    }),
  );
}

/** Denies the sign-in. Throws like `getDeviceAuthorization`. */
export function denyDeviceAuthorization(
  deps: AuditDeps,
  call: Call,
  userCode: string,
): Promise<string> {
  const member = getMemberCaller(call);
  const code = parseCode(userCode);
  return countGuesses(deps, call, () =>
    auditedTransaction(deps, member, call.origin, async (tx) => {
      const row = await lockCode(tx, member.sessionId, code, deps.nowMs());
      await saveDecision(tx, row.id, { status: "denied" });
      return {
        result: code.userCode,
        audit: {
          event: "laptop.denied",
          subject: { type: "member", id: member.id },
          workspaceId: null,
          before: null,
          after: { client_version: row.client_version, ip_address: row.address },
        },
      };
    }),
  );
}

/** Charges a guess to the address and to the member, and refunds it if the code was right. */
async function countGuesses<Result>(
  deps: AuditDeps,
  call: Call,
  work: () => Promise<Result>,
): Promise<Result> {
  const { database } = deps;
  const attempts = userCodeAttempts(call.origin.ipAddress, call.caller.id);
  for (const attempt of attempts) await beginAttempt(database, deps.nowMs(), attempt);
  const refund = async () => {
    for (const attempt of attempts) await refundAttempt(database, attempt);
  };
  try {
    const result = await work();
    await refund();
    return result;
  } catch (error) {
    if (!isUnknownCode(error)) await refund();
    throw error;
  }
}

function isUnknownCode(error: unknown): boolean {
  return error instanceof ApiError && error.details.resource === "device_authorization";
}

async function lockCode(
  tx: Tx,
  sessionId: string,
  { userCodeHash }: UserCode,
  nowMs: number,
): Promise<DeviceAuthorizationRow> {
  const row = await lockBoundUserCode(tx, { userCodeHash, sessionId, now: new Date(nowMs) });
  if (row === null) throw codeNotFound();
  return row;
}

interface UserCode {
  userCode: string;
  userCodeHash: Buffer;
}

/** Throws a 404 for a text that is no code. That text is no guess, because it needs no query. */
function parseCode(text: string): UserCode {
  const userCode = readUserCode(text);
  if (userCode === null) throw codeNotFound();
  return { userCode, userCodeHash: hashSecret(userCode) };
}

async function checkCount(tx: Tx, apiKeyId: string, nowMs: number): Promise<void> {
  if ((await countOpenLaptops(tx, apiKeyId, new Date(nowMs))) < MAX_LAPTOPS) return;
  throw new ApiError(
    "key_count_reached",
    `You have ${MAX_LAPTOPS} laptops in this workspace. End one of them first.`,
  );
}

/** The same for each reason, so that a guess learns nothing. */
function codeNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "This code is unknown, was used, has expired, or is open in another browser. Start the sign-in in Claude Code again.",
    {},
    { resource: "device_authorization" },
  );
}

import { type AuditDeps, auditedTransactionOf } from "#src/audit/audited-transaction.ts";
import { ownOrigin } from "#src/audit/prune.ts";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail } from "#src/mail/queue-mail.ts";
import {
  type AgingKey,
  expireKey,
  findKeepers,
  insertNotice,
  listAgingKeys,
} from "./aging-keys.sql.ts";
import { stepOf, timesOf } from "./rotation-policies.ts";
import type { RotationStep } from "./rotation-policy.rule.ts";

export interface RotationDeps extends AuditDeps {
  /** Where people reach this server, without a slash at the end. Of the configuration, never of a request. */
  publicUrl: () => string;
  logger: Logger;
}

const DAY_MS = 86_400_000;

/**
 * Reminds of keys that must be rotated, and lets those expire whose time is over. It may run twice at once: nobody is
 * written to twice. A key that fails is logged and does not keep the others from it.
 */
export async function enforceRotation(deps: RotationDeps): Promise<void> {
  const nowMs = deps.nowMs();
  for (const key of await listAgingKeys(deps.database, { now: new Date(nowMs) })) {
    try {
      await enforceOn(deps, key, nowMs);
    } catch (error) {
      deps.logger.error(
        { err: error, apiKeyId: key.id },
        "a rotation policy could not be enforced",
      );
    }
  }
}

async function enforceOn(deps: RotationDeps, key: AgingKey, nowMs: number): Promise<void> {
  const step = stepOf(key, nowMs);
  if (step === null) return;
  if (step !== "expired") return remind(deps, key, step, nowMs);
  // The server may have been off all the time: nobody loses a key without having heard of it a whole grace period before.
  if (key.first_notice_at === null) return remind(deps, key, "overdue", nowMs);
  if (key.first_notice_at.getTime() + key.grace_days * DAY_MS > nowMs) return;
  await expire(deps, key, nowMs);
}

function remind(
  deps: RotationDeps,
  key: AgingKey,
  kind: "due" | "overdue",
  nowMs: number,
): Promise<void> {
  return inTransaction(deps.database, (tx) => notify(tx, deps, key, { kind, nowMs }));
}

function expire(deps: RotationDeps, key: AgingKey, nowMs: number): Promise<void> {
  const now = new Date(nowMs);
  const maker = {
    organizationId: key.organization_id,
    actor: { type: "system", id: "rotation_policy" },
    origin: ownOrigin(deps, now),
  };
  return auditedTransactionOf(deps, maker, async (tx) => {
    if (!(await expireKey(tx, { ...key, now }))) return { result: undefined, audit: "unchanged" };
    await notify(tx, deps, key, { kind: "expired", nowMs });
    const shown = {
      name: key.name,
      owner_member_id: key.owner_member_id,
      partial_key_hint: key.hint,
    };
    return {
      result: undefined,
      audit: {
        event: "api_key.expired",
        subject: { type: "api_key", id: key.id },
        workspaceId: key.workspace_id,
        before: { ...shown, expires_at: key.expires_at?.toISOString() ?? null },
        after: {
          ...shown,
          expires_at: now.toISOString(),
          rotation_policy: { rotation_days: key.rotation_days, grace_days: key.grace_days },
        },
      },
    };
  });
}

async function notify(
  tx: Tx,
  deps: RotationDeps,
  key: AgingKey,
  { kind, nowMs }: { kind: RotationStep; nowMs: number },
): Promise<void> {
  const isFirst = await insertNotice(tx, {
    secretId: key.secret_id,
    kind,
    policyEffectiveAt: key.effective_at,
    sentAt: new Date(nowMs),
  });
  if (!isFirst) return;
  const keepers = await findKeepers(tx, {
    organizationId: key.organization_id,
    workspaceId: key.workspace_id,
    ownerMemberId: key.owner_member_id,
  });
  const body = bodyOf(deps, key, kind, nowMs);
  for (const to of keepers) {
    await queueMail(tx, deps, {
      ...body,
      organizationId: key.organization_id,
      to,
      kind: "notice",
      subject: `${subjects[kind]}: ${key.name}`,
      aboutId: key.id,
    });
  }
}

const subjects: Readonly<Record<RotationStep, string>> = {
  due: "Rotate an API key",
  overdue: "An API key should have been rotated",
  expired: "An API key has expired",
};

function bodyOf(deps: RotationDeps, key: AgingKey, kind: RotationStep, nowMs: number) {
  const { dueAtMs, expireAtMs } = timesOf(key);
  const which = `The API key "${key.name}" (${key.hint}) of the workspace ${key.workspace_name}`;
  const rule = `Keys of this workspace get a new secret every ${key.rotation_days} days.`;
  // Where the notice came late, so does the end.
  const endMs = Math.max(
    expireAtMs,
    (key.first_notice_at?.getTime() ?? nowMs) + key.grace_days * DAY_MS,
  );
  const sentences: Readonly<Record<RotationStep, string>> = {
    due: `${which} is to be rotated by ${toDay(dueAtMs)}. Without a new secret it expires on ${toDay(endMs)}.`,
    overdue: `${which} was to be rotated by ${toDay(dueAtMs)}. Without a new secret it expires on ${toDay(endMs)}.`,
    expired: `${which} was not rotated in time and has expired. Whatever used it needs another key.`,
  };
  return layoutMessage({
    title: subjects[kind],
    paragraphs: [sentences[kind], rule],
    action: { label: "Open API keys", url: `${deps.publicUrl()}/api-keys` },
    notes: ["With a grace period both secrets work while the new one is rolled out."],
  });
}

function toDay(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 10)} (UTC)`;
}

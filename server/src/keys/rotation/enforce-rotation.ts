import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Logger } from "#src/lib/logger.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail } from "#src/mail/queue-mail.ts";
import {
  type AgingKey,
  expireKey,
  insertNotice,
  listAgingKeys,
  listNoticeRecipients,
} from "./aging-keys.sql.ts";
import { computeAgingKeyTimes, findAgingKeyStep } from "./rotation-policies.ts";
import type { RotationStep } from "./rotation-policy.rule.ts";

export interface RotationDeps extends AuditDeps {
  /** Public address of the server without a trailing slash, from the configuration and never from a request. */
  publicUrl: () => string;
  logger: Logger;
}

const DAY_MS = 86_400_000;

/**
 * Sends reminders for keys that must be rotated, and expires keys after the grace period. Concurrent runs send each notice
 * once. An error with one key is logged, and the run continues with the others.
 */
export async function enforceRotation(deps: RotationDeps): Promise<void> {
  const nowMs = deps.nowMs();
  for (const key of await listAgingKeys(deps.database, { now: new Date(nowMs) })) {
    try {
      await enforcePolicy(deps, key, nowMs);
    } catch (error) {
      deps.logger.error({ err: error, apiKeyId: key.id }, "rotation policy not enforced for a key");
    }
  }
}

async function enforcePolicy(deps: RotationDeps, key: AgingKey, nowMs: number): Promise<void> {
  const step = findAgingKeyStep(key, nowMs);
  if (step === null) return;
  if (step !== "expired") return sendReminder(deps, key, step, nowMs);
  // A server that was off has sent no notice. The grace period starts with the first notice.
  if (key.first_notice_at === null) return sendReminder(deps, key, "overdue", nowMs);
  if (key.first_notice_at.getTime() + key.grace_days * DAY_MS > nowMs) return;
  await expireAgingKey(deps, key, nowMs);
}

function sendReminder(
  deps: RotationDeps,
  key: AgingKey,
  kind: "due" | "overdue",
  nowMs: number,
): Promise<void> {
  return inTransaction(deps.database, (tx) => sendNotice(tx, deps, key, { kind, nowMs }));
}

function expireAgingKey(deps: RotationDeps, key: AgingKey, nowMs: number): Promise<void> {
  const now = new Date(nowMs);
  const maker = {
    organizationId: key.organization_id,
    actor: { type: "system", id: "rotation_policy" },
    origin: makeSystemOrigin(deps, now),
  };
  return auditedTransactionByActor(deps, maker, async (tx) => {
    if (!(await expireKey(tx, { ...key, now }))) return { result: undefined, audit: "unchanged" };
    await sendNotice(tx, deps, key, { kind: "expired", nowMs });
    const audited = {
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
        before: { ...audited, expires_at: key.expires_at?.toISOString() ?? null },
        after: {
          ...audited,
          expires_at: now.toISOString(),
          rotation_policy: { rotation_days: key.rotation_days, grace_days: key.grace_days },
        },
      },
    };
  });
}

async function sendNotice(
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
  const recipients = await listNoticeRecipients(tx, {
    organizationId: key.organization_id,
    workspaceId: key.workspace_id,
    ownerMemberId: key.owner_member_id,
  });
  const body = buildNoticeBody(deps, key, kind, nowMs);
  for (const to of recipients) {
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
  overdue: "Rotation of an API key is overdue",
  expired: "An API key has expired",
};

function buildNoticeBody(deps: RotationDeps, key: AgingKey, kind: RotationStep, nowMs: number) {
  const { dueAtMs, expireAtMs } = computeAgingKeyTimes(key);
  const subject = `The API key "${key.name}" (${key.hint}) of the workspace ${key.workspace_name}`;
  const rule = `Keys of this workspace must get a new secret every ${key.rotation_days} days.`;
  // A late first notice delays the expiry.
  const endMs = Math.max(
    expireAtMs,
    (key.first_notice_at?.getTime() ?? nowMs) + key.grace_days * DAY_MS,
  );
  const sentences: Readonly<Record<RotationStep, string>> = {
    due: `${subject} must be rotated by ${toDay(dueAtMs)}. Without a new secret it expires on ${toDay(endMs)}.`,
    overdue: `${subject} should have been rotated by ${toDay(dueAtMs)}. Without a new secret it expires on ${toDay(endMs)}.`,
    expired: `${subject} was not rotated in time and has expired. Its users need another key.`,
  };
  return layoutMessage({
    title: subjects[kind],
    paragraphs: [sentences[kind], rule],
    action: { label: "Open API keys", url: `${deps.publicUrl()}/api-keys` },
    notes: [
      "With a grace period both secrets work until it ends, so that you can replace the old one.",
    ],
  });
}

function toDay(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 10)} (UTC)`;
}

import type {
  AlertChannelKind,
  createAlertChannel as createRoute,
} from "@bursar/contract/admin/alert-channels.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { type AuditEntry, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { checkVersion } from "#src/domain/check-version.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import {
  archiveChannel,
  type ChannelRow,
  countOldSecrets,
  findChannel,
  insertChannel,
  insertSecret,
  listChannels as listRows,
  retireSecrets,
  updateChannel,
} from "./alert-channels.sql.ts";
import { type ChannelFacts, findChannelFacts } from "./channel-facts.sql.ts";
import {
  type ChannelTarget,
  makeSigningSecret,
  openTarget,
  sealSigningSecret,
  sealTarget,
} from "./channel-secrets.ts";
import type { DeliverDeps } from "./deliver-alert.ts";
import { listQueued } from "./deliveries.sql.ts";
import { addDeliveryJob } from "./queue-deliveries.ts";
import { findSlackMistake } from "./slack-host.rule.ts";

export type AlertChannelDeps = DeliverDeps;
type Target = z.output<typeof createRoute.body>["target"];

export interface ShownChannel {
  row: ChannelRow;
  facts: ChannelFacts;
}

export async function listAlertChannels(
  deps: AlertChannelDeps,
  { caller }: Call,
  query: { kinds?: AlertChannelKind[] | undefined; is_failing?: boolean | undefined },
  request: PageRequest,
): Promise<PageOfRows<ShownChannel>> {
  const { organizationId } = caller;
  const filter = { organizationId, kinds: query.kinds ?? null, isFailing: query.is_failing };
  const page = toPage(await listRows(deps.database, filter, request), request);
  return { ...page, rows: await loadShownChannels(deps.database, page.rows) };
}

export async function getAlertChannel(
  deps: AlertChannelDeps,
  { caller }: Call,
  id: string,
): Promise<ShownChannel> {
  const row = await findChannel(deps.database, { organizationId: caller.organizationId, id });
  if (row === null) throw channelNotFound();
  return loadShownChannel(deps.database, row);
}

async function loadShownChannels(
  db: Database | Tx,
  rows: readonly ChannelRow[],
): Promise<ShownChannel[]> {
  const facts = await findChannelFacts(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({ row, facts: facts.get(row.id) ?? makeEmptyFacts(row.id) }));
}

async function loadShownChannel(db: Database | Tx, row: ChannelRow): Promise<ShownChannel> {
  const [shown] = await loadShownChannels(db, [row]);
  return shown ?? { row, facts: makeEmptyFacts(row.id) };
}

function makeEmptyFacts(id: string): ChannelFacts {
  return { id, alerts: 0, oldSecretExpiresAt: null, lastDelivery: null };
}

/** Creates a channel. Only the result contains the signing secret of a webhook. Throws a 400 for an invalid target. */
export function createAlertChannel(
  deps: AlertChannelDeps,
  { caller, origin }: Call,
  input: { name: string; target: Target },
): Promise<ShownChannel & { secret: string | null }> {
  checkTarget(deps, input.target);
  const now = new Date(deps.nowMs());
  const id = newId(idPrefixes.alertChannel, now.getTime(), deps.randomBytes);
  const row: ChannelRow = {
    id,
    name: input.name,
    kind: input.target.kind,
    ...toStoredTarget(deps, id, input.target),
    is_enabled: true,
    paused_at: null,
    pause_reason: null,
    failures_in_a_row: 0,
    version: 1,
    created_at: now,
    updated_at: now,
  };
  const { organizationId } = caller;
  const secret = row.kind === "webhook" ? makeSigningSecret(deps.randomBytes) : null;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await insertChannel(tx, organizationId, row);
    if (secret !== null) await addSecret(tx, deps, { channelId: id, secret, now });
    const shown = await loadShownChannel(tx, row);
    return { result: { ...shown, secret }, audit: auditOf("alert_channel.created", null, row) };
  });
}

export interface ChannelChange {
  name?: string | undefined;
  target?: Target | undefined;
  is_enabled?: boolean | undefined;
  if_version?: number | undefined;
}

/**
 * Updates the given fields. A new target or `is_enabled: true` resumes a paused channel and queues its waiting messages.
 * Throws a 404, a 400 for an invalid target or another kind, and a 409 for another version.
 */
export function updateAlertChannel(
  deps: AlertChannelDeps,
  { caller, origin }: Call,
  id: string,
  change: ChannelChange,
): Promise<ShownChannel> {
  const { organizationId } = caller;
  if (change.target !== undefined) checkTarget(deps, change.target);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, organizationId, id);
    checkVersion("alert channel", before, change.if_version);
    if (change.target !== undefined && change.target.kind !== before.kind) {
      throw refuseField(
        "target",
        `the kind of a channel cannot change: this one is ${before.kind}. Create another channel.`,
      );
    }
    const hasNewTarget = change.target !== undefined && !isSameTarget(deps, before, change.target);
    const isResumed = before.paused_at !== null && (hasNewTarget || change.is_enabled === true);
    const after: ChannelRow = {
      ...before,
      name: change.name ?? before.name,
      ...(hasNewTarget && change.target && toStoredTarget(deps, id, change.target)),
      is_enabled: change.is_enabled ?? before.is_enabled,
      ...((isResumed || hasNewTarget) && noFailures),
    };
    if (isSame(before, after))
      return { result: await loadShownChannel(tx, before), audit: "unchanged" };
    Object.assign(after, makeNextVersion(deps, before));
    await updateChannel(tx, organizationId, after);
    if (isResumed || !before.is_enabled) await queueWaitingDeliveries(tx, id);
    const audit = auditOf("alert_channel.updated", before, after, hasNewTarget);
    return { result: await loadShownChannel(tx, after), audit };
  });
}

const noFailures = { paused_at: null, pause_reason: null, failures_in_a_row: 0 } as const;

/** The sweep of every minute queues the rest. */
const MAX_QUEUED_AT_ONCE = 500;

async function queueWaitingDeliveries(tx: Tx, channelId: string): Promise<void> {
  const ids = await listQueued(tx, { channelId, limit: MAX_QUEUED_AT_ONCE });
  for (const id of ids) await addDeliveryJob(tx, id);
}

/** Deletes the channel with its address and secrets. The delivery history stays. Throws a 404. */
export function deleteAlertChannel(
  deps: AlertChannelDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, organizationId, id);
    await archiveChannel(tx, { organizationId, id, now: new Date(deps.nowMs()) });
    // The jobs drop the waiting messages of a deleted channel.
    await queueWaitingDeliveries(tx, id);
    return { result: undefined, audit: auditOf("alert_channel.deleted", before, null) };
  });
}

/** Valid secrets besides the newest one. Each one adds a signature to the header of every message. */
const MAX_OLD_SECRETS = 3;

/** Throws a 404, a 400 for a channel that is not a webhook, and a 409 if too many old secrets are still valid. */
export function rotateAlertChannelSecret(
  deps: AlertChannelDeps,
  { caller, origin }: Call,
  id: string,
  { overlap_hours: hours }: { overlap_hours: number },
): Promise<ShownChannel & { secret: string | null }> {
  const { organizationId } = caller;
  const secret = makeSigningSecret(deps.randomBytes);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, organizationId, id);
    if (before.kind !== "webhook") {
      throw new ApiError("webhook_required", "Only a webhook has a signing secret.");
    }
    if (hours > 0 && (await countOldSecrets(tx, id)) >= MAX_OLD_SECRETS) {
      throw new ApiError(
        "too_many_secrets",
        `${MAX_OLD_SECRETS} old secrets of this webhook are still valid. Wait until one expires, or rotate with overlap_hours 0 to revoke all of them.`,
      );
    }
    const changed = makeNextVersion(deps, before);
    await retireSecrets(tx, { channelId: id, hours });
    await addSecret(tx, deps, { channelId: id, secret, now: changed.updated_at });
    const after = { ...before, ...changed };
    await updateChannel(tx, organizationId, after);
    const audit = auditOf("alert_channel.secret_rotated", before, after);
    return {
      result: { ...(await loadShownChannel(tx, after)), secret },
      audit: { ...audit, after: { ...audit.after, overlap_hours: hours } },
    };
  });
}

async function addSecret(
  tx: Tx,
  deps: AlertChannelDeps,
  { channelId, secret, now }: { channelId: string; secret: string; now: Date },
): Promise<void> {
  const sealed = sealSigningSecret(deps.sealingKey, channelId, secret);
  await insertSecret(tx, { channelId, sealed, createdAt: now });
}

async function getForUpdate(tx: Tx, organizationId: string, id: string): Promise<ChannelRow> {
  const row = await findChannel(tx, { organizationId, id }, "for update");
  if (row === null) throw channelNotFound();
  return row;
}

function makeNextVersion(deps: AlertChannelDeps, { version }: ChannelRow) {
  return { version: version + 1, updated_at: new Date(deps.nowMs()) };
}

function checkTarget({ client }: AlertChannelDeps, target: Target): void {
  if (target.kind === "email") {
    const { roles, addresses } = target.recipients;
    if (roles.length + addresses.length > 0) return;
    throw refuseField("target.recipients", "expected a role or an address.");
  }
  if (target.kind === "pagerduty") return;
  const mistake =
    client.findMistake(target.url) ??
    (target.kind === "slack" ? findSlackMistake(target.url, client.isListed(target.url)) : null);
  if (mistake !== null) throw refuseField("target.url", `${mistake}.`);
}

function toStoredTarget(
  deps: AlertChannelDeps,
  channelId: string,
  target: Target,
): Pick<ChannelRow, "recipients" | "target_sealed" | "target_hint"> {
  if (target.kind === "email") {
    const { roles, addresses } = target.recipients;
    const recipients = { roles: [...new Set(roles)], addresses: [...new Set(addresses)] };
    return { recipients, target_sealed: null, target_hint: null };
  }
  return {
    recipients: null,
    target_sealed: sealTarget(deps.sealingKey, channelId, target),
    target_hint: formatTargetHint(target),
  };
}

const HINT_FROM_LENGTH = 24;
const HINT_LENGTH = 4;

/** The origin of an address, which is not secret, and the last characters of a long path or of a key. */
function formatTargetHint(target: ChannelTarget): string {
  if (target.kind === "pagerduty") return `…${target.routing_key.slice(-HINT_LENGTH)}`;
  const { origin, pathname, search } = new URL(target.url);
  const rest = pathname + search;
  if (rest === "/") return origin;
  return `${origin}/…${rest.length < HINT_FROM_LENGTH ? "" : rest.slice(-HINT_LENGTH)}`;
}

function isSameTarget(deps: AlertChannelDeps, row: ChannelRow, target: Target): boolean {
  if (target.kind === "email") {
    const { recipients } = toStoredTarget(deps, row.id, target);
    return JSON.stringify(recipients) === JSON.stringify(orderRecipientFields(row.recipients));
  }
  if (row.target_sealed === null) return false;
  const stored = openTarget(deps.sealingKey, row.id, row.target_sealed);
  if (stored.kind === "pagerduty" && target.kind === "pagerduty") {
    return stored.routing_key === target.routing_key && stored.region === target.region;
  }
  return "url" in stored && "url" in target && stored.url === target.url;
}

/** The field order of `toStoredTarget`. PostgreSQL stores the fields of JSON in another order. */
function orderRecipientFields(recipients: ChannelRow["recipients"]) {
  return recipients && { roles: recipients.roles, addresses: recipients.addresses };
}

export function channelNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Alert channel not found",
    {},
    { resource: "alert_channel" },
  );
}

export function stateOf(row: ChannelRow): "working" | "off" | "paused" {
  if (!row.is_enabled) return "off";
  return row.paused_at === null ? "working" : "paused";
}

function auditOf(
  event: `alert_channel.${string}`,
  before: ChannelRow | null,
  after: ChannelRow | null,
  isTargetReplaced = false,
): AuditEntry {
  return {
    event,
    subject: { type: "alert_channel", id: (after ?? before)?.id ?? "" },
    workspaceId: null,
    before: before && toAudit(before),
    after: after && {
      ...toAudit(after),
      ...(isTargetReplaced && after.kind !== "email" && { target_replaced: true }),
    },
  };
}

function toAudit(row: ChannelRow) {
  return {
    name: row.name,
    kind: row.kind,
    state: stateOf(row),
    recipients: orderRecipientFields(row.recipients),
    target_hint: row.target_hint,
  };
}

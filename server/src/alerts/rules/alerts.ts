import type { AlertCondition, AlertKind } from "@bursar/contract/admin/alerts.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import { checkEverywhere } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { lockScopeOfPeople } from "#src/access/limited-scope.ts";
import {
  checkWorkspaceReach,
  getActiveWorkspaceForChange,
  getVisibleWorkspace,
  getWorkspaceIdOfApiKey,
} from "#src/access/visible-workspace.ts";
import { fireCrossedThresholds } from "#src/alerts/firing/fire-spend.ts";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { checkVersion } from "#src/domain/check-version.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { readAmount } from "#src/domain/read-amount.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { isOwnScope, toWireScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import {
  type AlertChange,
  changeAlert,
  findFirstChannel,
  insertAlert,
  listChannelIds,
  lockAlert,
  markDeleted,
  setChannels,
} from "./alert-changes.sql.ts";
import {
  type AlertRow,
  type AlertVisibility,
  findAlert,
  listAlerts as listRows,
} from "./alerts.sql.ts";

export type AlertDeps = AuditDeps & AlertingDeps;

export interface NewAlert {
  name: string;
  scope: CountedScope;
  includes_below: boolean;
  condition: AlertCondition;
  channel_ids?: readonly string[] | undefined;
  notifies_owner: boolean;
  is_enabled: boolean;
  collect_minutes: number;
}

/**
 * Creates an alert, and fires thresholds that are already crossed in the same transaction. Throws a 404 for a hidden scope, a
 * 403 without permission, and a 400 for an archived scope or an unknown channel.
 */
export function createAlert(
  deps: AlertDeps,
  { caller, origin }: Call,
  input: NewAlert,
): Promise<AlertRow> {
  const condition = checkCondition(input.condition);
  const nowMs = deps.nowMs();
  const id = newId(idPrefixes.alert, nowMs, deps.randomBytes);
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    checkScopeOfKind(input.scope, condition);
    const scope = await findScope(tx, caller, input.scope);
    await insertAlert(tx, {
      ...{ id, organizationId, condition, name: input.name },
      ...{ scopeType: scope.scopeType, scopeId: scope.scopeId },
      ...{ includesBelow: input.includes_below, notifiesOwner: input.notifies_owner },
      ...{ isEnabled: input.is_enabled, collectMinutes: input.collect_minutes },
      createdAt: new Date(nowMs),
    });
    await setChannels(tx, id, await getChannelIds(tx, organizationId, input.channel_ids));
    await fireCrossedThresholds(tx, deps, { organizationId, alertId: id });
    const after = await getRow(tx, visibilityOf(caller), id);
    const subject = { type: "alert", id } as const;
    const { workspaceId } = scope;
    const audit = { event: "alert.created", subject, workspaceId, before: null } as const;
    return { result: after, audit: { ...audit, after: toAudit(after) } };
  });
}

export interface AlertChanges {
  name?: string | undefined;
  includes_below?: boolean | undefined;
  condition?: AlertCondition | undefined;
  channel_ids?: readonly string[] | undefined;
  notifies_owner?: boolean | undefined;
  is_enabled?: boolean | undefined;
  collect_minutes?: number | undefined;
  muted_until?: string | null | undefined;
  if_version?: number | undefined;
}

/** Throws a 404, a 403, a 409 for another version, and a 400 for another kind. */
export function updateAlert(
  deps: AlertDeps,
  { caller, origin }: Call,
  id: string,
  input: AlertChanges,
): Promise<AlertRow> {
  const { organizationId } = caller;
  const now = new Date(deps.nowMs());
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForChange(tx, caller, id);
    checkVersion("alert", before, input.if_version);
    const condition = input.condition ? checkCondition(input.condition) : before.condition;
    if (condition.kind !== before.kind) {
      throw refuseField(
        "condition.kind",
        `the kind of an alert cannot change: this one is ${before.kind}. Create another alert.`,
      );
    }
    const muted = input.muted_until;
    const mutedUntil = typeof muted === "string" ? new Date(muted) : muted;
    const change = {
      name: input.name ?? before.name,
      includesBelow: input.includes_below ?? before.includesBelow,
      condition,
      notifiesOwner: input.notifies_owner ?? before.notifiesOwner,
      isEnabled: input.is_enabled ?? before.isEnabled,
      collectMinutes: input.collect_minutes ?? before.collectMinutes,
      mutedUntil: mutedUntil === undefined ? before.mutedUntil : mutedUntil,
    };
    if (isUnchanged(before, change, input.channel_ids))
      return { result: before, audit: "unchanged" };
    await changeAlert(tx, { id, now }, change);
    if (input.channel_ids) {
      await setChannels(tx, id, await getChannelIds(tx, organizationId, input.channel_ids));
    }
    await fireCrossedThresholds(tx, deps, { organizationId, alertId: id });
    const after = await getRow(tx, visibilityOf(caller), id);
    const { workspaceId } = before;
    const audit = { event: "alert.updated", subject: { type: "alert", id }, workspaceId } as const;
    return { result: after, audit: { ...audit, before: toAudit(before), after: toAudit(after) } };
  });
}

/** Deletes an alert. The firings stay. Throws a 404 and a 403. */
export function deleteAlert(
  deps: AlertDeps,
  { caller, origin }: Call,
  id: string,
): Promise<{ id: string }> {
  const now = new Date(deps.nowMs());
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForChange(tx, caller, id);
    await markDeleted(tx, { id, now });
    const { workspaceId } = before;
    const audit = { event: "alert.deleted", subject: { type: "alert", id }, workspaceId } as const;
    return { result: { id }, audit: { ...audit, before: toAudit(before), after: null } };
  });
}

export function getAlert(deps: AlertDeps, { caller }: Call, id: string): Promise<AlertRow> {
  return getRow(deps.database, visibilityOf(caller), id);
}

export interface AlertQuery {
  kinds?: readonly AlertKind[] | undefined;
  workspace_id?: string | undefined;
  api_key_id?: string | undefined;
}

/** Throws a 404 for a workspace or key that the caller cannot see. */
export async function listAlerts(
  deps: AlertDeps,
  { caller }: Call,
  query: AlertQuery,
  page: PageRequest,
): Promise<PageOfRows<AlertRow>> {
  await checkScopeFilters(deps, caller, query);
  const filter = {
    ...visibilityOf(caller),
    kinds: query.kinds,
    workspaceId: query.workspace_id,
    apiKeyId: query.api_key_id,
  };
  return toPage(await listRows(deps.database, filter, page), page);
}

export async function checkScopeFilters(
  deps: AlertDeps,
  caller: Caller,
  { workspace_id: workspaceId, api_key_id: apiKeyId }: AlertQuery,
): Promise<void> {
  const { database } = deps;
  if (workspaceId !== undefined) {
    await getVisibleWorkspace(database, caller, "alerts:read", workspaceId);
  }
  if (apiKeyId !== undefined)
    await getWorkspaceIdOfApiKey(database, caller, "alerts:read", apiKeyId);
}

export function visibilityOf(caller: Caller): AlertVisibility {
  return {
    organizationId: caller.organizationId,
    onlyWorkspaceIds: listPermittedWorkspaces(caller, "alerts:read"),
  };
}

/** Throws a 403 unless the caller can change alerts of this workspace, or of the organization (null). */
export function checkCanChange(caller: Caller, workspaceId: string | null): void {
  if (workspaceId === null) checkEverywhere(caller, "alerts:write");
  else checkWorkspaceReach(caller, "alerts:write", workspaceId);
}

async function getRow(
  db: Parameters<typeof findAlert>[0],
  visibility: AlertVisibility,
  id: string,
): Promise<AlertRow> {
  const row = await findAlert(db, visibility, id);
  if (row === null)
    throw new ApiError("resource_not_found", "Alert not found", {}, { resource: "alert" });
  return row;
}

async function getForChange(tx: Tx, caller: Caller, id: string): Promise<AlertRow> {
  const found = await getRow(tx, visibilityOf(caller), id);
  checkCanChange(caller, found.workspaceId);
  await lockAlert(tx, id);
  // The alert may have changed or been deleted during the wait for the lock.
  return getRow(tx, visibilityOf(caller), id);
}

const kindsOfPeople: readonly AlertKind[] = ["spend_limit", "limit_overrun", "forecast"];

/** Throws a 400 for a member, group or tag, unless the alert is about spend. */
export function checkScopeOfKind({ type }: CountedScope, { kind }: AlertCondition): void {
  if (isOwnScope(type) || kindsOfPeople.includes(kind)) return;
  throw refuseField(
    "scope.type",
    `an alert of the kind ${kind} watches the organization, a workspace or a key. Alerts of a ${type} have one of the kinds ${kindsOfPeople.join(", ")}.`,
  );
}

/** Returns the scope and locks it. Throws a 404 for a hidden scope, a 403 without permission, and a 400 for an archived one. */
export async function findScope(
  tx: Tx,
  caller: Caller,
  scope: CountedScope,
): Promise<{ scopeType: CountedScope["type"]; scopeId: string; workspaceId: string | null }> {
  if (scope.type === "organization") {
    checkEverywhere(caller, "alerts:write");
    return { scopeType: "organization", scopeId: caller.organizationId, workspaceId: null };
  }
  if (scope.type === "workspace") {
    const { workspace_id: wanted } = scope;
    const { id } = await getActiveWorkspaceForChange(tx, caller, "alerts:write", wanted);
    return { scopeType: "workspace", scopeId: id, workspaceId: id };
  }
  if (scope.type !== "api_key") {
    const { scopeType, scopeId } = await lockScopeOfPeople(tx, caller, scope, "alerts:write");
    return { scopeType, scopeId, workspaceId: null };
  }
  const { api_key_id: scopeId } = scope;
  const workspaceId = await getWorkspaceIdOfApiKey(tx, caller, "alerts:read", scopeId);
  await getActiveWorkspaceForChange(tx, caller, "alerts:write", workspaceId);
  return { scopeType: "api_key", scopeId, workspaceId };
}

/** Throws a 400 for an unknown channel. `ids` omitted: the oldest mail channel for Owners or Admins. */
async function getChannelIds(
  tx: Tx,
  organizationId: string,
  ids: readonly string[] | undefined,
): Promise<readonly string[]> {
  if (ids === undefined) {
    const first = await findFirstChannel(tx, organizationId);
    return first === null ? [] : [first];
  }
  const wanted = [...new Set(ids)];
  const found = new Set(await listChannelIds(tx, { organizationId, ids: wanted }));
  const missing = wanted.find((id) => !found.has(id));
  if (missing !== undefined) {
    throw refuseField("channel_ids", `alert channel ${missing} not found.`);
  }
  return wanted;
}

/** Throws a 400 for an amount that cannot be stored exactly. */
export function checkCondition(condition: AlertCondition): AlertCondition {
  if (condition.kind === "unusual_spend") readAmount("condition.min_usd", condition.min_usd);
  if (condition.kind !== "spend_limit") return condition;
  for (const threshold of condition.thresholds) {
    if ("percent" in threshold) continue;
    if (readAmount("condition.thresholds.amount_usd", threshold.amount_usd) > 0n) continue;
    throw refuseField("condition.thresholds.amount_usd", "expected an amount above 0.");
  }
  return condition;
}

function isUnchanged(
  before: AlertRow,
  change: AlertChange,
  channelIds: readonly string[] | undefined,
): boolean {
  const { name, includesBelow, condition, notifiesOwner, isEnabled } = before;
  const { collectMinutes, mutedUntil } = before;
  const channels = before.channels.map(({ id }) => id).sort();
  return (
    isSame(change, {
      ...{ name, includesBelow, condition, notifiesOwner, isEnabled, collectMinutes, mutedUntil },
    }) &&
    (channelIds === undefined || isSame([...channelIds].sort(), channels))
  );
}

export function toAudit(alert: AlertRow) {
  const { condition } = alert;
  assert(condition.kind === alert.kind, "an alert and its condition have one kind");
  return {
    name: alert.name,
    scope: { ...toWireScope(alert) },
    includes_below: alert.includesBelow,
    condition: JSON.parse(JSON.stringify(condition)),
    channel_ids: alert.channels.map(({ id }) => id),
    notifies_owner: alert.notifiesOwner,
    is_enabled: alert.isEnabled,
    collect_minutes: alert.collectMinutes,
    muted_until: alert.mutedUntil?.toISOString() ?? null,
  };
}

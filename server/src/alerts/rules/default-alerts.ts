import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransactionByActor,
} from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import type { Tx } from "#src/db/pool.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { VERSION } from "#src/lib/program-version.ts";
import { findFirstChannel, insertAlert, setChannels } from "./alert-changes.sql.ts";
import { findAlert } from "./alerts.sql.ts";
import { toAudit } from "./alerts.ts";
import {
  type AlertMark,
  insertMailChannel,
  listWithoutAlert,
  listWithoutDefaultAlerts,
  markAlert,
  markDefaultAlerts,
} from "./default-alerts.sql.ts";

// Default alerts of a new organization, so that its first limit is already watched.

interface DefaultAlert {
  name: string;
  condition: AlertCondition;
  notifiesOwner: boolean;
  /** False if a key, its workspace and the organization would all fire for one cause. */
  includesBelow: boolean;
  /** Minutes. Default: 0. */
  collectMinutes?: number;
}

/** The first small limits of a new organization cross several thresholds within minutes. People get one message then. */
const COLLECT_MINUTES = 5;

const overrunAlert: DefaultAlert = {
  name: "Spend beyond limits",
  condition: { kind: "limit_overrun" },
  notifiesOwner: false,
  includesBelow: true,
};

const failoverAlert: DefaultAlert = {
  name: "Database failovers",
  condition: { kind: "database_failover" },
  notifiesOwner: false,
  includesBelow: false,
};

const boundAlert: DefaultAlert = {
  name: "Models and tools beyond their bounds",
  condition: { kind: "bound_exceeded" },
  notifiesOwner: false,
  includesBelow: false,
};

/** Alerts that newer versions have added, each with the mark of organizations that have it. */
const laterAlerts = [
  { alert: overrunAlert, mark: "has_overrun_alert" },
  { alert: failoverAlert, mark: "has_failover_alert" },
  { alert: boundAlert, mark: "has_bound_alert" },
] as const satisfies readonly { alert: DefaultAlert; mark: AlertMark }[];

const defaultAlerts: readonly DefaultAlert[] = [
  {
    name: "Spend limits",
    condition: {
      kind: "spend_limit",
      thresholds: [{ percent: 50 }, { percent: 75 }, { percent: 90 }, { percent: 100 }],
    },
    notifiesOwner: false,
    includesBelow: true,
    collectMinutes: COLLECT_MINUTES,
  },
  overrunAlert,
  {
    name: "Keys about to expire",
    condition: { kind: "key_expiring", days: [14, 3] },
    notifiesOwner: true,
    includesBelow: true,
  },
  {
    name: "Forecast",
    condition: { kind: "forecast", percent: 100 },
    notifiesOwner: false,
    includesBelow: true,
    collectMinutes: COLLECT_MINUTES,
  },
  {
    name: "Unusual spend",
    condition: { kind: "unusual_spend", factor: 4, min_usd: 5 },
    notifiesOwner: false,
    includesBelow: true,
  },
  {
    name: "Upstream errors",
    condition: { kind: "upstream_errors", percent: 20, min_requests: 20, minutes: 15 },
    notifiesOwner: false,
    includesBelow: false,
  },
  failoverAlert,
  boundAlert,
];

const channelName = "Owners and Admins";
const channelRoles = ["owner", "admin"] as const;

/**
 * Creates the default alerts and their channel in each organization that never had them. Concurrent nodes create them once.
 * Deleted alerts do not come back.
 */
export async function createDefaultAlerts(deps: AuditDeps): Promise<void> {
  for (const id of await listWithoutDefaultAlerts(deps.database))
    await createAlertsForOrganization(deps, id);
}

function createAlertsForOrganization(deps: AuditDeps, organizationId: string): Promise<null> {
  const now = new Date(deps.nowMs());
  const actor = { type: "system", id: "first_alerts" };
  const maker = { organizationId, actor, origin: makeSystemOrigin(deps, now) };
  return auditedTransactionByActor(deps, maker, async (tx) => {
    if (!(await markDefaultAlerts(tx, organizationId))) return { result: null, audit: "unchanged" };
    const channelId = newId(idPrefixes.alertChannel, now.getTime(), deps.randomBytes);
    const audit = [
      await createDefaultChannel(tx, { id: channelId, organizationId, createdAt: now }),
    ];
    for (const each of defaultAlerts) {
      const id = newId(idPrefixes.alert, now.getTime(), deps.randomBytes);
      audit.push(
        await createDefaultAlert(tx, each, { id, organizationId, channelId, createdAt: now }),
      );
    }
    return { result: null, audit };
  });
}

/**
 * Creates alerts of newer versions in organizations with older default alerts, once. Waits until no node of another version
 * is alive, because older versions cannot read these kinds. A deleted alert does not come back.
 */
export async function createLaterAlerts(deps: AuditDeps): Promise<void> {
  for (const { alert, mark } of laterAlerts) {
    const ids = await listWithoutAlert(deps.database, { mark, version: VERSION });
    for (const id of ids) await createLaterAlert(deps, id, { alert, mark });
  }
}

function createLaterAlert(
  deps: AuditDeps,
  organizationId: string,
  { alert, mark }: { alert: DefaultAlert; mark: AlertMark },
): Promise<null> {
  const createdAt = new Date(deps.nowMs());
  const actor = { type: "system", id: "first_alerts" };
  const maker = { organizationId, actor, origin: makeSystemOrigin(deps, createdAt) };
  return auditedTransactionByActor(deps, maker, async (tx) => {
    const isFirst = await markAlert(tx, { organizationId, mark });
    if (!isFirst) return { result: null, audit: "unchanged" };
    const id = newId(idPrefixes.alert, createdAt.getTime(), deps.randomBytes);
    const channelId = await findFirstChannel(tx, organizationId);
    const of = { id, organizationId, channelId, createdAt };
    return { result: null, audit: await createDefaultAlert(tx, alert, of) };
  });
}

/** The audit event has the same form as for a channel that a caller creates (alerts/channels). */
async function createDefaultChannel(
  tx: Tx,
  of: { id: string; organizationId: string; createdAt: Date },
): Promise<AuditEntry> {
  await insertMailChannel(tx, { ...of, name: channelName, roles: channelRoles });
  return {
    event: "alert_channel.created",
    subject: { type: "alert_channel", id: of.id },
    workspaceId: null,
    before: null,
    after: {
      name: channelName,
      kind: "email",
      state: "working",
      recipients: { roles: [...channelRoles], addresses: [] },
      target_hint: null,
    },
  };
}

async function createDefaultAlert(
  tx: Tx,
  { name, condition, notifiesOwner, includesBelow, collectMinutes = 0 }: DefaultAlert,
  of: { id: string; organizationId: string; channelId: string | null; createdAt: Date },
): Promise<AuditEntry> {
  const { id, organizationId, channelId, createdAt } = of;
  await insertAlert(tx, {
    ...{ id, organizationId, name, condition, notifiesOwner, createdAt },
    ...{ scopeType: "organization", scopeId: organizationId, includesBelow, isEnabled: true },
    collectMinutes,
  });
  await setChannels(tx, id, channelId === null ? [] : [channelId]);
  const row = await findAlert(tx, { organizationId, onlyWorkspaceIds: null }, id);
  assert(row !== null, "a created alert exists");
  const subject = { type: "alert", id } as const;
  return { event: "alert.created", subject, workspaceId: null, before: null, after: toAudit(row) };
}

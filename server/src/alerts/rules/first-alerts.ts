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
  insertMailChannel,
  listWithoutFirstAlerts,
  listWithoutOverrunAlert,
  markFirstAlerts,
  markOverrunAlert,
} from "./first-alerts.sql.ts";

// What each organization begins with, so that the first limit that anybody sets is watched. Only kinds that something
// looks for stand here.

interface FirstAlert {
  name: string;
  condition: AlertCondition;
  notifiesOwner: boolean;
  /** Where it would not say the same thing of a key, its workspace and the organization. */
  includesBelow: boolean;
}

const overrunAlert: FirstAlert = {
  name: "Spend beyond limits",
  condition: { kind: "limit_overrun" },
  notifiesOwner: false,
  includesBelow: true,
};

const firstAlerts: readonly FirstAlert[] = [
  {
    name: "Spend limits",
    condition: {
      kind: "spend_limit",
      thresholds: [{ percent: 50 }, { percent: 75 }, { percent: 90 }, { percent: 100 }],
    },
    notifiesOwner: false,
    includesBelow: true,
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
];

const channelName = "Owners and Admins";
const channelRoles = ["owner", "admin"] as const;

/**
 * Gives each organization that has never had them its first alerts, and the channel for them. Once, however many nodes
 * start: what is deleted later does not come back.
 */
export async function createDefaultAlerts(deps: AuditDeps): Promise<void> {
  for (const id of await listWithoutFirstAlerts(deps.database)) await giveTo(deps, id);
}

function giveTo(deps: AuditDeps, organizationId: string): Promise<null> {
  const now = new Date(deps.nowMs());
  const actor = { type: "system", id: "first_alerts" };
  const maker = { organizationId, actor, origin: makeSystemOrigin(deps, now) };
  return auditedTransactionByActor(deps, maker, async (tx) => {
    if (!(await markFirstAlerts(tx, organizationId))) return { result: null, audit: "unchanged" };
    const channelId = newId(idPrefixes.alertChannel, now.getTime(), deps.randomBytes);
    const audit = [await giveChannel(tx, { id: channelId, organizationId, createdAt: now })];
    for (const each of firstAlerts) {
      const id = newId(idPrefixes.alert, now.getTime(), deps.randomBytes);
      audit.push(await giveAlert(tx, each, { id, organizationId, channelId, createdAt: now }));
    }
    return { result: null, audit };
  });
}

/**
 * Creates the alert about spend beyond limits for organizations whose first alerts are older than it: once, and only when
 * no node of another version is alive, since older ones cannot read this kind. A deleted alert does not come back.
 */
export async function createOverrunAlerts(deps: AuditDeps): Promise<void> {
  const ids = await listWithoutOverrunAlert(deps.database, VERSION);
  for (const id of ids) await createOverrunAlert(deps, id);
}

function createOverrunAlert(deps: AuditDeps, organizationId: string): Promise<null> {
  const createdAt = new Date(deps.nowMs());
  const actor = { type: "system", id: "first_alerts" };
  const maker = { organizationId, actor, origin: makeSystemOrigin(deps, createdAt) };
  return auditedTransactionByActor(deps, maker, async (tx) => {
    const isFirst = await markOverrunAlert(tx, organizationId);
    if (!isFirst) return { result: null, audit: "unchanged" };
    const id = newId(idPrefixes.alert, createdAt.getTime(), deps.randomBytes);
    const channelId = await findFirstChannel(tx, organizationId);
    const of = { id, organizationId, channelId, createdAt };
    return { result: null, audit: await giveAlert(tx, overrunAlert, of) };
  });
}

/** The event is as one of a channel that somebody made: see alerts/channels. */
async function giveChannel(
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

async function giveAlert(
  tx: Tx,
  { name, condition, notifiesOwner, includesBelow }: FirstAlert,
  of: { id: string; organizationId: string; channelId: string | null; createdAt: Date },
): Promise<AuditEntry> {
  const { id, organizationId, channelId, createdAt } = of;
  await insertAlert(tx, {
    ...{ id, organizationId, name, condition, notifiesOwner, createdAt },
    ...{ scopeType: "organization", scopeId: organizationId, includesBelow, isEnabled: true },
  });
  await setChannels(tx, id, channelId === null ? [] : [channelId]);
  const row = await findAlert(tx, { organizationId, onlyWorkspaceIds: null }, id);
  assert(row !== null, "an alert that was made is there");
  const subject = { type: "alert", id } as const;
  return { event: "alert.created", subject, workspaceId: null, before: null, after: toAudit(row) };
}

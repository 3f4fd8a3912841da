import { randomUUID } from "node:crypto";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AddedEvent,
  type AuditDeps,
  appendAuditEvent,
  auditedTransaction,
  startAuditChain,
} from "#src/audit/audited-transaction.ts";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { defaultDisplayColor } from "#src/domain/display-color.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import {
  findFirstOrganization,
  findOrganization,
  findSettings,
  insertDefaultWorkspace,
  insertOrganization,
  lockFirstStart,
  type OrganizationRow,
  type OrganizationSettingsRow,
  saveOrganization,
} from "./organizations.sql.ts";

/**
 * Returns the organization of this installation. Creates it with its default workspace if the database has none.
 * Concurrent starts create one.
 */
export async function ensureOrganization(deps: AuditDeps, name: string): Promise<OrganizationRow> {
  const { organization, added } = await inTransaction(deps.database, async (tx) => {
    await lockFirstStart(tx);
    const organization = await findFirstOrganization(tx);
    return organization ? { organization, added: null } : await createIn(tx, deps, name);
  });
  if (added !== null) deps.onAudited(added);
  return organization;
}

/** Creates another organization in the same database. Organizations cannot see each other. */
export async function createOrganization(deps: AuditDeps, name: string): Promise<OrganizationRow> {
  const { organization, added } = await inTransaction(deps.database, (tx) =>
    createIn(tx, deps, name),
  );
  deps.onAudited(added);
  return organization;
}

async function createIn(
  tx: Tx,
  deps: AuditDeps,
  name: string,
): Promise<{ organization: OrganizationRow; added: AddedEvent }> {
  const nowMs = deps.nowMs();
  const organization = { id: randomUUID(), name };
  const createdAt = new Date(nowMs);
  const workspaceId = newId(idPrefixes.workspace, nowMs, deps.randomBytes);
  await insertOrganization(tx, { ...organization, createdAt });
  await insertDefaultWorkspace(tx, {
    id: workspaceId,
    organizationId: organization.id,
    displayColor: defaultDisplayColor(workspaceId),
    createdAt,
  });
  await startAuditChain(tx, deps, organization.id);
  const added = await appendAuditEvent(tx, deps, {
    entry: {
      event: "organization.created",
      subject: { type: "organization", id: organization.id },
      workspaceId: null,
      before: null,
      after: { name, default_workspace_id: workspaceId },
    },
    organizationId: organization.id,
    actor: { type: "system", id: "first start" },
    origin: {
      requestId: newId(idPrefixes.request, nowMs, deps.randomBytes),
      ipAddress: null,
      userAgent: null,
    },
  });
  await bumpChangeCounter(tx);
  return { organization, added };
}

/** Returns the caller's organization. */
export async function getOrganization(
  deps: Pick<AuditDeps, "database">,
  { caller }: Call,
): Promise<OrganizationRow> {
  const row = await findOrganization(deps.database, caller.organizationId);
  assert(row !== null, "a caller's organization exists");
  return row;
}

/** Returns the caller's organization with its settings. */
export function getOrganizationSettings(
  deps: Pick<AuditDeps, "database">,
  { caller }: Call,
): Promise<OrganizationSettingsRow> {
  return getSettings(deps.database, caller.organizationId);
}

type ChangeableSettings = Pick<
  OrganizationSettingsRow,
  "name" | "billing_group_tag" | "login_notice"
>;
export type OrganizationChange = {
  [Field in keyof ChangeableSettings]?: ChangeableSettings[Field] | undefined;
};

export function updateOrganization(
  deps: AuditDeps,
  { caller, origin }: Call,
  change: OrganizationChange,
): Promise<OrganizationSettingsRow> {
  const { organizationId: id } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getSettings(tx, id, true);
    const {
      name = before.name,
      billing_group_tag = before.billing_group_tag,
      login_notice = before.login_notice,
    } = change;
    const result = { ...before, name, billing_group_tag, login_notice };
    const [old, changed] = [toAudit(before), toAudit(result)];
    if (isSame(old, changed)) return { result: before, audit: "unchanged" };
    await saveOrganization(tx, result);
    return {
      result,
      audit: {
        event: "organization.updated",
        subject: { type: "organization", id },
        workspaceId: null,
        before: old,
        after: changed,
      },
    };
  });
}

function toAudit({ name, billing_group_tag, login_notice }: OrganizationSettingsRow) {
  return { name, billing_group_tag, login_notice };
}

async function getSettings(
  db: Database | Tx,
  id: string,
  isForUpdate = false,
): Promise<OrganizationSettingsRow> {
  const row = await findSettings(db, id, isForUpdate);
  assert(row !== null, "a caller's organization exists, with its default workspace");
  return row;
}

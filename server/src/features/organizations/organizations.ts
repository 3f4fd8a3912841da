import { randomUUID } from "node:crypto";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { createAuditHead } from "#src/audit/audit.sql.ts";
import { type AuditDeps, appendAuditEvent } from "#src/audit/audited-transaction.ts";
import { genesisHash } from "#src/audit/hash-event.ts";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import type { Tx } from "#src/db/pool.ts";
import { defaultDisplayColor } from "#src/domain/display-color.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import {
  findFirstOrganization,
  findOrganization,
  insertDefaultWorkspace,
  insertOrganization,
  lockFirstStart,
  type OrganizationRow,
} from "./organizations.sql.ts";

/**
 * The organization of this installation, made now with its default workspace if the database has none. However many
 * nodes start at once, one is made.
 */
export function ensureOrganization(deps: AuditDeps, name: string): Promise<OrganizationRow> {
  return deps.database.transaction().execute(async (tx) => {
    await lockFirstStart(tx);
    return (await findFirstOrganization(tx)) ?? (await createIn(tx, deps, name));
  });
}

/** Another organization in the same database. Nothing of one is visible from another. */
export function createOrganization(deps: AuditDeps, name: string): Promise<OrganizationRow> {
  return deps.database.transaction().execute((tx) => createIn(tx, deps, name));
}

async function createIn(tx: Tx, deps: AuditDeps, name: string): Promise<OrganizationRow> {
  const nowMs = Math.floor(deps.nowMs());
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
  await createAuditHead(tx, {
    organizationId: organization.id,
    hash: genesisHash(organization.id),
  });
  await appendAuditEvent(tx, deps, {
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
  return organization;
}

/** The caller's own organization. */
export async function getOrganization(
  deps: Pick<AuditDeps, "database">,
  { caller }: Call,
): Promise<OrganizationRow> {
  const row = await findOrganization(deps.database, caller.organizationId);
  assert(row !== null, "a caller's organization exists");
  return row;
}

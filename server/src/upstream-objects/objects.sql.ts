import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import type { ObjectDescription } from "#src/db/object-tables.ts";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ObjectName } from "#src/domain/object-name.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

/** Workspace that owns objects. */
export interface ObjectOwner {
  organizationId: string;
  workspaceId: string;
}

export interface ObjectRow {
  id: string;
  upstream_id: string;
  api_key_id: string;
  created_at: Date;
  /** End of the object at its upstream. Null: none. */
  expires_at: Date | null;
  /** Null: its upstream has not described it yet. */
  description: ObjectDescription | null;
}

export interface NewObject extends ObjectOwner {
  upstreamId: string;
  failover: FailoverReason | null;
  kind: StoredObjectKind;
  id: string;
  apiKeyId: string;
  /** Whole milliseconds. */
  createdAt: Date;
  expiresAt: Date | null;
  description: ObjectDescription | null;
}

const columns = [
  "id",
  "upstream_id",
  "api_key_id",
  "created_at",
  "expires_at",
  "description",
] as const;

/** Rows of one statement. */
const ROWS = 1_000;

/**
 * Inserts objects. The first workspace with an id keeps it. A known object of the same workspace gets the later end, because
 * each use of a container moves its end.
 */
export async function insertObjects(
  db: Database | Tx,
  objects: readonly NewObject[],
): Promise<void> {
  const rows = listOnce(objects);
  for (let start = 0; start < rows.length; start += ROWS) {
    await db
      .insertInto("upstream_object")
      .values(rows.slice(start, start + ROWS).map(toRow))
      .onConflict((conflict) =>
        conflict
          .columns(["upstream_id", "kind", "id"])
          .doUpdateSet((set) => ({ expires_at: set.ref("excluded.expires_at") }))
          .whereRef("upstream_object.workspace_id", "=", "excluded.workspace_id")
          .whereRef("upstream_object.expires_at", "<", "excluded.expires_at"),
      )
      .execute();
  }
}

/**
 * Lists each object once, with its latest end, because a statement may change a row once only. The order of the keys lets two
 * nodes with the same ids wait for each other, and never deadlock.
 */
function listOnce(objects: readonly NewObject[]): NewObject[] {
  const byKey = new Map<string, NewObject>();
  for (const object of objects) {
    const key = `${object.upstreamId} ${object.kind} ${object.id}`;
    const known = byKey.get(key);
    if (known === undefined || endOf(known) < endOf(object)) byKey.set(key, object);
  }
  return [...byKey.keys()].sort().map((key) => byKey.get(key) as NewObject);
}

function endOf({ expiresAt }: NewObject): number {
  return expiresAt?.getTime() ?? 0;
}

function toRow(object: NewObject) {
  const { description } = object;
  return {
    organization_id: object.organizationId,
    workspace_id: object.workspaceId,
    upstream_id: object.upstreamId,
    failover: object.failover,
    kind: object.kind,
    id: object.id,
    api_key_id: object.apiKeyId,
    created_at: object.createdAt,
    expires_at: object.expiresAt,
    description: description === null ? null : JSON.stringify(description),
  };
}

function selectOwned(db: Database | Tx, owner: ObjectOwner, kind: StoredObjectKind) {
  return db
    .selectFrom("upstream_object")
    .select(columns)
    .where("organization_id", "=", owner.organizationId)
    .where("workspace_id", "=", owner.workspaceId)
    .where("kind", "=", kind);
}

/** Finds an object of the workspace. Null: no object of this workspace. */
export async function findObject(
  db: Database | Tx,
  owner: ObjectOwner,
  { kind, id }: ObjectName,
): Promise<ObjectRow | null> {
  const found = await selectOwned(db, owner, kind)
    .where("id", "=", id)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return found ?? null;
}

/** Finds those of the named objects that the workspace has. */
export async function findObjects(
  db: Database | Tx,
  owner: ObjectOwner,
  names: readonly ObjectName[],
): Promise<(ObjectName & { upstreamId: string })[]> {
  if (names.length === 0) return [];
  const kinds = names.map(({ kind }) => kind);
  const ids = names.map(({ id }) => id);
  const rows = await db
    .selectFrom("upstream_object")
    .select(["kind", "id", "upstream_id"])
    .where("organization_id", "=", owner.organizationId)
    .where("workspace_id", "=", owner.workspaceId)
    .where("kind", "in", [...new Set(kinds)])
    .where("id", "in", ids)
    .execute();
  return rows.map(({ kind, id, upstream_id }) => ({ kind, id, upstreamId: upstream_id }));
}

/** Lists objects of a workspace that end after `now`. `ids`: only these. */
export function listObjects(
  db: Database | Tx,
  owner: ObjectOwner,
  list: { kind: StoredObjectKind; page: PageRequest; ids?: readonly string[]; now: Date },
): Promise<ObjectRow[]> {
  const { kind, page, ids, now } = list;
  const all = selectOwned(db, owner, kind).where((where) =>
    where.or([where("expires_at", "is", null), where("expires_at", ">", now)]),
  );
  const query = ids === undefined ? all : all.where("id", "in", ids);
  return selectPage(query, page).execute();
}

/** Replaces the description of an object of the workspace. */
export async function updateDescription(
  db: Database | Tx,
  owner: ObjectOwner,
  object: ObjectName & { upstreamId: string; description: ObjectDescription },
): Promise<void> {
  await db
    .updateTable("upstream_object")
    .set({ description: JSON.stringify(object.description) })
    .where("organization_id", "=", owner.organizationId)
    .where("workspace_id", "=", owner.workspaceId)
    .where("upstream_id", "=", object.upstreamId)
    .where("kind", "=", object.kind)
    .where("id", "=", object.id)
    .execute();
}

/** Deletes an object of the workspace. False: it is deleted already. */
export async function deleteObject(
  db: Database | Tx,
  owner: ObjectOwner,
  object: ObjectName & { upstreamId: string },
): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("upstream_object")
    .where("organization_id", "=", owner.organizationId)
    .where("workspace_id", "=", owner.workspaceId)
    .where("upstream_id", "=", object.upstreamId)
    .where("kind", "=", object.kind)
    .where("id", "=", object.id)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

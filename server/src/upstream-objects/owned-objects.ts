import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import { isUnavailable } from "#src/db/database-error.ts";
import type { ObjectDescription } from "#src/db/object-tables.ts";
import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { ObjectName } from "#src/domain/object-name.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import {
  deleteObject,
  findObject,
  findObjects,
  insertObjects,
  listObjects,
  type NewObject,
  type ObjectRow,
  updateDescription,
} from "./objects.sql.ts";

/** Workspace and key of a call. */
export type Caller = Pick<FoundKey, "organizationId" | "workspaceId" | "id">;

/** An object that an upstream has just created. */
export interface CreatedObject {
  kind: StoredObjectKind;
  id: string;
  upstreamId: string;
  /** Why the first upstream of the order did not create it. Null: it did. */
  failover: FailoverReason | null;
  /** End of the object at the upstream. Null: none. */
  expiresAt: Date | null;
  description: ObjectDescription | null;
}

/** Objects of workspaces. Each method rejects with `database_unavailable` while the database is away. */
export interface OwnedObjects {
  /** Records objects for the workspace of a key. An object that another workspace has stays there. */
  record(caller: Caller, objects: readonly CreatedObject[]): Promise<void>;
  /** Finds an object of the caller's workspace. Null: no object of this workspace. */
  find(caller: Caller, name: ObjectName): Promise<ObjectRow | null>;
  /** Finds those of the named objects that the caller's workspace has. */
  findAll(
    caller: Caller,
    names: readonly ObjectName[],
  ): Promise<(ObjectName & { upstreamId: string })[]>;
  /** Lists objects that have not expired. `ids`: only these. */
  list(
    caller: Caller,
    list: { kind: StoredObjectKind; page: PageRequest; ids?: readonly string[] },
  ): Promise<PageOfRows<ObjectRow>>;
  describe(
    caller: Caller,
    object: ObjectName & { upstreamId: string; description: ObjectDescription },
  ): Promise<void>;
  delete(caller: Caller, object: ObjectName & { upstreamId: string }): Promise<void>;
}

export function makeOwnedObjects(database: Database, nowMs: () => number): OwnedObjects {
  return {
    record: (caller, objects) =>
      orUnavailable(
        insertObjects(
          database,
          objects.map((object) => toRow(caller, object, nowMs())),
        ),
      ),
    find: (caller, name) => orUnavailable(findObject(database, caller, name)),
    findAll: (caller, names) => orUnavailable(findObjects(database, caller, names)),
    async list(caller, list) {
      const now = new Date(nowMs());
      const rows = await orUnavailable(listObjects(database, caller, { ...list, now }));
      return toPage(rows, list.page);
    },
    describe: (caller, object) => orUnavailable(updateDescription(database, caller, object)),
    async delete(caller, object) {
      await orUnavailable(deleteObject(database, caller, object));
    },
  };
}

function toRow(
  { organizationId, workspaceId, id: apiKeyId }: Caller,
  object: CreatedObject,
  nowMs: number,
): NewObject {
  const createdAt = new Date(Math.trunc(nowMs));
  return { organizationId, workspaceId, apiKeyId, createdAt, ...object };
}

async function orUnavailable<T>(statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new ApiError(
      "database_unavailable",
      "The owner of this object cannot be checked right now, because the server's database does not respond. Retry in a moment.",
      { "retry-after": "1" },
    );
  }
}

import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import type { ObjectName } from "#src/domain/object-name.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";

/** An object that a response gave to its workspace. */
export interface GivenObject {
  kind: StoredObjectKind;
  id: string;
  /** End of the object, milliseconds since the epoch. Null: the response names none. */
  expiresAtMs: number | null;
}

/** Upstream that gave objects. */
export interface ObjectSource {
  upstreamId: string;
  /** Why the first upstream of the order did not answer. Null: it did. */
  failover: FailoverReason | null;
}

/** Objects that messages name. */
export interface ObjectReferences {
  /**
   * Returns the upstream that has all these objects, at once if memory knows them. Throws or rejects with a 404 for an object
   * that the workspace does not own, and with a 400 for objects of several upstreams.
   */
  findUpstreamId(key: FoundKey, names: readonly ObjectName[]): string | Promise<string>;
  /** Records objects for the workspace of a key. Never rejects. */
  recordGiven(
    key: Pick<FoundKey, "organizationId" | "workspaceId" | "id">,
    source: ObjectSource,
    given: readonly GivenObject[],
  ): Promise<void>;
}

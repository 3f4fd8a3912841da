import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import { deniedInWorkspace } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findWorkspaceReach } from "#src/domain/rights.ts";
import { sendChange } from "#src/gateway/send-own-request.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import type { UpstreamChoice } from "#src/upstreams/upstream.ts";
import {
  canSeeUsage,
  findUsageFilter,
  findVisibleUsage,
  type UsageQuery,
} from "#src/usage/visible-usage.ts";
import { deleteObject } from "./objects.sql.ts";
import { findShownObjects, listShownObjects, type ShownObject } from "./shown-objects.sql.ts";

// Stored objects as people see them. Their content is for keys of their workspace alone.

export interface ShownObjectDeps extends AuditDeps {
  upstreams: Pick<UpstreamChoice, "find">;
}

export interface NamedObject extends ShownObject {
  names: UsageNames;
}

interface ObjectQuery extends UsageQuery {
  kind?: StoredObjectKind[] | undefined;
}

/** Returns a page of objects, newest first. Throws a 404 for a workspace or key that the caller cannot see. */
export async function listObjectsForPeople(
  { database, nowMs }: ShownObjectDeps,
  { caller }: Call,
  query: ObjectQuery,
  page: PageRequest,
): Promise<PageOfRows<NamedObject>> {
  const filter = await findUsageFilter(database, caller, query);
  const { organizationId } = caller;
  const rows = await listShownObjects(
    database,
    { ...filter, kinds: query.kind, now: new Date(nowMs()) },
    page,
  );
  const names = await findUsageNames(
    database,
    organizationId,
    rows.map(({ workspace_id, api_key_id }) => ({ workspace_id, api_key_id })),
  );
  return toPage(
    rows.map((row) => ({ ...row, names })),
    page,
  );
}

const paths: Record<StoredObjectKind, string | null> = {
  file: "/v1/files",
  skill: "/v1/skills",
  // Their upstream ends them.
  container: null,
  thread: null,
};

/**
 * Deletes an object at its upstream, then its row. An upstream that no longer has it is no error, so a repeated call completes
 * one that broke off. Throws a 404, a 403, a 400 for a kind that only its upstream ends, and the error of the upstream.
 */
export async function deleteShownObject(
  deps: ShownObjectDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const { organizationId } = caller;
  const found = await getForChange(deps, caller, id);
  await deleteAtUpstream(deps, caller, found);
  await auditedTransaction(deps, caller, origin, async (tx) => {
    const { kind, workspace_id: workspaceId, upstream_id: upstreamId } = found;
    const isDeleted = await deleteObject(
      tx,
      { organizationId, workspaceId },
      { kind, id, upstreamId },
    );
    // Another call has deleted it at the same time.
    if (!isDeleted) return { result: undefined, audit: "unchanged" };
    const audit = {
      event: "stored_object.deleted" as const,
      subject: { type: "stored_object" as const, id },
      workspaceId,
      before: { kind, upstream_id: upstreamId, ...describeObject(found) },
      after: null,
    };
    return { result: undefined, audit };
  });
}

/** Returns the object. Throws a 404 for one that the caller cannot see, and a 403 for one that it cannot delete. */
async function getForChange(
  { database }: ShownObjectDeps,
  caller: Caller,
  id: string,
): Promise<ShownObject> {
  const { organizationId } = caller;
  const visible = await findVisibleUsage(database, caller);
  const all = await findShownObjects(database, { organizationId, id });
  const [object, other] = all.filter((each) => canSeeUsage(visible, each));
  if (object === undefined) throw objectNotFound();
  const { workspace_id: workspaceId } = object;
  if (findWorkspaceReach(caller, "workspaces:write", workspaceId) === null) {
    throw deniedInWorkspace(caller, "workspaces:write", workspaceId);
  }
  if (other === undefined) return object;
  throw refuseField(
    "stored_object_id",
    "several upstreams have an object with this id. Delete it with a key of its workspace.",
  );
}

async function deleteAtUpstream(
  { upstreams }: ShownObjectDeps,
  { organizationId }: Caller,
  { id, kind, upstream_id: upstreamId }: ShownObject,
): Promise<void> {
  const path = paths[kind];
  if (path === null) {
    throw refuseField(
      "stored_object_id",
      `a ${kind} cannot be deleted, because its upstream ends it.`,
    );
  }
  const upstream = upstreams.find(organizationId, upstreamId);
  if (upstream === null) {
    throw new ApiError(
      "upstream_unusable",
      "The upstream that stores this object is no longer set up, or cannot be used.",
    );
  }
  await sendChange(upstream, { method: "DELETE", path: `${path}/${encodeURIComponent(id)}` });
}

/** Facts that an upstream has described. All of them can be absent. */
export function describeObject({ kind, description }: Pick<ShownObject, "kind" | "description">): {
  name: string | null;
  media_type: string | null;
  size_bytes: number | null;
} {
  const text = (name: string) => {
    const value = description?.[name];
    return typeof value === "string" ? value : null;
  };
  const size = description?.["size_bytes"];
  return {
    name: kind === "file" ? text("filename") : (text("display_name") ?? text("display_title")),
    media_type: kind === "file" ? text("mime_type") : null,
    size_bytes: typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : null,
  };
}

function objectNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Stored object not found",
    {},
    { resource: "stored_object" },
  );
}

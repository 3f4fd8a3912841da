import {
  listStoredObjects,
  type storedObject,
  type storedObjectRoutes,
} from "@bursar/contract/admin/stored-objects.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import {
  deleteShownObject,
  describeObject,
  listObjectsForPeople,
  type NamedObject,
  type ShownObjectDeps,
} from "./shown-objects.ts";

export function makeStoredObjectHandlers(
  deps: ShownObjectDeps,
): HandlersFor<(typeof storedObjectRoutes)[number], Call> {
  return {
    listStoredObjects: pagedList(
      listStoredObjects,
      (call, { query }, page) => listObjectsForPeople(deps, call, query, page),
      toWire,
    ),
    deleteStoredObject: async (call, { params: { stored_object_id: id } }) => {
      await deleteShownObject(deps, call, id);
      return { id, type: "stored_object_deleted" };
    },
  };
}

function toWire(object: NamedObject): z.input<typeof storedObject> {
  const { names, workspace_id, api_key_id, upstream_id } = object;
  return {
    id: object.id,
    type: "stored_object",
    kind: object.kind,
    workspace_id,
    workspace_name: names.workspaces.get(workspace_id) ?? null,
    api_key_id,
    api_key_name: names.apiKeys.get(api_key_id) ?? null,
    upstream_id: upstream_id.startsWith(idPrefixes.upstream) ? upstream_id : null,
    failover: object.failover,
    ...describeObject(object),
    created_at: object.created_at.toISOString(),
    expires_at: object.expires_at?.toISOString() ?? null,
  };
}

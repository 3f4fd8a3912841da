import {
  listTags as listTagsRoute,
  type tag,
  type tagRoutes,
} from "@bursar/contract/admin/tags.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { Database } from "#src/db/pool.ts";
import { toPage } from "#src/domain/page-position.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { listTags, type TagRow } from "./tags.sql.ts";

export function makeTagHandlers(deps: {
  database: Database;
}): HandlersFor<(typeof tagRoutes)[number], Call> {
  return {
    listTags: pagedList(
      listTagsRoute,
      async ({ caller }, { query }, page) => {
        const filter = {
          organizationId: caller.organizationId,
          name: query.name,
          workspaceIds: listPermittedWorkspaces(caller, "workspaces:read"),
          keyWorkspaceIds: listPermittedWorkspaces(caller, "api_keys:read"),
        };
        return toPage(await listTags(deps.database, filter, page), page);
      },
      toWire,
    ),
  };
}

function toWire(row: TagRow): z.input<typeof tag> {
  const { created_at, ...rest } = row;
  return { ...rest, type: "tag", created_at: created_at.toISOString() };
}

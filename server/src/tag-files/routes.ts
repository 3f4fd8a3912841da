import type { tagFileRoutes } from "@bursar/contract/admin/tag-files.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { exportTags } from "./export-tags.ts";
import { importTags } from "./import-tags.ts";

export function makeTagFileHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof tagFileRoutes)[number], Call> {
  return {
    exportTags: async (call, { query }) => ({
      mediaType: "text/csv",
      fileName: `tags-${new Date(deps.nowMs()).toISOString().slice(0, 10)}.csv`,
      pieces: await exportTags(deps, call, { names: query.name }),
    }),
    importTags: async (call, { query, body }) => {
      const isDryRun = query.dry_run ?? false;
      const imported = await importTags(deps, call, { csv: body.csv, isDryRun });
      return {
        type: "tag_import",
        is_dry_run: isDryRun,
        row_count: imported.rowCount,
        changed_row_count: imported.changedRowCount,
        changed_tag_count: imported.changedTagCount,
        new_names: imported.newNames,
        changes: imported.changes.map(({ workspaceId, ...change }) => ({
          ...change,
          workspace_id: workspaceId,
        })),
      };
    },
  };
}

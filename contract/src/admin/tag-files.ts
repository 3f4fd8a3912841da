import { z } from "zod";
import { count, queryFlag, queryList, tagName } from "../fields.ts";
import { workspaceId } from "../ids.ts";
import { route } from "../route.ts";

/** Kinds of rows of a file of tags. */
export const tagFileKinds = ["workspace", "api_key"] as const;

/** Beginning of the heading of a column of tags. No name of a tag has a colon. */
export const TAG_COLUMN_PREFIX = "tag:";

/** Maximum number of rows of one import, with the heading. */
export const MAX_TAG_FILE_ROWS = 20_001;
/** Maximum number of columns of tags. */
export const MAX_TAG_FILE_COLUMNS = 200;
const MAX_TAG_FILE_CHARACTERS = 8 * 1024 * 1024;
/** JSON writes some characters of a file as several. */
const MAX_TAG_FILE_BYTES = 2 * MAX_TAG_FILE_CHARACTERS;
/** Maximum number of changed tags that a response lists. */
export const MAX_LISTED_TAG_CHANGES = 1_000;

const subjectId = z.string().meta({ description: "Id of the workspace or the API key." });

const tagFileRow = z
  .object({
    kind: z.enum(tagFileKinds),
    id: subjectId,
    name: z.string(),
    workspace: z.string().meta({ description: "Name of the workspace." }),
  })
  .meta({
    id: "TagFileRow",
    description: "One row of the file. A column for each tag follows, such as `tag:cost_center`.",
  });

export const exportTags = route({
  operationId: "exportTags",
  method: "GET",
  path: "/v1/admin/tags/export",
  summary: "Export tags as CSV",
  description:
    "One row for each active workspace and each API key that is not archived, with a column for each tag. Callers with rights in some workspaces get these rows only. Change the cells and send the file to `POST /v1/admin/tags/import`. The file is UTF-8 with a byte order mark, so that spreadsheets read all letters. Cells that a spreadsheet would read as a formula begin with an apostrophe, which the import removes.",
  action: "workspaces:read",
  audited: null,
  query: z.strictObject({
    name: queryList(tagName).meta({
      description:
        "Names of the columns, also names without a tag yet. Default: all names in use, at most 200.",
    }),
  }),
  response: tagFileRow,
  streams: ["text/csv"],
});

const importedTag = z
  .object({
    kind: z.enum(tagFileKinds),
    name: z.string(),
    tag: z.string().meta({ description: "Name of the tag." }),
    before: z.string().nullable().meta({ description: "Null: no tag." }),
    after: z.string().nullable().meta({ description: "Null: the tag is removed." }),
    id: subjectId,
    workspace_id: workspaceId,
  })
  .meta({ id: "ImportedTag" });

export const importTags = route({
  operationId: "importTags",
  method: "POST",
  path: "/v1/admin/tags/import",
  summary: "Import tags from CSV",
  description:
    "Sets the tags of many workspaces and API keys in one transaction: all rows, or none. Rows are found by `kind` and `id`, and the columns `name` and `workspace` are ignored. An empty cell removes the tag, and a tag without a column stays. Rows and tags that are not in the file stay too. A change needs the rights of a change of the one workspace or key. With `dry_run=true` nothing is changed. The refusal `tag_file_invalid` lists all faults by line. Programs can send the file itself with `content-type: text/csv`.",
  action: "api_keys:write",
  audited: "api_key.updated",
  query: z.strictObject({
    dry_run: queryFlag.meta({ description: "Show the changes without making them." }),
  }),
  body: z.strictObject({
    csv: z.string().min(1).max(MAX_TAG_FILE_CHARACTERS).meta({
      description:
        "CSV file in UTF-8 with a heading, separated by commas, semicolons or tabs. At most 20,000 rows below the heading.",
    }),
  }),
  bodyFile: { field: "csv", mediaType: "text/csv" },
  maxBodyBytes: MAX_TAG_FILE_BYTES,
  response: z
    .object({
      type: z.literal("tag_import"),
      is_dry_run: z.boolean(),
      row_count: count.meta({ description: "Workspaces and keys in the file." }),
      changed_row_count: count.meta({ description: "Workspaces and keys with a difference." }),
      changed_tag_count: count,
      new_names: z.array(z.string()).meta({
        description: "Names that no workspace or key has ever had. One can be a typing mistake.",
      }),
      changes: z.array(importedTag).meta({
        description: "The first 1,000 changed tags, in the order of the file.",
      }),
    })
    .meta({ id: "TagImport" }),
});

export const tagFileRoutes = [exportTags, importTags] as const;

import { MAX_TAG_FILE_COLUMNS, TAG_COLUMN_PREFIX } from "@bursar/contract/admin/tag-files.ts";
import type { FileError, TagFileFault } from "@bursar/contract/error-facts.ts";
import { tagName, tagValue } from "@bursar/contract/fields.ts";
import { toSentence } from "#src/domain/refuse-field.ts";
import type { RankedTags } from "#src/tags/tag-changes.rule.ts";

// Rows of a file of tags: a heading, then one row for each workspace and API key.

export const fixedColumns = ["kind", "id", "name", "workspace"] as const;
const requiredColumns = ["kind", "id"] as const;
type FixedColumn = (typeof fixedColumns)[number];

export type SubjectKind = "workspace" | "api_key";

export const subjectWords: Readonly<Record<SubjectKind, string>> = {
  workspace: "workspace",
  api_key: "API key",
};

/** Places of the columns in each row. */
export interface TagFileColumns {
  kind: number;
  id: number;
  tags: readonly { name: string; at: number }[];
  /** Number of cells of each row. */
  count: number;
}

/** One row with its wanted tags, by the order of the columns. Null: the tag is removed. */
export interface TagFileRow {
  line: number;
  kind: SubjectKind;
  id: string;
  values: readonly (string | null)[];
}

/** Faults of a file. Stores the first ones, and counts the others. */
export interface Faults {
  count: number;
  first: FileError[];
}

const MAX_STORED = 1_000;

export function addFault(faults: Faults, fault: FileError): void {
  faults.count += 1;
  if (faults.first.length < MAX_STORED) faults.first.push(fault);
}

/** Reads the heading. Returns null with faults. */
export function readColumns(cells: readonly string[], faults: Faults): TagFileColumns | null {
  const before = faults.count;
  const refuse = (column: string | null, code: TagFileFault, message: string) =>
    addFault(faults, { line: 1, column, code, message });
  const headings = cells.map((cell) => cell.trim());
  const fixed = new Map<FixedColumn, number>();
  const tags: { name: string; at: number }[] = [];
  const seen = new Set<string>();
  for (const [at, heading] of headings.entries()) {
    if (seen.has(heading)) {
      refuse(heading, "column_duplicate", "The file has this column twice.");
      continue;
    }
    seen.add(heading);
    if (isFixedColumn(heading)) {
      fixed.set(heading, at);
      continue;
    }
    if (!heading.startsWith(TAG_COLUMN_PREFIX)) {
      const advice = `Columns are ${fixedColumns.join(", ")} and those of tags, such as ${TAG_COLUMN_PREFIX}cost_center.`;
      refuse(heading, "column_unknown", `The column is unknown. ${advice}`);
      continue;
    }
    const name = tagName.safeParse(heading.slice(TAG_COLUMN_PREFIX.length).trim());
    if (name.success) tags.push({ name: name.data, at });
    else refuse(heading, "tag_name_invalid", describeInvalid(name.error));
  }
  for (const name of requiredColumns.filter((each) => !fixed.has(each))) {
    refuse(name, "column_missing", "The file needs this column.");
  }
  if (tags.length > MAX_TAG_FILE_COLUMNS) {
    refuse(
      null,
      "too_many_columns",
      `At most ${MAX_TAG_FILE_COLUMNS} columns of tags are possible.`,
    );
  }
  const [kind, id] = [fixed.get("kind"), fixed.get("id")];
  if (faults.count > before || kind === undefined || id === undefined) return null;
  return { kind, id, tags, count: headings.length };
}

function isFixedColumn(heading: string): heading is FixedColumn {
  return (fixedColumns as readonly string[]).includes(heading);
}

/** Makes a function that reads rows in order. The result is null for an empty row, and for a row without a subject. */
export function makeRowReader(columns: TagFileColumns, faults: Faults) {
  const lines = new Map<string, number>();
  const readValue = makeValueReader();
  return (line: number, cells: readonly string[]): TagFileRow | null => {
    if (cells.every((cell) => cell.trim() === "")) return null;
    const refuse = (column: string | null, code: TagFileFault, message: string) => {
      addFault(faults, { line, column, code, message });
      return null;
    };
    if (cells.length !== columns.count) {
      const expected = `The row has ${cells.length} cells, and the heading has ${columns.count}.`;
      return refuse(null, "cell_count_wrong", expected);
    }
    const kind = (cells[columns.kind] ?? "").trim();
    const id = (cells[columns.id] ?? "").trim();
    if (!isSubjectKind(kind)) {
      const expected = Object.keys(subjectWords).join(" or ");
      return refuse("kind", "kind_unknown", `Expected ${expected}.`);
    }
    if (id === "") return refuse("id", "resource_not_found", "The row has no id.");
    const earlier = lines.get(`${kind} ${id}`);
    if (earlier !== undefined) {
      return refuse("id", "row_duplicate", `Line ${earlier} has the same ${subjectWords[kind]}.`);
    }
    lines.set(`${kind} ${id}`, line);
    const values = columns.tags.map(({ name, at }) => {
      const value = readValue(cells[at] ?? "");
      if (typeof value !== "object" || value === null) return value;
      return refuse(`${TAG_COLUMN_PREFIX}${name}`, "tag_value_invalid", value.message);
    });
    return { line, kind, id, values };
  };
}

function isSubjectKind(text: string): text is SubjectKind {
  return Object.hasOwn(subjectWords, text);
}

/** Reads cells. A file repeats few values, so each text is checked once. */
function makeValueReader() {
  const known = new Map<string, string | null | { message: string }>();
  return (cell: string) => {
    const before = known.get(cell);
    if (before !== undefined) return before;
    const value = parseValue(cell);
    known.set(cell, value);
    return value;
  };
}

function parseValue(cell: string): string | null | { message: string } {
  const parsed = tagValue.safeParse(cell);
  if (!parsed.success) return { message: describeInvalid(parsed.error) };
  return parsed.data === "" ? null : parsed.data;
}

interface Issues {
  issues: readonly { code: string; message: string; maximum?: number | bigint }[];
}

function describeInvalid({ issues: [issue] }: Issues): string {
  if (issue?.code === "too_big") return `At most ${issue.maximum} characters are possible.`;
  if (issue?.code === "too_small") return "The name is missing.";
  return toSentence(issue?.message ?? "The text is invalid");
}

/** Tags that the row changes, by name. An empty cell changes no empty value of a workspace. */
export function listDifferences(
  { tags }: RankedTags,
  { values }: TagFileRow,
  columns: TagFileColumns,
): Record<string, string | null> {
  const changed = columns.tags.flatMap(({ name }, index) => {
    const wanted = values[index] ?? null;
    const before = (Object.hasOwn(tags, name) && tags[name]) || null;
    return wanted === before ? [] : [[name, wanted] as const];
  });
  return Object.fromEntries(changed);
}

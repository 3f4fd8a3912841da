import { MAX_LISTED_TAG_CHANGES, TAG_COLUMN_PREFIX } from "@bursar/contract/admin/tag-files.ts";
import type { FileError, TagFileFault } from "@bursar/contract/error-facts.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { toSentence } from "#src/domain/refuse-field.ts";
import {
  findTaggedKeys,
  type RetaggedKey,
  saveTagsOfKeys,
  type TaggedKey,
} from "#src/keys/api-keys/tagged-keys.ts";
import { forEachInSlices, mapInParts } from "#src/lib/slices.ts";
import { changeAllTags, describeRefusal, type WantedTags } from "#src/tags/change-tags.ts";
import type { RankedTags } from "#src/tags/tag-changes.rule.ts";
import { listNewTagNames, listTagsOfWorkspaces, lockTaggedWorkspaces } from "#src/tags/tags.sql.ts";
import {
  findTaggedWorkspaces,
  type RetaggedWorkspace,
  saveTagsOfWorkspaces,
  type TaggedWorkspace,
} from "#src/workspaces/tagged-workspaces.ts";
import { readTagFile, type TagFile } from "./read-tag-file.ts";
import {
  addFault,
  type Faults,
  listDifferences,
  type SubjectKind,
  subjectWords,
  type TagFileRow,
} from "./tag-file.rule.ts";

export interface TagImport {
  rowCount: number;
  changedRowCount: number;
  changedTagCount: number;
  newNames: string[];
  /** The first changed tags, in the order of the file. */
  changes: ImportedTag[];
}

export interface ImportedTag {
  kind: SubjectKind;
  id: string;
  name: string;
  workspaceId: string;
  tag: string;
  before: string | null;
  after: string | null;
}

/**
 * Sets the tags of the file's rows in one transaction, or shows the changes in a dry run. Throws a 400 that lists all faults.
 * Rows without a difference need no right.
 */
export async function importTags(
  deps: AuditDeps,
  { caller, origin }: Call,
  { csv, isDryRun }: { csv: string; isDryRun: boolean },
): Promise<TagImport> {
  const faults: Faults = { count: 0, first: [] };
  const file = await readTagFile(csv, faults);
  if (file === null) throw refuseFile(faults);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    // A deadlock runs this again.
    const found: Faults = { count: faults.count, first: [...faults.first] };
    const nowMs = deps.nowMs();
    const changes = await planChanges(tx, caller, file, { isDryRun, nowMs, faults: found });
    if (found.count > 0) throw refuseFile(found);
    const result = await describeImport(tx, caller, file, changes);
    const audit = isDryRun ? [] : await saveChanges(tx, caller, changes);
    return { result, audit: audit.length > 0 ? audit : "unchanged" };
  });
}

type Subject = { kind: "workspace"; of: TaggedWorkspace } | { kind: "api_key"; of: TaggedKey };

type Change = Subject & { row: TagFileRow; wanted: Record<string, string | null> };
type DecidedChange = Change & { after: RankedTags };

interface Planning {
  isDryRun: boolean;
  nowMs: number;
  faults: Faults;
}

/** Decides the changes of all rows, and adds the faults of rows that cannot change. */
async function planChanges(
  tx: Tx,
  caller: Caller,
  file: TagFile,
  { isDryRun, nowMs, faults }: Planning,
): Promise<DecidedChange[]> {
  const idsOf = (kind: SubjectKind) =>
    file.rows.filter((row) => row.kind === kind).map(({ id }) => id);
  const [ids, apiKeyIds] = [idsOf("workspace"), idsOf("api_key")];
  const { organizationId } = caller;
  if (!isDryRun) await lockTaggedWorkspaces(tx, { organizationId, ids, apiKeyIds });
  const keys = await findTaggedKeys(tx, caller, { ids: apiKeyIds, isLocked: !isDryRun, nowMs });
  const workspaces = await findTaggedWorkspaces(tx, caller, ids);
  const subjects = new Map<string, Subject>([
    ...keys.map((of) => [`api_key ${of.id}`, { kind: "api_key", of }] as const),
    ...workspaces.map((of) => [`workspace ${of.id}`, { kind: "workspace", of }] as const),
  ]);
  const changes: Change[] = [];
  await forEachInSlices(file.rows, (row) => {
    const subject = subjects.get(`${row.kind} ${row.id}`);
    const wanted = subject ? listDifferences(subject.of.tags, row, file.columns) : {};
    const fault = findFault(row, subject, Object.keys(wanted).length > 0);
    if (fault !== null) addFault(faults, { line: row.line, column: null, ...fault });
    else if (subject && Object.keys(wanted).length > 0) changes.push({ ...subject, row, wanted });
  });
  return decideChanges(tx, caller, changes, faults);
}

function findFault(
  { kind, id }: TagFileRow,
  subject: Subject | undefined,
  isChanged: boolean,
): { code: TagFileFault; message: string } | null {
  const noun = subjectWords[kind];
  if (subject === undefined) {
    return { code: "resource_not_found", message: toSentence(`${noun} not found: ${shorten(id)}`) };
  }
  const { refusal } = subject.of;
  if (refusal === "archived") {
    return { code: "resource_archived", message: `The ${noun} is archived. Remove the row.` };
  }
  if (!isChanged || refusal === null) return null;
  return refusal === "expired"
    ? { code: "resource_expired", message: `The ${noun} has expired. Remove the row.` }
    : {
        code: "permission_denied",
        message: `Your role does not let you change this ${noun}. Ask a Workspace Admin.`,
      };
}

const MAX_SHOWN = 60;

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

async function decideChanges(
  tx: Tx,
  caller: Caller,
  changes: readonly Change[],
  faults: Faults,
): Promise<DecidedChange[]> {
  const { organizationId } = caller;
  const workspaceIds = [
    ...new Set(changes.flatMap(({ kind, of }) => (kind === "api_key" ? [of.workspaceId] : []))),
  ];
  const inherited = await listTagsOfWorkspaces(tx, { organizationId, workspaceIds });
  const wanted = changes.map(
    ({ kind, of, wanted }): WantedTags => ({
      before: of.tags,
      change: wanted,
      workspaceId: of.workspaceId,
      inherited: kind === "api_key" ? (inherited.get(of.workspaceId) ?? null) : null,
    }),
  );
  const results = await mapInParts(wanted, (part) => changeAllTags(tx, caller, part));
  return changes.flatMap((change, index) => {
    const result = results[index];
    if (result === undefined) return [];
    if (result.kind === "changed") return [{ ...change, after: result.after }];
    const column = result.kind === "too_many" ? null : `${TAG_COLUMN_PREFIX}${result.name}`;
    const message = toSentence(describeRefusal(result));
    addFault(faults, { line: change.row.line, column, code: faultCodes[result.kind], message });
    return [];
  });
}

const faultCodes = {
  set_above: "tag_set_above",
  too_many: "too_many_tags",
  similar_names: "tag_names_similar",
} as const satisfies Record<string, TagFileFault>;

async function saveChanges(
  tx: Tx,
  caller: Caller,
  changes: readonly DecidedChange[],
): Promise<AuditEntry[]> {
  const workspaces: RetaggedWorkspace[] = [];
  const keys: RetaggedKey[] = [];
  for (const { after, ...change } of changes) {
    if (change.kind === "workspace") workspaces.push({ subject: change.of, after });
    else keys.push({ subject: change.of, after });
  }
  return [
    ...(await saveTagsOfWorkspaces(tx, caller, workspaces)),
    ...(await saveTagsOfKeys(tx, caller, keys)),
  ];
}

async function describeImport(
  tx: Tx,
  caller: Caller,
  file: TagFile,
  changes: readonly DecidedChange[],
): Promise<TagImport> {
  const tags = changes.flatMap(toImportedTags);
  const set = tags.flatMap(({ tag, after }) => (after === null ? [] : [tag]));
  return {
    rowCount: file.rows.length,
    changedRowCount: changes.length,
    changedTagCount: tags.length,
    newNames: await listNewTagNames(tx, caller.organizationId, [...new Set(set)]),
    changes: tags.slice(0, MAX_LISTED_TAG_CHANGES),
  };
}

function toImportedTags({ kind, of, wanted }: DecidedChange): ImportedTag[] {
  const { id, name, workspaceId, tags } = of;
  return Object.entries(wanted).map(([tag, after]) => {
    const before = (Object.hasOwn(tags.tags, tag) && tags.tags[tag]) || null;
    return { kind, id, name, workspaceId, tag, before, after };
  });
}

/** Faults that the refusal lists. */
const MAX_LISTED = 100;

function refuseFile({ count, first }: Faults): ApiError {
  const listed = first.toSorted((a, b) => a.line - b.line).slice(0, MAX_LISTED);
  const counted = count === 1 ? "one fault" : `${count} faults`;
  const example = listed.slice(0, 1).map(describeFault);
  const message = [`The file has ${counted}, and nothing was changed.`, ...example].join(" ");
  const facts = { file_errors: listed, file_error_count: count };
  return new ApiError("tag_file_invalid", message, {}, facts);
}

function describeFault({ line, column, message }: FileError): string {
  const place = column === null ? "" : `, ${shorten(column)}`;
  return `Line ${line}${place}: ${message}`;
}

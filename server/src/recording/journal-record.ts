import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { DaySpend } from "./segment-index.ts";

// Records of a journal, and the stored part of a begin.

/** Maximum length of a client-chosen text, characters. The rest is cut off. */
export const MAX_TEXT_CHARS = 256;

/** First record of a segment. Sequence numbers, except as named. */
export interface SegmentRecord {
  kind: "segment";
  nodeId: string;
  /** Lower bound of the numbers that were new to the journal when the segment was created. */
  firstSeq: number;
  /** Last `end` before this segment. 0: none. */
  lastEndSeq: number;
  /** Oldest `begin` without an end at that time. `firstSeq`: none. */
  oldestOpenSeq: number;
  /** Number of open requests. The segment repeats their begins. Null in version 1, which repeats none. */
  carriedBegins: number | null;
}

/** Summary of the rows from `fromSeq` up to its own. A start reads it instead of them. Only in the database. */
export interface RowIndex {
  fromSeq: number;
  /** The first end in these rows. Rows are deleted in the order of their ends, so while it exists, all others do. */
  firstEndSeq: number;
  /** Number of ends in these rows. */
  ends: number;
  spend: readonly DaySpend[];
  /** Rows of requests that are open after these rows: their begins and amendments. */
  openSeqs: readonly number[];
}

/** Changed fields of a begin. */
export type BeginChanges = Partial<Omit<BeginRecord, "requestId">>;

/** Fields that only an end has. `prices` is a text, or the number of a text in the same segment. */
export type OwnEnd = Omit<EndRecord, keyof BeginRecord | "prices"> & { prices: string | number };

/**
 * `beginSeq` is the sequence number of a request's first `begin`, and identifies the request. `void` removes a begin.
 * `mark` proves that the disk works.
 */
export type NewRecord =
  | SegmentRecord
  | { kind: "prices"; number: number; text: string }
  | { kind: "begin"; seq: number; record: BeginRecord }
  | { kind: "amend"; seq: number; beginSeq: number; changes: BeginChanges }
  | { kind: "end"; seq: number; beginSeq: number; changes: BeginChanges | null; end: OwnEnd }
  | { kind: "void"; seq: number; beginSeq: number }
  | { kind: "mark"; seq: number }
  | { kind: "index"; seq: number; index: RowIndex };

/** Records of both versions. In version 1 an end has a copy of its begin. */
export type JournalRecord =
  | NewRecord
  | { kind: "endOfV1"; seq: number; record: EndRecord }
  | { kind: "voidOfV1"; seq: number; requestId: string };

/** The fields of a begin that are stored. Other fields of the object, such as a prompt, never reach the disk. */
export function toStoredBegin(record: BeginRecord): BeginRecord {
  const stored: BeginRecord = {
    requestId: record.requestId,
    startedAtMs: record.startedAtMs,
    organizationId: record.organizationId,
    workspaceId: record.workspaceId,
    apiKeyId: record.apiKeyId,
    requestedModel: cutText(record.requestedModel),
    isStream: record.isStream,
    client: record.client,
  };
  if (record.memberId !== undefined) stored.memberId = record.memberId;
  if (record.groupIds !== undefined) stored.groupIds = record.groupIds;
  if (record.tagIds !== undefined) stored.tagIds = record.tagIds;
  if (record.claimed !== undefined) stored.claimed = record.claimed;
  if (record.holdNanoUsd !== undefined) stored.holdNanoUsd = record.holdNanoUsd;
  if (record.smallerHolds !== undefined) stored.smallerHolds = record.smallerHolds;
  if (record.hasUnbilledParts) stored.hasUnbilledParts = true;
  return stored;
}

/** Compares a begin with its stored state. Null: no changes, which is the rule. A field is never removed. */
export function findBeginChanges(stored: BeginRecord, record: BeginRecord): BeginChanges | null {
  // Read by name, because each reading by a variable costs a look-up.
  const isSame =
    stored.startedAtMs === record.startedAtMs &&
    stored.organizationId === record.organizationId &&
    stored.workspaceId === record.workspaceId &&
    stored.apiKeyId === record.apiKeyId &&
    stored.memberId === record.memberId &&
    stored.groupIds === record.groupIds &&
    stored.tagIds === record.tagIds &&
    stored.requestedModel === record.requestedModel &&
    stored.isStream === record.isStream &&
    stored.client === record.client &&
    stored.claimed === record.claimed &&
    stored.holdNanoUsd === record.holdNanoUsd &&
    stored.smallerHolds === record.smallerHolds;
  return isSame ? null : listBeginChanges(stored, record);
}

function listBeginChanges(stored: BeginRecord, record: BeginRecord): BeginChanges | null {
  let changes: BeginChanges | null = null;
  const compare = <Name extends keyof BeginChanges>(name: Name, value: BeginChanges[Name]) => {
    if (value === undefined || stored[name] === value) return;
    changes ??= {};
    changes[name] = value;
  };
  compare("startedAtMs", record.startedAtMs);
  compare("organizationId", record.organizationId);
  compare("workspaceId", record.workspaceId);
  compare("apiKeyId", record.apiKeyId);
  compare("memberId", record.memberId);
  compare("groupIds", record.groupIds);
  compare("tagIds", record.tagIds);
  compare("requestedModel", cutText(record.requestedModel));
  compare("isStream", record.isStream);
  compare("client", record.client);
  compare("claimed", record.claimed);
  compare("holdNanoUsd", record.holdNanoUsd);
  compare("smallerHolds", record.smallerHolds);
  compare("hasUnbilledParts", record.hasUnbilledParts);
  return changes;
}

/** Cuts a client-chosen text. */
export function cutText(text: string): string {
  return text.length > MAX_TEXT_CHARS ? text.slice(0, MAX_TEXT_CHARS) : text;
}

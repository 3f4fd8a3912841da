import { crc32 } from "node:zlib";
import {
  billedMeasures,
  type CostName,
  costParts,
  toRecord,
} from "@bursar/contract/usage-shape.ts";
import type { BeginRecord, EndRecord, SmallerHold } from "#src/domain/request-record.ts";
import { type Cost, noTokens, type TokenUsage } from "#src/domain/usage.ts";
import { StartError } from "#src/lib/start-error.ts";

// One record is one line: 8 hex digits of CRC-32, a space, a JSON object, a newline. The newline comes last, so a
// record that was cut anywhere is not a record. JSON, not binary: it costs 2 µs more and an operator can read it.
// `v` stands in every record. A release reads its own version and the one before; what it adds to a record it adds as
// optional fields, so that the release before, which carries unknown fields along, can read it too.

const JOURNAL_VERSION = 1;

/** First record of a segment: what a start must know to skip the segments before it. */
export interface SegmentRecord {
  kind: "segment";
  nodeId: string;
  /** Every record that follows, here and in later segments, has this sequence number or a higher one. */
  firstSeq: number;
  /** Sequence number of the last `end` written before this segment; 0 when there is none. */
  lastEndSeq: number;
  /** Lowest sequence number of a `begin` that had no end when the segment was made; `firstSeq` when none was open. */
  oldestOpenSeq: number;
}

/** `void` takes back a begin that came to nothing or is already recorded; `mark` says nothing, it proves the disk works. */
export type JournalRecord =
  | SegmentRecord
  | { kind: "begin"; seq: number; record: BeginRecord }
  | { kind: "end"; seq: number; record: EndRecord }
  | { kind: "void"; seq: number; requestId: string }
  | { kind: "mark"; seq: number };

/** A sound record that this release does not understand: a newer one wrote it. Nothing may be skipped, so it stops. */
class JournalVersionError extends StartError {
  constructor(version: unknown) {
    super(
      `the journal holds records of version ${String(version)}, this release reads version ${JOURNAL_VERSION}: ` +
        "start the release that wrote them, or a newer one",
    );
    this.name = "JournalVersionError";
  }
}

/** Longest client-chosen text that is kept: one record stays small whatever a client sends. Characters. */
export const MAX_TEXT_CHARS = 256;
const CRC_CHARS = 8;
const HEAD_BYTES = CRC_CHARS + 1;
const NEWLINE = 10;
const SCRATCH_BYTES = 64 * 1024;

// Reused for every record: one journal writes one record at a time, synchronously.
const scratch = Buffer.allocUnsafe(SCRATCH_BYTES);

/** The line of a record. The buffer is valid until the next call. */
export function encodeRecord(record: JournalRecord): Buffer {
  const json = JSON.stringify(toJson(record));
  const isSmall = json.length * 3 + HEAD_BYTES + 1 <= SCRATCH_BYTES;
  const buffer = isSmall ? scratch : Buffer.allocUnsafe(json.length * 3 + HEAD_BYTES + 1);
  const end = HEAD_BYTES + buffer.write(json, HEAD_BYTES, "utf8");
  const sum = crc32(buffer.subarray(HEAD_BYTES, end));
  buffer.write(`${sum.toString(16).padStart(CRC_CHARS, "0")} `, 0, "latin1");
  buffer[end] = NEWLINE;
  return buffer.subarray(0, end + 1);
}

/** The record of a line without its newline; null when the line is damaged. Throws JournalVersionError. */
export function decodeRecord(line: Buffer): JournalRecord | null {
  if (line.length <= HEAD_BYTES || line[CRC_CHARS] !== 0x20) return null;
  const body = line.subarray(HEAD_BYTES);
  const sum = crc32(body).toString(16).padStart(CRC_CHARS, "0");
  if (line.toString("latin1", 0, CRC_CHARS) !== sum) return null;
  const json = parseJson(body.toString("utf8"));
  return json === null ? null : fromJson(json);
}

// A sum that fits by chance (1 in 4 thousand million) is damage as well, and no reason to stop.
function parseJson(text: string): JsonRecord | null {
  try {
    return JSON.parse(text) as JsonRecord;
  } catch {
    return null;
  }
}

interface JsonRecord {
  v: number;
  k: string;
  s?: number;
  r?: unknown;
}

/** JSON has no integer of that size. */
interface WrittenHold {
  holdNanoUsd?: string;
  smallerHolds?: readonly (Omit<SmallerHold, "nanoUsd"> & { nanoUsd: string })[];
}
type WrittenBegin = Omit<BeginRecord, keyof WrittenHold> & WrittenHold;
interface WrittenEnd extends WrittenHold {
  usage: Partial<TokenUsage>;
  cost: Partial<Record<CostName, string>> & { total: string };
}

function toJson(record: JournalRecord): JsonRecord {
  switch (record.kind) {
    case "begin":
      return { v: JOURNAL_VERSION, k: "begin", s: record.seq, r: beginToJson(record.record) };
    case "end":
      return { v: JOURNAL_VERSION, k: "end", s: record.seq, r: endToJson(record.record) };
    case "void":
      return { v: JOURNAL_VERSION, k: "void", s: record.seq, r: record.requestId };
    case "mark":
      return { v: JOURNAL_VERSION, k: "mark", s: record.seq };
    case "segment": {
      const { nodeId, firstSeq, lastEndSeq, oldestOpenSeq } = record;
      return {
        v: JOURNAL_VERSION,
        k: "segment",
        r: { nodeId, firstSeq, lastEndSeq, oldestOpenSeq },
      };
    }
  }
}

function fromJson(json: JsonRecord): JournalRecord {
  if (json.v !== JOURNAL_VERSION) throw new JournalVersionError(json.v);
  const seq = json.s ?? 0;
  switch (json.k) {
    case "begin":
      return { kind: "begin", seq, record: withHold(json.r as WrittenBegin) };
    case "end": {
      const record = json.r as Omit<EndRecord, keyof WrittenEnd> & WrittenEnd;
      const usage = { ...noTokens, ...record.usage };
      const cost = costFromJson(record.cost);
      return { kind: "end", seq, record: { ...withHold(record), usage, cost } };
    }
    case "void":
      return { kind: "void", seq, requestId: json.r as string };
    case "mark":
      return { kind: "mark", seq };
    case "segment":
      return { kind: "segment", ...(json.r as Omit<SegmentRecord, "kind">) };
    default:
      throw new JournalVersionError(`${json.v}, kind ${json.k}`);
  }
}

// Field by field: a caller that passes an object with more in it (a prompt, a key) writes none of that to disk. What is
// undefined is not written.
function beginToJson(record: BeginRecord) {
  return {
    requestId: record.requestId,
    startedAtMs: record.startedAtMs,
    organizationId: record.organizationId,
    workspaceId: record.workspaceId,
    apiKeyId: record.apiKeyId,
    memberId: record.memberId,
    requestedModel: bounded(record.requestedModel),
    isStream: record.isStream,
    client: record.client,
    holdNanoUsd: record.holdNanoUsd?.toString(),
    smallerHolds: record.smallerHolds?.map(({ scopeType, period, nanoUsd }) => {
      return { scopeType, period, nanoUsd: nanoUsd.toString() };
    }),
  };
}

function withHold<Written extends WrittenHold>(
  record: Written,
): Omit<Written, keyof WrittenHold> & Pick<BeginRecord, keyof WrittenHold> {
  const { holdNanoUsd, smallerHolds, ...rest } = record;
  if (holdNanoUsd === undefined) return rest;
  const held = { ...rest, holdNanoUsd: BigInt(holdNanoUsd) };
  if (smallerHolds === undefined) return held;
  const smaller = smallerHolds.map((hold) => ({ ...hold, nanoUsd: BigInt(hold.nanoUsd) }));
  return { ...held, smallerHolds: smaller };
}

function endToJson(record: EndRecord): unknown {
  const { usage, cost } = record;
  return {
    ...beginToJson(record),
    endedAtMs: record.endedAtMs,
    outcome: record.outcome,
    httpStatus: record.httpStatus,
    isEstimated: record.isEstimated,
    isUnpriced: record.isUnpriced,
    model: bounded(record.model),
    serviceTier: bounded(record.serviceTier),
    contextWindow: record.contextWindow,
    inferenceGeo: bounded(record.inferenceGeo),
    speed: bounded(record.speed),
    usage: usageToJson(usage),
    cost: costToJson(cost),
    prices: record.prices,
    upstreamRequestId: record.upstreamRequestId === null ? null : bounded(record.upstreamRequestId),
    firstByteMs: record.firstByteMs,
  };
}

function usageToJson(usage: TokenUsage): TokenUsage {
  const written = { ...noTokens };
  for (const { name } of billedMeasures) written[name] = usage[name];
  return written;
}

const noCostText = { ...toRecord(costParts, "cost", () => ""), total: "" };

function costToJson(cost: Cost): WrittenEnd["cost"] {
  const written = { ...noCostText };
  for (const part of costParts) written[part.cost] = cost[part.cost].toString();
  written.total = cost.total.toString();
  return written;
}

/** A record of an earlier release lacks the parts that came later. */
function costFromJson(cost: WrittenEnd["cost"]): Cost {
  return {
    ...toRecord(costParts, "cost", (part) => BigInt(cost[part.cost] ?? 0)),
    total: BigInt(cost.total),
  };
}

function bounded(text: string): string {
  return text.length > MAX_TEXT_CHARS ? text.slice(0, MAX_TEXT_CHARS) : text;
}

import type { EndRecord } from "#src/domain/request-record.ts";
import { StartError } from "#src/lib/start-error.ts";
import { beginToJson, endToJson } from "./journal-json.ts";
import { decodeLine, type RecordLines } from "./journal-lines.ts";
import {
  type JournalRecord,
  type NewRecord,
  type SegmentRecord,
  toStoredBegin,
} from "./journal-record.ts";
import { fromFirstVersion, type WireRecordOfV1 } from "./journal-record-v1.ts";
import {
  beginFromWire,
  changesFromWire,
  changesToWire,
  endFromWire,
  type WireBegin,
  type WireEnd,
} from "./journal-wire.ts";
import { daySpendFromWire, daySpendToWire, type WireDaySpend } from "./segment-index.ts";

// Records as lines of JSON. `v` is the version and `k` the kind. Readers ignore unknown fields, so a release may add
// optional ones without a new version. docs/decisions/0046-journal-format.md explains the choices.

const VERSION = 2;

/** A valid record of a newer release. Skipping it would lose usage, so the start fails. */
class JournalVersionError extends StartError {
  constructor(version: unknown) {
    super(
      `the journal has records of version ${String(version)}, and this release reads versions 1 and ${VERSION}: ` +
        "start the release that wrote them, or a newer one",
    );
    this.name = "JournalVersionError";
  }
}

type Wire = { v: typeof VERSION } & (
  | { k: "b"; s: number; r: WireBegin & { id: string } }
  | { k: "a"; s: number; b: number; r: WireBegin }
  | { k: "e"; s: number; b: number; r: WireEnd; c?: WireBegin }
  | { k: "x"; s: number; b: number }
  | { k: "m"; s: number }
  | { k: "p"; n: number; p: string }
  | { k: "i"; s: number; f: number; e: number; n: number; d: WireDaySpend[]; o: readonly number[] }
  | { k: "segment"; r: Omit<SegmentRecord, "kind"> }
);

/** Adds the line of a record. `prices` is the number of an end's prices. Null: the end has their text. */
export function encodeRecord(
  record: NewRecord,
  lines: RecordLines,
  prices: number | null = null,
): void {
  lines.add(toJson(record, prices));
}

/** Adds a begin and its end, for an end that is stored outside its segment. */
export function encodeWholeEnd(seq: number, record: EndRecord, lines: RecordLines): void {
  encodeRecord({ kind: "begin", seq, record: toStoredBegin(record) }, lines);
  encodeRecord({ kind: "end", seq, beginSeq: seq, changes: null, end: record }, lines);
}

/** Returns the record of a line without its newline. Null: the line is damaged. Throws JournalVersionError. */
export function decodeRecord(line: Buffer): JournalRecord | null {
  const wire = decodeLine(line) as Wire | WireRecordOfV1 | null;
  if (wire === null) return null;
  const record = wire.v === 1 ? fromFirstVersion(wire) : fromWire(wire);
  if (record === null) throw new JournalVersionError(`${wire.v}, kind ${wire.k}`);
  return record;
}

/** Begins and ends are nearly all records, and are written without an object. */
function toJson(record: NewRecord, prices: number | null): string {
  switch (record.kind) {
    case "begin":
      return `{"v":${VERSION},"k":"b","s":${record.seq},"r":${beginToJson(record.record)}}`;
    case "end": {
      const { seq, beginSeq, changes, end } = record;
      const json = `{"v":${VERSION},"k":"e","s":${seq},"b":${beginSeq},"r":${endToJson(end, prices)}`;
      return changes === null
        ? `${json}}`
        : `${json},"c":${JSON.stringify(changesToWire(changes))}}`;
    }
    default:
      return JSON.stringify(toWire(record));
  }
}

function toWire(record: Exclude<NewRecord, { kind: "begin" | "end" }>): Wire {
  switch (record.kind) {
    case "amend": {
      const { seq, beginSeq, changes } = record;
      return { v: VERSION, k: "a", s: seq, b: beginSeq, r: changesToWire(changes) };
    }
    case "void":
      return { v: VERSION, k: "x", s: record.seq, b: record.beginSeq };
    case "mark":
      return { v: VERSION, k: "m", s: record.seq };
    case "prices":
      return { v: VERSION, k: "p", n: record.number, p: record.text };
    case "index": {
      const { fromSeq: f, firstEndSeq: e, ends: n, spend, openSeqs: o } = record.index;
      return { v: VERSION, k: "i", s: record.seq, f, e, n, d: spend.map(daySpendToWire), o };
    }
    case "segment": {
      const { kind: _, ...fields } = record;
      return { v: VERSION, k: "segment", r: fields };
    }
  }
}

function fromWire(wire: Wire): JournalRecord | null {
  if (wire.v !== VERSION) throw new JournalVersionError((wire as { v: unknown }).v);
  switch (wire.k) {
    case "b":
      return { kind: "begin", seq: wire.s, record: beginFromWire(wire.r) };
    case "a":
      return { kind: "amend", seq: wire.s, beginSeq: wire.b, changes: changesFromWire(wire.r) };
    case "e": {
      const changes = wire.c === undefined ? null : changesFromWire(wire.c);
      return { kind: "end", seq: wire.s, beginSeq: wire.b, changes, end: endFromWire(wire.r) };
    }
    case "x":
      return { kind: "void", seq: wire.s, beginSeq: wire.b };
    case "m":
      return { kind: "mark", seq: wire.s };
    case "p":
      return { kind: "prices", number: wire.n, text: wire.p };
    case "i": {
      const spend = wire.d.map(daySpendFromWire);
      const index = { fromSeq: wire.f, firstEndSeq: wire.e, ends: wire.n, spend, openSeqs: wire.o };
      return { kind: "index", seq: wire.s, index };
    }
    case "segment":
      return { kind: "segment", ...wire.r };
    default:
      return null;
  }
}

import { appendFile, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "#src/lib/logger.ts";
import { syncFolder } from "#src/lib/sync-folder.ts";
import type { AddedEvent } from "./audited-transaction.ts";
import type { ChainPlace } from "./hash-event.ts";
import type { RetiredKey } from "./retired-keys.ts";
import type { ServerIdentity } from "./server-identity.sql.ts";
import { isSameBytes, sign } from "./sign.ts";

// The witness stores the last position of each chain outside the database. Memory has it at once. The log and a file in
// the data folder have it within a second: `audit-heads.jsonl`, `audit-heads-2.jsonl` for a second process of that folder,
// and so on. Each process reads all files when it starts. The owner of the database can remove the newest events and
// restore an older signed end. The witness detects that.

const FILES = /^audit-heads(?:-\d+)?\.jsonl$/;
const WRITE_DELAY_MS = 1_000;
const MAX_WAITING = 1_000;
const MAX_FILE_BYTES = 1024 * 1024;

/** Last position of a chain that this node has seen. */
export interface Anchor extends ChainPlace {
  /** Incarnation of the newest failover that the chain records up to this position. 0: none. */
  incarnation: bigint;
  /** Server that the node used then. Null: unknown. */
  server: ServerIdentity | null;
}

/** Verified position of a chain. */
export interface ConfirmedPlace extends ChainPlace {
  incarnation: bigint;
}

export interface Witness {
  /** Returns the last position of the chain that this node has seen, or null. */
  findAnchor(organizationId: string): Anchor | null;
  /** Sets the server of later positions. */
  observeServer(server: ServerIdentity | null): void;
  /** True if this node has seen that keys, roles and sessions need a MAC. */
  hasSeenSignedRows(): boolean;
  /** Records that fact with every position, because the database could deny it. */
  observeSignedRows(): void;
  /** Records an event of this node. Moves the anchor only to its next event. `confirm` covers events of other nodes. */
  recordEvent(added: AddedEvent): void;
  /**
   * Moves the anchor to a position that was verified in the same chain. After a failover that the chain records, the
   * position can be earlier.
   */
  confirm(organizationId: string, place: ConfirmedPlace): void;
  /** Writes moved anchors to the file and the log. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Renames the files of the witness, because a restored chain ends earlier than the node has seen. Returns the new names. */
export async function archiveWitness(folder: string, nowMs: number): Promise<string[]> {
  const names: string[] = [];
  for (const name of await readdir(folder)) {
    if (!FILES.test(name)) continue;
    const aside = `${name}.before-restore-${new Date(nowMs).toISOString().replaceAll(":", "")}`;
    await rename(join(folder, name), join(folder, aside));
    names.push(aside);
  }
  await syncFolder(folder);
  return names;
}

export interface WitnessOptions {
  folder: string;
  /** Number of the process in the folder. Default: 1. */
  index?: number;
  auditKey: Buffer;
  /** Earlier keys by organization. Lines in the files can be older than a rotation. Default: none. */
  retiredKeys?: ReadonlyMap<string, readonly RetiredKey[]>;
  nowMs: () => number;
  logger: Logger;
}

export async function openWitness(options: WitnessOptions): Promise<Witness> {
  const { auditKey, logger, folder, index = 1 } = options;
  const file = join(folder, index === 1 ? "audit-heads.jsonl" : `audit-heads-${index}.jsonl`);
  const { anchors, ...read } = await readFiles(options);
  let { hasSignedRows } = read;
  let server: ServerIdentity | null = null;
  const unwritten = new Set<string>();
  const early = makeEarlyEvents();
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function moveAnchor(organizationId: string, place: ConfirmedPlace): void {
    const { seq, hash, incarnation } = place;
    const known = anchors.get(organizationId);
    if (known !== undefined && !isLater(place, known)) return;
    anchors.set(organizationId, { seq, hash, incarnation, server });
    unwritten.add(organizationId);
    early.deleteThrough(organizationId, seq);
    timer ??= setTimeout(() => void flush(), WRITE_DELAY_MS).unref();
  }

  const formatLines = (ids: readonly string[]) =>
    ids.map((id) => toLine(auditKey, id, anchors.get(id), options.nowMs(), hasSignedRows));

  function applyQueued(organizationId: string): void {
    for (let known = anchors.get(organizationId); known; known = anchors.get(organizationId)) {
      const next = early.find(organizationId, known.seq + 1n);
      if (next === undefined || !isNextEvent(known, next)) return;
      moveAnchor(organizationId, { ...next, incarnation: known.incarnation });
    }
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    writing = writing.then(write);
    return writing;
  }

  async function write(): Promise<void> {
    const organizations = [...unwritten];
    unwritten.clear();
    if (organizations.length === 0) return;
    const lines = formatLines(organizations);
    for (const line of lines) logger.info({ auditHead: line }, "audit log");
    try {
      const bytes = await appendLines(file, lines);
      if (bytes > MAX_FILE_BYTES) await replaceFile(folder, file, formatLines([...anchors.keys()]));
    } catch (error) {
      for (const id of organizations) unwritten.add(id);
      logger.error(
        { err: error },
        `${file} cannot be written, so this node has no stored witness of the audit log`,
      );
    }
  }

  return {
    findAnchor: (organizationId) => anchors.get(organizationId) ?? null,
    observeServer: (observed) => {
      server = observed;
    },
    hasSeenSignedRows: () => hasSignedRows,
    observeSignedRows: () => {
      if (hasSignedRows) return;
      hasSignedRows = true;
      for (const id of anchors.keys()) unwritten.add(id);
      if (unwritten.size > 0) timer ??= setTimeout(() => void flush(), WRITE_DELAY_MS).unref();
    },
    recordEvent: (added) => {
      const known = anchors.get(added.organizationId);
      if (known === undefined || isNextEvent(known, added)) {
        moveAnchor(added.organizationId, { ...added, incarnation: known?.incarnation ?? 0n });
        applyQueued(added.organizationId);
      } else if (added.seq > known.seq) {
        early.add(added);
      }
    },
    confirm: moveAnchor,
    flush,
    stop: flush,
  };
}

/** Events by number that were reported before their predecessor. */
function makeEarlyEvents() {
  const waiting = new Map<string, Map<bigint, AddedEvent>>();
  return {
    add: (added: AddedEvent): void => {
      const early = waiting.get(added.organizationId) ?? new Map<bigint, AddedEvent>();
      if (early.size >= MAX_WAITING) early.clear(); // another node writes too, and `confirm` moves the anchor
      waiting.set(added.organizationId, early.set(added.seq, added));
    },
    find: (organizationId: string, seq: bigint) => waiting.get(organizationId)?.get(seq),
    deleteThrough: (organizationId: string, seq: bigint): void => {
      const early = waiting.get(organizationId);
      for (const each of early?.keys() ?? []) if (each <= seq) early?.delete(each);
    },
  };
}

/** Reads the files of all processes. */
async function readFiles(options: WitnessOptions) {
  const { folder } = options;
  const anchors = new Map<string, Anchor>();
  let hasSignedRows = false;
  for (const name of await readdir(folder)) {
    if (!FILES.test(name)) continue;
    const read = await readAnchors(anchors, join(folder, name), options);
    hasSignedRows ||= read.hasSignedRows;
  }
  return { anchors, hasSignedRows };
}

/** Each failover can lose events, so it counts before the number. */
function isLater(place: ConfirmedPlace, known: ConfirmedPlace): boolean {
  if (place.incarnation !== known.incarnation) return place.incarnation > known.incarnation;
  return place.seq > known.seq;
}

function isNextEvent(known: ChainPlace, added: AddedEvent): boolean {
  return known.seq + 1n === added.seq && isSameBytes(known.hash, added.previousHash);
}

interface AnchorLine {
  organization_id: string;
  seq: string;
  hash: string;
  /** Absent in lines of version 0.1, like the server. */
  incarnation?: string;
  system_identifier?: string;
  timeline?: string;
  /** Present once this node has seen that rows need a MAC. */
  has_signed_rows?: true;
  seen_at: string;
  mac: string;
}

function toLine(
  key: Buffer,
  organizationId: string,
  place: Anchor | undefined,
  nowMs: number,
  hasSignedRows: boolean,
): AnchorLine {
  const server = place?.server ?? null;
  const anchor = {
    organization_id: organizationId,
    seq: String(place?.seq ?? 0n),
    hash: Buffer.from(place?.hash ?? []).toString("hex"),
    incarnation: String(place?.incarnation ?? 0n),
    ...(server !== null && {
      system_identifier: server.systemIdentifier,
      timeline: String(server.timeline),
    }),
    ...(hasSignedRows && { has_signed_rows: true as const }),
    seen_at: new Date(nowMs).toISOString(),
  };
  return { ...anchor, mac: sign(key, "anchor", anchor).toString("hex") };
}

/**
 * Adds the newest genuine line of each organization. Ignores lines that a crash truncated or another program wrote.
 * Returns the facts that hold for all organizations.
 */
async function readAnchors(
  anchors: Map<string, Anchor>,
  file: string,
  options: WitnessOptions,
): Promise<{ hasSignedRows: boolean }> {
  let hasSignedRows = false;
  for (const [index, text] of (await readText(file)).split("\n").entries()) {
    if (text === "") continue;
    const line = readLine(text, options);
    if (line === null) {
      options.logger.warn(
        { file, line: index + 1 },
        "a line of the audit log's witness is not genuine",
      );
      continue;
    }
    hasSignedRows ||= line.has_signed_rows === true;
    const anchor = fromLine(line);
    const known = anchors.get(line.organization_id);
    if (known === undefined || isLater(anchor, known)) anchors.set(line.organization_id, anchor);
  }
  return { hasSignedRows };
}

function fromLine(line: AnchorLine): Anchor {
  const { seq, hash, incarnation = "0", system_identifier: systemIdentifier, timeline } = line;
  const server =
    systemIdentifier === undefined || timeline === undefined
      ? null
      : { systemIdentifier, timeline: BigInt(timeline) };
  const place = { seq: BigInt(seq), hash: Buffer.from(hash, "hex") };
  return { ...place, incarnation: BigInt(incarnation), server };
}

function readLine(text: string, { auditKey, retiredKeys }: WitnessOptions): AnchorLine | null {
  try {
    const { mac, ...anchor } = JSON.parse(text) as AnchorLine;
    // An earlier key signs only positions before its end.
    const earlier = (retiredKeys?.get(anchor.organization_id) ?? []).filter(
      ({ throughSeq }) => BigInt(anchor.seq) <= throughSeq,
    );
    const bytes = Buffer.from(mac, "hex");
    const isGenuine = [auditKey, ...earlier.map(({ key }) => key)].some((key) =>
      isSameBytes(bytes, sign(key, "anchor", anchor)),
    );
    return isGenuine ? { ...anchor, mac } : null;
  } catch {
    return null;
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

/** Appends lines and returns the size of the file. The leading line break ends a line that a crash truncated. */
async function appendLines(file: string, lines: readonly AnchorLine[]): Promise<number> {
  const handle = await open(file, "a", 0o600);
  try {
    await handle.appendFile(`\n${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
    await handle.datasync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

/** Replaces the file by the newest line of each organization, which makes older lines unnecessary. */
async function replaceFile(
  folder: string,
  file: string,
  lines: readonly AnchorLine[],
): Promise<void> {
  const staging = `${file}.new`;
  await rm(staging, { force: true });
  await appendFile(staging, `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`, {
    mode: 0o600,
    flush: true,
  });
  await rename(staging, file);
  await syncFolder(folder);
}

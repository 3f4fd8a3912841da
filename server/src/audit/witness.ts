import { appendFile, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "#src/lib/logger.ts";
import { syncFolder } from "#src/lib/sync-folder.ts";
import type { AddedEvent } from "./audited-transaction.ts";
import type { ChainPlace } from "./hash-event.ts";
import { isSameBytes, sign } from "./sign.ts";

// What this node has seen of the chains, outside the database: in memory at once, within a second in the file
// `audit-heads.jsonl` of the data folder and in the log (`audit-heads-2.jsonl` of a second process of that folder, and so
// on: each writes its own and, at its start, reads all). Who rules the database can put back an older end of a chain, with
// its genuine signature, and remove what followed; but cannot make this node forget what it has seen.

const FILES = /^audit-heads(?:-\d+)?\.jsonl$/;
const WRITE_DELAY_MS = 1_000;
const MAX_WAITING = 1_000;
const MAX_FILE_BYTES = 1024 * 1024;

export interface Witness {
  /** The furthest place of the chain that this node knows it had, or null. */
  anchorOf(organizationId: string): ChainPlace | null;
  /** An event of this node's own. It moves the anchor only if it follows it; what others wrote in between is for `confirm`. */
  saw(added: AddedEvent): void;
  /** A place that was verified to lie behind the anchor in the same chain. */
  confirm(organizationId: string, place: ChainPlace): void;
  /** Writes what is new to the file and the log. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * After a restore the chain ends earlier than the node has seen, rightly: moves what it knows out of the way, to be kept.
 * Gives the new names.
 */
export async function setAsideWitness(folder: string, nowMs: number): Promise<string[]> {
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
  /** Which of the processes of the folder; 1 when not given. */
  index?: number;
  auditKey: Buffer;
  nowMs: () => number;
  logger: Logger;
}

export async function openWitness(options: WitnessOptions): Promise<Witness> {
  const { auditKey, logger, folder, index = 1 } = options;
  const file = join(folder, index === 1 ? "audit-heads.jsonl" : `audit-heads-${index}.jsonl`);
  const anchors = new Map<string, ChainPlace>();
  for (const name of await readdir(folder)) {
    if (FILES.test(name)) await readAnchors(anchors, join(folder, name), auditKey, logger);
  }
  const unwritten = new Set<string>();
  /** Events that were told of before the one they follow, by number. */
  const waiting = new Map<string, Map<bigint, AddedEvent>>();
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function move(organizationId: string, { seq, hash }: ChainPlace): void {
    const known = anchors.get(organizationId);
    if (known !== undefined && known.seq >= seq) return;
    anchors.set(organizationId, { seq, hash });
    unwritten.add(organizationId);
    for (const early of waiting.get(organizationId)?.keys() ?? []) {
      if (early <= seq) waiting.get(organizationId)?.delete(early);
    }
    timer ??= setTimeout(() => void flush(), WRITE_DELAY_MS).unref();
  }

  function wait(added: AddedEvent): void {
    const early = waiting.get(added.organizationId) ?? new Map<bigint, AddedEvent>();
    if (early.size >= MAX_WAITING) early.clear(); // another node writes too; `confirm` moves the anchor
    waiting.set(added.organizationId, early.set(added.seq, added));
  }

  function moveOn(organizationId: string): void {
    const early = waiting.get(organizationId);
    for (let known = anchors.get(organizationId); known; known = anchors.get(organizationId)) {
      const next = early?.get(known.seq + 1n);
      if (next === undefined || !follows(known, next)) return;
      move(organizationId, next);
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
    const lines = organizations.map((id) => toLine(auditKey, id, anchors.get(id), options.nowMs()));
    for (const line of lines) logger.info({ auditHead: line }, "audit log");
    try {
      const bytes = await appendLines(file, lines);
      const all = [...anchors].map(([id, place]) => toLine(auditKey, id, place, options.nowMs()));
      if (bytes > MAX_FILE_BYTES) await replaceFile(options.folder, file, all);
    } catch (error) {
      for (const id of organizations) unwritten.add(id);
      logger.error({ err: error }, `${file} cannot be written: the audit log has no witness here`);
    }
  }

  return {
    anchorOf: (organizationId) => anchors.get(organizationId) ?? null,
    saw: (added) => {
      const known = anchors.get(added.organizationId);
      if (known === undefined || follows(known, added)) {
        move(added.organizationId, added);
        moveOn(added.organizationId);
      } else if (added.seq > known.seq) {
        wait(added);
      }
    },
    confirm: move,
    flush,
    stop: flush,
  };
}

function follows(known: ChainPlace, added: AddedEvent): boolean {
  return known.seq + 1n === added.seq && isSameBytes(known.hash, added.previousHash);
}

interface AnchorLine {
  organization_id: string;
  seq: string;
  hash: string;
  seen_at: string;
  mac: string;
}

function toLine(
  key: Buffer,
  organizationId: string,
  place: ChainPlace | undefined,
  nowMs: number,
): AnchorLine {
  const anchor = {
    organization_id: organizationId,
    seq: String(place?.seq ?? 0n),
    hash: Buffer.from(place?.hash ?? []).toString("hex"),
    seen_at: new Date(nowMs).toISOString(),
  };
  return { ...anchor, mac: sign(key, "anchor", anchor).toString("hex") };
}

/** Adds the newest genuine line of each organization. A line that is not (cut off by a crash, written by another) says nothing. */
async function readAnchors(
  anchors: Map<string, ChainPlace>,
  file: string,
  key: Buffer,
  logger: Logger,
): Promise<void> {
  for (const [index, text] of (await readText(file)).split("\n").entries()) {
    if (text === "") continue;
    const line = readLine(text, key);
    if (line === null) {
      logger.warn({ file, line: index + 1 }, "a line of the audit log's witness is not genuine");
      continue;
    }
    const known = anchors.get(line.organization_id);
    if (known !== undefined && known.seq >= BigInt(line.seq)) continue;
    anchors.set(line.organization_id, {
      seq: BigInt(line.seq),
      hash: Buffer.from(line.hash, "hex"),
    });
  }
}

function readLine(text: string, key: Buffer): AnchorLine | null {
  try {
    const { mac, ...anchor } = JSON.parse(text) as AnchorLine;
    return isSameBytes(Buffer.from(mac, "hex"), sign(key, "anchor", anchor))
      ? { ...anchor, mac }
      : null;
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

/** Gives the size of the file. A line of its own first: what a crash cut off must not swallow what follows. */
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

/** Each line covers all before it, so the newest one of each organization is enough. */
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

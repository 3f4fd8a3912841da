import { join } from "node:path";
import type { WireMessage } from "../wire-request.ts";
import { makeRecordStore, type RecordStore } from "./record-store.ts";
import type { Container, FileMetadata } from "./wire-objects.ts";

export type FileStore = RecordStore<FileMetadata>;

/** The simulator's own quota of files. The official one is 500 GB. */
export const MAX_STORED_BYTES = 2 * 1024 * 1024 * 1024;
/** Bytes of all threads, and of all containers. */
const MAX_SMALL_STORE_BYTES = 256 * 1024 * 1024;

/** Behaviour of one line of a batch. */
export type LineKind = "succeeds" | "finishes" | "fails" | "expires" | "hangs";

/** A message batch. Its results are in another file of the record. */
export interface BatchRecord {
  id: string;
  createdMs: number;
  canceledMs: number | null;
  /** Longest delay that a line asks for, milliseconds. */
  slowMs: number;
  /** Kinds of all lines in order, with the number of equal ones in a row. */
  lines: [LineKind, number][];
}

export type MessageBatchStore = RecordStore<BatchRecord>;

/** A custom skill with its versions, oldest first. Their archives are other files of the record. */
export interface SkillRecord {
  id: string;
  displayName: string;
  name: string;
  createdMs: number;
  versions: readonly SkillVersionRecord[];
}

export interface SkillVersionRecord {
  id: string;
  createdMs: number;
  description: string;
}

export type SkillStore = RecordStore<SkillRecord>;

/** The conversation up to one response, whose id it has. */
export interface ThreadRecord {
  id: string;
  model: string;
  system: unknown;
  tools: unknown;
  messages: WireMessage[];
  /** True if a later response continues this one. Each response is continued once. */
  isContinued: boolean;
}

export type ThreadStore = RecordStore<ThreadRecord>;
export type ContainerStore = RecordStore<Container>;

/** Stores of all kinds of objects. */
export interface ObjectStores {
  files: FileStore;
  batches: MessageBatchStore;
  skills: SkillStore;
  containers: ContainerStore;
  threads: ThreadStore;
}

/** Opens the stores of a folder. Several processes may use one folder. */
export function openObjectStores(folder: string, nowMs: () => number): ObjectStores {
  return {
    files: makeRecordStore<FileMetadata>({
      folder: join(folder, "files"),
      prefix: "file_",
      maxRecords: 10_000,
      // An upload beyond the quota is refused. The newest one may still exceed it.
      maxBytes: 2 * MAX_STORED_BYTES,
      nowMs,
    }),
    batches: makeRecordStore<BatchRecord>({
      folder: join(folder, "batches"),
      prefix: "msgbatch_",
      maxRecords: 1_000,
      maxBytes: MAX_STORED_BYTES,
      nowMs,
    }),
    skills: makeRecordStore<SkillRecord>({
      folder: join(folder, "skills"),
      prefix: "skill_",
      maxRecords: 1_000,
      maxBytes: MAX_STORED_BYTES,
      nowMs,
    }),
    containers: makeRecordStore<Container>({
      folder: join(folder, "containers"),
      prefix: "container_",
      maxRecords: 1_000,
      maxBytes: MAX_SMALL_STORE_BYTES,
      nowMs,
    }),
    threads: makeRecordStore<ThreadRecord>({
      folder: join(folder, "threads"),
      prefix: "msg_",
      maxRecords: 1_000,
      maxBytes: MAX_SMALL_STORE_BYTES,
      nowMs,
    }),
  };
}

import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";

interface KindWords {
  /** Noun for one, in a sentence. */
  one: string;
  /** Label of a filter. */
  many: string;
  /** False: its upstream ends it. */
  isDeletable: boolean;
  /** Sentence for an empty list. */
  purpose: string;
}

export const kindWords: Readonly<Record<StoredObjectKind, KindWords>> = {
  file: {
    one: "file",
    many: "Files",
    isDeletable: true,
    purpose: "A file is stored once, and messages of the workspace name it.",
  },
  skill: {
    one: "skill",
    many: "Skills",
    isDeletable: true,
    purpose: "A skill teaches Claude a task. Messages with code execution name it.",
  },
  container: {
    one: "container",
    many: "Containers",
    isDeletable: false,
    purpose: "Code execution runs in a container, which its upstream ends.",
  },
  thread: {
    one: "thread",
    many: "Threads",
    isDeletable: false,
    purpose: "A thread keeps the earlier messages of a conversation at the upstream.",
  },
};

const UNIT = 1_000;
const units = ["bytes", "kB", "MB"] as const;

/** Size in decimal units, as the limit of uploads: "2.1 MB". */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const digits = power === 0 ? 0 : 1;
  return `${(bytes / UNIT ** power).toFixed(digits)} ${units[power]}`;
}

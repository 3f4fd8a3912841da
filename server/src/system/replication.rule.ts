import { formatPlural } from "#src/lib/format-plural.ts";

// Kind of replication, the promise that it gives, and the problems that break a promise.

export interface Standby {
  name: string;
  /** Null: the database role cannot see the details. */
  state: string | null;
  syncState: string | null;
  /** Null: unknown, also if the primary is idle. */
  replayLagMs: number | null;
  lagBytes: number | null;
}

export interface Slot {
  name: string;
  isActive: boolean;
  /** Size of the log that the slot keeps on the primary's disk. Null: none. */
  retainedBytes: number | null;
}

export interface ReplicationFacts {
  isStandby: boolean;
  walLevel: string;
  synchronousCommit: string;
  synchronousStandbyNames: string;
  hasStrictLimits: boolean;
  standbys: readonly Standby[];
  slots: readonly Slot[];
}

export type ReplicationKind = "single" | "asynchronous" | "synchronous" | "hidden";

export interface ReplicationProblem {
  code:
    | "connected_to_standby"
    | "commits_wait"
    | "commits_not_durable"
    | "commits_not_synchronous"
    | "journal_not_synchronous"
    | "inactive_slot"
    | "details_hidden";
  /** True: an operator must act. False: a promise is weaker than it could be. */
  isFault: boolean;
  message: string;
}

export interface JudgedReplication {
  kind: ReplicationKind;
  /** Effect of a failover, as one sentence. */
  promise: string;
  problems: ReplicationProblem[];
}

/** An inactive slot with less is a standby that restarts. */
const MANY_BYTES = 1024 ** 3;

const promises: Record<ReplicationKind, string> = {
  single:
    "single server: no standby streams from it. A provider can replicate its disk, which PostgreSQL does not show",
  asynchronous:
    "asynchronous replication: a failover loses commits of up to the lag. Nodes append the lost requests again, and limits can be exceeded by requests of nodes that do not return",
  synchronous: "synchronous replication: a failover loses no acknowledged commit",
  hidden: "standbys stream from the server, and their state is hidden from this role",
};

/** Judges the replication. `hasJournalInDatabase`: a node runs with BURSAR_JOURNAL=postgres. */
export function judgeReplication(
  facts: ReplicationFacts,
  { hasJournalInDatabase }: { hasJournalInDatabase: boolean },
): JudgedReplication {
  const kind = findKind(facts);
  const problems = [
    ...findCommitProblems(facts, kind),
    ...findJournalProblem(kind, hasJournalInDatabase),
    ...facts.slots.filter(isHarmful).map(describeSlot),
  ];
  return { kind, promise: promises[kind], problems };
}

function findKind(facts: ReplicationFacts): ReplicationKind {
  const { standbys } = facts;
  if (standbys.length === 0) return "single";
  if (isHidden(facts)) return "hidden";
  return waitsForStandby(facts) && countSynchronous(standbys) > 0 ? "synchronous" : "asynchronous";
}

function isHidden({ standbys }: ReplicationFacts): boolean {
  return standbys.some(({ state }) => state === null);
}

/** True if commits wait for a standby. `local` and `off` wait for none. */
function waitsForStandby({ synchronousCommit, synchronousStandbyNames }: ReplicationFacts) {
  const isWaiting = ["on", "remote_write", "remote_apply"].includes(synchronousCommit);
  return isWaiting && synchronousStandbyNames.trim() !== "";
}

function countSynchronous(standbys: readonly Standby[]): number {
  return standbys.filter(({ syncState }) => syncState === "sync" || syncState === "quorum").length;
}

/** Number of standbys that a commit waits for, from `FIRST 2 (a, b)`, `ANY 2 (a, b)`, `2 (a, b)` or `a, b`. */
function countNeeded(names: string): number {
  const [, count] = /^\s*(?:first|any)?\s*(\d+)\s*\(/i.exec(names) ?? [];
  return count === undefined ? 1 : Number(count);
}

function findCommitProblems(facts: ReplicationFacts, kind: ReplicationKind): ReplicationProblem[] {
  const { standbys, synchronousCommit, synchronousStandbyNames: names } = facts;
  const problems: ReplicationProblem[] = [];
  if (facts.isStandby) {
    problems.push({
      code: "connected_to_standby",
      isFault: true,
      message:
        "The connected server is a standby, so every change fails. DATABASE_URL must lead to the primary.",
    });
  }
  if (synchronousCommit === "off" && facts.hasStrictLimits) {
    problems.push({
      code: "commits_not_durable",
      isFault: true,
      message:
        "synchronous_commit is off: a crash of PostgreSQL loses the last acknowledged commits, so strict limits can be exceeded. Turn it on.",
    });
  }
  if (names.trim() !== "" && !waitsForStandby(facts)) {
    problems.push({
      code: "commits_not_synchronous",
      isFault: false,
      message: `synchronous_standby_names is set, but synchronous_commit is ${synchronousCommit}: commits wait for no standby, and a failover can lose them.`,
    });
  }
  const missing = waitsForStandby(facts) ? countNeeded(names) - countSynchronous(standbys) : 0;
  if (kind === "hidden") {
    problems.push({
      code: "details_hidden",
      isFault: false,
      message: `${formatPlural(standbys.length, "standby", "standbys")}, but this database role cannot see which are synchronous. GRANT pg_monitor to it.`,
    });
  } else if (missing > 0) {
    problems.push({
      code: "commits_wait",
      isFault: true,
      message: `synchronous_standby_names is "${names}", and ${formatPlural(missing, "synchronous standby is", "synchronous standbys are")} not connected: commits wait until they are. Start the standbys, or change the setting.`,
    });
  }
  return problems;
}

function findJournalProblem(
  kind: ReplicationKind,
  hasJournalInDatabase: boolean,
): ReplicationProblem[] {
  if (!hasJournalInDatabase || kind !== "asynchronous") return [];
  return [
    {
      code: "journal_not_synchronous",
      isFault: false,
      message:
        "With BURSAR_JOURNAL=postgres, one record for each request needs synchronous replication: a failover of this server can lose records.",
    },
  ];
}

function isHarmful({ isActive, retainedBytes }: Slot): boolean {
  return !isActive && (retainedBytes ?? 0) >= MANY_BYTES;
}

function describeSlot({ name, retainedBytes }: Slot): ReplicationProblem {
  const gibibytes = Math.floor((retainedBytes ?? 0) / 1024 ** 3);
  return {
    code: "inactive_slot",
    isFault: true,
    message: `The replication slot ${name} is inactive and keeps ${gibibytes} GiB of the log, until the disk is full. Start its standby, or drop the slot.`,
  };
}

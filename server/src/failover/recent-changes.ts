import type { Database } from "#src/db/pool.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  listChangedSubjects,
  listKeptEvents,
  type ReadChange,
  readNewChanges,
} from "./recent-changes.sql.ts";
import type { SubjectState } from "./subject-state.rule.ts";

// Memory of the newest changes, because a promoted standby can lack them. Each change has an audit event, so no route can be
// left out. The state of a subject is the one after its newest known change.

/** A change with its event number. */
export interface RecentChange extends Omit<ReadChange, "seq"> {
  seq: bigint;
}

/** Changes of one organization that the database lacks after a failover. */
export interface LostChanges {
  organizationId: string;
  /** Number of the last remembered event that the database has. */
  keptSeq: bigint;
  /** In the order of the log. */
  changes: RecentChange[];
  /** Newest known state of each subject of these changes, unless a person changed it after the failover. */
  states: SubjectState[];
}

/** A key that was looked up, with the subjects that can restrict it. */
export interface RestrictedKey {
  id?: string;
  workspaceId?: string;
  ownerMemberId: string | null;
  groupIds: readonly string[];
}

export interface RecentChangesOptions {
  database: Database;
  clock: Clock;
  logger: Logger;
}

const KEEP_MS = 10 * 60_000;
const MAX_CHANGES = 10_000;

interface Dated<T> {
  value: T;
  atMs: number;
}

/** Memory of one process. */
export class RecentChanges {
  readonly #options: RecentChangesOptions;
  /** Number of the last read event, by organization. */
  readonly #seen = new Map<string, bigint>();
  /** Changes by event id, oldest first. */
  readonly #changes = new Map<string, Dated<RecentChange>>();
  /** States by subject, least recently changed first. */
  readonly #states = new Map<string, Dated<SubjectState>>();
  #reading: Promise<void> | null = null;
  #isAgain = false;
  #isPaused = false;

  constructor(options: RecentChangesOptions) {
    this.#options = options;
  }

  /** Reads new changes. Never rejects. Concurrent calls share a read, and one more follows. */
  read(): Promise<void> {
    if (this.#isPaused) return Promise.resolve();
    this.#isAgain = true;
    this.#reading ??= this.#readAll()
      .catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, "cannot read recent changes");
      })
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  /** Stops reading until `resume`. Call before the first statement on a promoted database. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Compares the memory with the promoted database. Rejects while the database is unavailable. */
  async findLost(): Promise<LostChanges[]> {
    const all = [...this.#changes.values()].map(({ value }) => value);
    const ids = all.map(({ id }) => id);
    const keptIds = await listKeptEvents(this.#options.database, ids);
    const found: LostChanges[] = [];
    for (const of of Map.groupBy(all, (change) => change.organizationId).values()) {
      const lost = of.filter(({ id }) => !keptIds.has(id));
      const [first] = lost;
      if (first === undefined) continue;
      const kept = of.filter(({ id }) => keptIds.has(id));
      found.push(await this.#describeLost(lost, findKeptSeq(first, kept)));
    }
    return found;
  }

  /** Forgets the lost changes, and reads on from the last event that the database has. */
  resume(lost: readonly LostChanges[]): void {
    this.#isPaused = false;
    for (const { organizationId, keptSeq, changes, states } of lost) {
      for (const { id } of changes) this.#changes.delete(id);
      for (const { type, id } of states) this.#states.delete(nameOf(type, id));
      this.#seen.set(organizationId, keptSeq);
    }
  }

  /** True if the memory has a state of the key, its workspace, its owner or a group of the owner. */
  mayRestrict({ id, workspaceId, ownerMemberId, groupIds }: RestrictedKey): boolean {
    return (
      this.#states.has(nameOf("api_key", id ?? "")) ||
      this.#states.has(nameOf("workspace", workspaceId ?? "")) ||
      this.#states.has(nameOf("member", ownerMemberId ?? "")) ||
      groupIds.some((groupId) => this.#states.has(nameOf("group", groupId)))
    );
  }

  async #readAll(): Promise<void> {
    while (this.#isAgain && !this.#isPaused) {
      this.#isAgain = false;
      await this.#readOnce();
    }
  }

  async #readOnce(): Promise<void> {
    const { database, clock } = this.#options;
    const { heads, changes, states } = await readNewChanges(database, this.#seen);
    // The answer can come from a promoted database.
    if (this.#isPaused) return;
    const atMs = clock.monotonicMs();
    for (const { organizationId, seq } of heads) {
      if (!this.#seen.has(organizationId)) this.#seen.set(organizationId, BigInt(seq));
    }
    for (const { seq: text, ...change } of changes) {
      const seq = BigInt(text);
      this.#changes.set(change.id, { value: { ...change, seq }, atMs });
      this.#seen.set(change.organizationId, seq);
    }
    for (const state of states) {
      const name = nameOf(state.type, state.id);
      this.#states.delete(name);
      this.#states.set(name, { value: state, atMs });
    }
    forgetOld(this.#changes, atMs);
    forgetOld(this.#states, atMs);
    this.#isAgain ||= heads.some(
      ({ organizationId, seq }) => BigInt(seq) > (this.#seen.get(organizationId) ?? 0n),
    );
  }

  async #describeLost(changes: RecentChange[], keptSeq: bigint): Promise<LostChanges> {
    const organizationId = changes[0]?.organizationId ?? "";
    const names = new Set(changes.flatMap(subjectsOf));
    const states = [...this.#states.values()]
      .map(({ value }) => value)
      .filter((state) => isAbout(state, names));
    const changed = await listChangedSubjects(this.#options.database, {
      organizationId,
      afterSeq: keptSeq,
      subjectIds: states.map(({ id }) => id),
    });
    return {
      organizationId,
      keptSeq,
      changes,
      states: states.filter(({ id }) => !changed.has(id)),
    };
  }
}

/** Events of one organization have no gaps, and a failover loses the newest ones. */
function findKeptSeq(firstLost: RecentChange, kept: readonly RecentChange[]): bigint {
  const last = kept.at(-1)?.seq ?? 0n;
  return last < firstLost.seq - 1n ? firstLost.seq - 1n : last;
}

function nameOf(type: string, id: string): string {
  return `${type} ${id}`;
}

/** Subjects that a change can restrict. A session belongs to its member. */
function subjectsOf({ subjectType, subjectId, actorType, actorId }: RecentChange): string[] {
  const isOfActor = actorType === "member" && ["session", "passkey"].includes(subjectType);
  return [nameOf(subjectType, subjectId), ...(isOfActor ? [nameOf("member", actorId)] : [])];
}

/** True for a subject, and for the keys and invites of a member who is one. */
function isAbout(state: SubjectState, names: ReadonlySet<string>): boolean {
  if (names.has(nameOf(state.type, state.id))) return true;
  if (state.type === "api_key") return names.has(nameOf("member", state.ownerMemberId ?? ""));
  return state.type === "invite" && names.has(nameOf("member", state.inviterMemberId ?? ""));
}

function forgetOld<T>(memory: Map<string, Dated<T>>, nowMs: number): void {
  for (const [name, { atMs }] of memory) {
    if (memory.size <= MAX_CHANGES && nowMs - atMs <= KEEP_MS) return;
    memory.delete(name);
  }
}

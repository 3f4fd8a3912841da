import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import type pg from "pg";
import type { Logger } from "#src/lib/logger.ts";
import {
  type Incarnation,
  identifyIncarnation,
  type Query,
  queryIn,
  queryOver,
  type Raise,
  type RaiseReason,
  raiseIncarnation,
  readServerState,
  type ServerState,
} from "./incarnation.sql.ts";
import type { Tables } from "./tables.ts";

export type { Incarnation };

// The incarnation of a database. A promoted standby can lack the last seconds: grants, limits, revocations and epochs that
// nodes know. Each new connection is checked before its first use, because the timeline of a server that accepts writes
// cannot change under an open connection.

export interface IncarnationChange {
  before: Incarnation;
  after: Incarnation;
}

/** Facts that the process has from earlier connections. */
export interface KnownState {
  incarnation: Incarnation | null;
  /** Highest value of the change counter. */
  changeCounter: bigint;
}

type Refusal = "standby" | "older_timeline";

export type Judgement =
  | { kind: "same" }
  /** The stored incarnation has no identity of the server yet. */
  | { kind: "identify" }
  /** Another process has raised the incarnation. */
  | { kind: "adopt" }
  | { kind: "raise"; reason: RaiseReason }
  | { kind: "refuse"; reason: Refusal };

/** Compares a server with the facts that the process knows. An unknown timeline or identifier counts as the same. */
export function judgeServer(known: KnownState, server: ServerState): Judgement {
  if (server.isStandby) return { kind: "refuse", reason: "standby" };
  const { stored } = server;
  const { incarnation } = known;
  if (incarnation !== null && isOlderTimeline(incarnation, server)) {
    return { kind: "refuse", reason: "older_timeline" };
  }
  if (isDifferent(stored.systemIdentifier, server.systemIdentifier)) {
    return { kind: "raise", reason: "system" };
  }
  if (isDifferent(stored.timeline, server.timeline)) return { kind: "raise", reason: "timeline" };
  if (incarnation !== null && isBehind(stored, incarnation)) {
    return { kind: "raise", reason: "rollback" };
  }
  const isKnown = incarnation?.id === stored.id;
  if (isKnown && server.changeCounter < known.changeCounter) {
    return { kind: "raise", reason: "rollback" };
  }
  if (stored.timeline === null && server.timeline !== null) return { kind: "identify" };
  return { kind: isKnown ? "same" : "adopt" };
}

/** The earlier primary runs again, or answers still. */
function isOlderTimeline(known: Incarnation, server: ServerState): boolean {
  if (isDifferent(known.systemIdentifier, server.systemIdentifier)) return false;
  return known.timeline !== null && server.timeline !== null && server.timeline < known.timeline;
}

/** True if the database lacks the incarnation that the process knows. */
function isBehind(stored: Incarnation, known: Incarnation): boolean {
  return stored.value < known.value || (stored.value === known.value && stored.id !== known.id);
}

function isDifferent<T>(one: T | null, other: T | null): boolean {
  return one !== null && other !== null && one !== other;
}

const REFUSALS: Record<Refusal, string> = {
  standby: "the database is a standby, which accepts no writes",
  older_timeline: "the database is an earlier primary: a standby was promoted since",
};

const REASONS: Record<RaiseReason, string> = {
  timeline: "a standby was promoted to primary",
  system: "the data was moved to another database server",
  rollback: "the database went back to an earlier state",
};

/** The high part of an epoch is the incarnation of the database that gave it (see `raise_incarnation`). */
const EPOCH_BITS = 32n;

/** Lowest epoch of an incarnation. Above all epochs of earlier ones. */
export function firstEpochOf(incarnation: bigint): bigint {
  return incarnation << EPOCH_BITS;
}

export function incarnationOf(epoch: bigint): bigint {
  return epoch >> EPOCH_BITS;
}

/** Follows the incarnation of the database over all connections of a process. */
export class Incarnations {
  readonly #logger: Logger;
  readonly #handlers = new Set<(change: IncarnationChange) => void>();
  #current: Incarnation | null = null;
  #changeCounter = 0n;
  /** The refusal that the log has. */
  #refusal: Refusal | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The newest incarnation that this process knows. Null before its first connection. */
  get current(): Incarnation | null {
    return this.#current;
  }

  /** Calls the handler before the first statement on a new incarnation. Returns the function that ends the subscription. */
  subscribe(handler: (change: IncarnationChange) => void): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** Records a value of the change counter that this process has seen. */
  observeCounter(value: bigint): void {
    if (value > this.#changeCounter) this.#changeCounter = value;
  }

  /** Checks a new connection. Rejects if the process must not use this server, or with the database's error. */
  async check(client: pg.ClientBase): Promise<void> {
    for (;;) {
      // Values that the process learns during the read can be newer than the read ones.
      const known = { incarnation: this.#current, changeCounter: this.#changeCounter };
      const server = await readServerState(client);
      if (known.incarnation?.id !== this.#current?.id) continue;
      return this.#handle(client, server, judgeServer(known, server));
    }
  }

  /**
   * Raises the incarnation, because a number that this process knows as stored went back. `seen`: the incarnation in which
   * the process knew the number. Does nothing if it is not the current one. Rejects with the database's error.
   */
  async reportRollback(
    database: Kysely<Tables>,
    { seen, details }: { seen: Incarnation; details: Record<string, unknown> },
  ): Promise<void> {
    if (this.#current?.id !== seen.id) return;
    await this.#raise(queryIn(database), { expectedId: seen.id, reason: "rollback", details });
  }

  async #handle(client: pg.ClientBase, server: ServerState, judgement: Judgement): Promise<void> {
    if (judgement.kind === "refuse") this.#refuse(judgement.reason);
    this.#refusal = null;
    const { stored, changeCounter } = server;
    if (judgement.kind === "raise") {
      const from = toDetails(this.#current ?? stored);
      const details = { from, to: toDetails(server) };
      const { reason } = judgement;
      return this.#raise(queryOver(client), { expectedId: stored.id, reason, details });
    }
    const isNew = judgement.kind === "identify";
    this.#adopt(isNew ? await identifyIncarnation(client, server) : stored, changeCounter);
  }

  async #raise(query: Query, raise: Omit<Raise, "known" | "newId">): Promise<void> {
    const newId = randomUUID();
    const known = this.#current?.value ?? -1n;
    const raised = await raiseIncarnation(query, { ...raise, known, newId });
    if (raised.id === newId) {
      this.#logger.warn(
        { incarnation: String(raised.value), ...raise.details },
        `${REASONS[raise.reason]}: changes of the last seconds may be missing, and nodes report their records and leases again`,
      );
    }
    // The counter has jumped. The next connection or poll reads it.
    this.#adopt(raised, 0n);
  }

  #adopt(after: Incarnation, changeCounter: bigint): void {
    const before = this.#current;
    this.#current = after;
    if (before?.id === after.id) {
      this.observeCounter(changeCounter);
      return;
    }
    this.#changeCounter = changeCounter;
    if (before === null) return;
    for (const handler of this.#handlers) {
      try {
        handler({ before, after });
      } catch (error) {
        this.#logger.error({ err: error }, "a subscriber of the incarnation failed");
      }
    }
  }

  #refuse(reason: Refusal): never {
    if (this.#refusal !== reason) this.#logger.error(`no statement runs: ${REFUSALS[reason]}`);
    this.#refusal = reason;
    // The code of a server that is not ready.
    throw Object.assign(new Error(REFUSALS[reason]), { code: "57P03" });
  }
}

function toDetails({
  timeline,
  systemIdentifier,
}: Pick<Incarnation, "timeline" | "systemIdentifier">): Record<string, string | null> {
  return { timeline: timeline === null ? null : String(timeline), systemIdentifier };
}

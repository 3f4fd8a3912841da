import type { Database } from "#src/db/pool.ts";
import { makeLatestRead } from "#src/lib/latest-read.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { ObservedExcess } from "./change-exceeded-bounds.ts";
import { listAllExceededBounds } from "./exceeded-bounds.sql.ts";

// Models and tools that exceeded a bound, in the memory of each node. Streams with them are held whole.

export interface ExceededBounds {
  /** True if streams of the organization with this model or tool are held whole. */
  isHeldWhole(organizationId: string, kind: ObservedExcess["kind"], name: string): boolean;
  /** Holds the model or tool whole at once on this node, and stores it for all nodes. Synchronous. Never throws. */
  report(excess: ObservedExcess): void;
  /** Reads the rows again. Throws the error of a failed query, and keeps the present rows. */
  reload(): Promise<void>;
  /** Ends the retries. Entries that are not stored are lost. */
  stop(): Promise<void>;
}

export interface ExceededBoundsOptions {
  database: Database;
  /** Stores the entry and fires its alert. */
  record: (excess: ObservedExcess) => Promise<unknown>;
  logger: Logger;
  /** Time between two attempts to store entries while the database is away, milliseconds. Default: 10 s. */
  retryMs?: number;
}

const RETRY_MS = 10_000;
/** Most entries that wait. The shipped data has fewer models and tools. Later ones are held whole on this node only. */
const MAX_WAITING = 1_000;

/** Has no entries until the first `reload`. */
export function makeExceededBounds(options: ExceededBoundsOptions): ExceededBounds {
  return new NodeExceededBounds(options);
}

class NodeExceededBounds implements ExceededBounds {
  readonly #options: ExceededBoundsOptions;
  #stored: ReadonlySet<string> = new Set();
  /** Entries that are not stored yet, by key. */
  readonly #waiting = new Map<string, ObservedExcess>();
  #timer: NodeJS.Timeout | null = null;
  #storing: Promise<void> | null = null;
  #isStopped = false;
  readonly reload: () => Promise<void>;

  constructor(options: ExceededBoundsOptions) {
    this.#options = options;
    this.reload = makeLatestRead(
      () => listAllExceededBounds(options.database),
      (rows) => {
        this.#stored = new Set(rows.map(keyOf));
      },
    );
  }

  isHeldWhole(organizationId: string, kind: ObservedExcess["kind"], name: string): boolean {
    if (this.#stored.size === 0 && this.#waiting.size === 0) return false;
    const key = keyOf({ organizationId, kind, name });
    return this.#stored.has(key) || this.#waiting.has(key);
  }

  report(excess: ObservedExcess): void {
    const key = keyOf(excess);
    if (this.#stored.has(key) || this.#waiting.has(key) || this.#isStopped) return;
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(key, excess);
    this.#options.logger.warn(
      excess,
      "a stream exceeded the bound of its model or tool: such streams are held whole",
    );
    this.#storing ??= this.#store();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#storing;
  }

  async #store(): Promise<void> {
    const { record, logger } = this.#options;
    try {
      for (const [key, excess] of this.#waiting) {
        await record(excess);
        await this.reload();
        this.#waiting.delete(key);
      }
    } catch (error) {
      logger.warn({ err: error }, "an exceeded bound is not stored: retry follows");
      this.#retryLater();
    } finally {
      this.#storing = null;
    }
  }

  #retryLater(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#storing ??= this.#store();
    }, this.#options.retryMs ?? RETRY_MS).unref();
  }
}

function keyOf({
  organizationId,
  kind,
  name,
}: Pick<ObservedExcess, "organizationId" | "kind" | "name">): string {
  return `${organizationId}\n${kind}\n${name}`;
}

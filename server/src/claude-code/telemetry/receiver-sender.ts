import type { GuardedClient } from "#src/lib/guarded-client.ts";
import type { Logger } from "#src/lib/logger.ts";
import { ExportQueue } from "./export-queue.ts";
import { noHealth, type Receiver, type ReceiverHealth } from "./receiver.ts";
import { type MarkedExport, sendExport } from "./send-export.ts";

/** Result of one export for one receiver: relayed, dropped before, or refused by the receiver. */
export type TelemetryOutcome = "relayed" | "queue_full" | "invalid" | "failed";

export interface SenderOptions {
  client: Pick<GuardedClient, "post">;
  observe: (outcome: TelemetryOutcome) => void;
  nowMs: () => number;
  logger: Logger;
}

/** Bytes of exports that wait for one receiver or are sent to it. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const MAX_RUNNING = 4;
const QUEUE_FULL = "Too much waits for it, so exports are dropped.";

/** Sends exports to one receiver from a queue of its own. Its newest results stay in memory. */
export class ReceiverSender {
  readonly #options: SenderOptions;
  readonly #queue: ExportQueue<MarkedExport>;
  #receiver: Receiver;
  #health: ReceiverHealth = noHealth;
  #hasNews = false;
  #hasFailed = false;

  constructor(receiver: Receiver, options: SenderOptions) {
    this.#receiver = receiver;
    this.#options = options;
    this.#queue = new ExportQueue({
      maxBytes: MAX_QUEUED_BYTES,
      maxRunning: MAX_RUNNING,
      run: (sent) => this.#send(sent),
    });
  }

  get receiver(): Receiver {
    return this.#receiver;
  }

  get health(): ReceiverHealth {
    return this.#health;
  }

  /** Replaces the target. Exports that wait are sent to the new one. */
  set(receiver: Receiver): void {
    if (receiver.version === this.#receiver.version) return;
    this.#receiver = receiver;
    this.#health = noHealth;
    this.#hasNews = false;
  }

  /** Queues an export. Never waits, never throws. */
  add(sent: MarkedExport, memberId: string): void {
    if (!this.#queue.add(sent, { memberId, bytes: sent.body.length })) this.drop();
  }

  /** Counts an export that was dropped, because too much waits. */
  drop(): void {
    this.#options.observe("queue_full");
    this.#record(this.#receiver, QUEUE_FULL);
  }

  close(): void {
    this.#queue.clear();
  }

  /** Returns results since the previous call. Null: there are none. */
  takeNews(): ReceiverHealth | null {
    if (!this.#hasNews) return null;
    this.#hasNews = false;
    return this.#health;
  }

  async #send(sent: MarkedExport): Promise<void> {
    const receiver = this.#receiver;
    const { isAccepted, reason } = await sendExport(this.#options.client, receiver, sent);
    this.#record(receiver, isAccepted ? null : (reason ?? ""));
    this.#options.observe(isAccepted ? "relayed" : "failed");
  }

  /** Records a result of a target, unless it was replaced. Logs the first failure in a row, and the end of the failures. */
  #record(receiver: Receiver, failure: string | null): void {
    if (receiver.version !== this.#receiver.version) return;
    const atMs = this.#options.nowMs();
    this.#health =
      failure === null
        ? { ...this.#health, relayedAtMs: atMs }
        : { ...this.#health, failedAtMs: atMs, failure };
    this.#hasNews = true;
    const hasFailed = failure !== null;
    if (hasFailed === this.#hasFailed) return;
    this.#hasFailed = hasFailed;
    const { logger } = this.#options;
    const of = { receiver: receiver.id };
    if (!hasFailed) logger.info(of, "the telemetry receiver accepts exports again");
    else logger.warn({ ...of, reason: failure }, "the telemetry receiver does not accept exports");
  }
}

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { PersonAttributes } from "./person-attributes.ts";
import type { MarkedExport } from "./send-export.ts";

export interface MarkQuestion extends Omit<MarkedExport, "body"> {
  isCompressed: boolean;
  body: Uint8Array;
  attributes: PersonAttributes;
}

export interface MarkAnswer {
  /** Null: the body is no message of OTLP. */
  marked: Uint8Array | null;
  tookMs: number;
}

const THREAD = new URL("./mark-thread.ts", import.meta.url);
/** Longest time of one export, with the start of the thread. */
const TIMEOUT_MS = 10_000;
/** The thread rests four times as long as it worked, so marks take at most a fifth of a core. */
const REST_FACTOR = 4;
/** Rest after an export that ended its thread. */
const FAILED_REST_MS = 5_000;
/** An export that needs more memory ends the thread, and not the server. */
const MAX_HEAP_MB = 128;

/** Adds verified persons to exports, one at a time, in a thread that starts with the first export. */
export class ExportMarker {
  #thread: Worker | null = null;
  #rest: Promise<void> = Promise.resolve();

  /** Resolves to the message with its person, or to null for a body that is no message of OTLP. Rejects if the thread fails. */
  mark(question: MarkQuestion): Promise<Buffer | null> {
    const asked = this.#rest.then(() => this.#ask(question));
    this.#rest = asked
      .then(
        ({ tookMs }) => tookMs * REST_FACTOR,
        () => FAILED_REST_MS,
      )
      .then((restMs) => sleep(restMs, undefined, { ref: false }));
    return asked.then(
      ({ marked }) => marked && Buffer.from(marked.buffer, marked.byteOffset, marked.byteLength),
    );
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
  }

  async #ask(question: MarkQuestion): Promise<MarkAnswer> {
    this.#thread ??= this.#start();
    const thread = this.#thread;
    thread.postMessage(question);
    try {
      const [answer] = await once(thread, "message", { signal: AbortSignal.timeout(TIMEOUT_MS) });
      return answer as MarkAnswer;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: MAX_HEAP_MB };
    const thread = new Worker(THREAD, { resourceLimits });
    // The question that runs rejects. Without a listener, the error would end the process.
    thread.on("error", () => undefined);
    thread.once("exit", () => {
      if (this.#thread === thread) this.#thread = null;
    });
    thread.unref();
    return thread;
  }
}

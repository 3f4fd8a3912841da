import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import type { HttpCallController, HttpCallHandler } from "#src/lib/http-client.ts";
import type { ObjectReferences } from "./object-references.ts";
import { canGiveObjects, type GivenReader, makeGivenReader } from "./read-given-objects.ts";
import type { Metered } from "./settle.ts";

/** Longest wait of a response's end for the record of its objects, milliseconds. */
const RECORD_WITHIN_MS = 2_000;

/**
 * Returns a handler that records the objects of a response before `handler` learns of its end. For a request whose response
 * gives none, this is `handler` itself.
 */
export function recordGiven(
  handler: HttpCallHandler,
  key: FoundKey | null,
  metered: Metered | null,
  references: ObjectReferences,
): HttpCallHandler {
  if (metered === null || key === null || !canGiveObjects(metered.message)) return handler;
  return new GivenRecorder(handler, key, metered, references);
}

class GivenRecorder implements HttpCallHandler {
  readonly #handler: HttpCallHandler;
  readonly #key: FoundKey;
  readonly #metered: Metered;
  readonly #references: ObjectReferences;
  #reader: GivenReader | null = null;
  #recorded: Promise<unknown>[] = [];

  constructor(
    handler: HttpCallHandler,
    key: FoundKey,
    metered: Metered,
    references: ObjectReferences,
  ) {
    this.#handler = handler;
    this.#key = key;
    this.#metered = metered;
    this.#references = references;
  }

  onRequestStart(controller: HttpCallController): void {
    this.#handler.onRequestStart(controller);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent();
  }

  onResponseStart(controller: HttpCallController, status: number, fields: HeaderFields): void {
    if (status >= 200 && status < 300) {
      this.#reader = makeGivenReader({
        isStream: /^text\/event-stream\b/i.test(fields.find("content-type") ?? ""),
        contentEncoding: fields.find("content-encoding"),
        hasThread: this.#metered.message.markers.hasThread,
      });
    }
    this.#handler.onResponseStart(controller, status, fields);
  }

  onResponseData(controller: HttpCallController, chunk: Buffer, framed?: Buffer): void {
    this.#reader?.push(chunk);
    // Objects of a stream are recorded as soon as the client can name them.
    this.#record();
    this.#handler.onResponseData(controller, chunk, framed);
  }

  onResponseEnd(): void {
    const ended = this.#reader?.finish();
    if (ended === undefined) this.#record();
    else this.#recorded.push(ended.then(() => this.#takeGiven() ?? undefined));
    if (this.#recorded.length === 0) {
      this.#handler.onResponseEnd();
      return;
    }
    void this.#waitForRecords().then(() => this.#handler.onResponseEnd());
  }

  onResponseError(controller: HttpCallController | null, error: Error): void {
    this.#record();
    this.#handler.onResponseError(controller, error);
  }

  #record(): void {
    const recorded = this.#takeGiven();
    if (recorded !== null) this.#recorded.push(recorded);
  }

  #takeGiven(): Promise<void> | null {
    const given = this.#reader?.takeGiven() ?? [];
    const { upstream, failover } = this.#metered;
    if (given.length === 0 || upstream === null) return null;
    return this.#references.recordGiven(this.#key, { upstreamId: upstream.id, failover }, given);
  }

  async #waitForRecords(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, RECORD_WITHIN_MS);
    });
    await Promise.race([Promise.all(this.#recorded), late]);
    clearTimeout(timer);
  }
}

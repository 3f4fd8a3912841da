import type { FieldLines } from "#src/lib/field-lines.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { AdaptedCall } from "./adapted-call.ts";

/** A JSON answer that is not sent before its last byte arrived. */
interface CollectedAnswer {
  status: number;
  headers: FieldLines;
  chunks: Buffer[];
  bytes: number;
  /** Declared length. Null: the answer ends with `end`. */
  length: number | null;
}

/** Converts bytes of a stream. Null: nothing for the client. Throws a RangeError for an event that is too large. */
export type StreamConverter = (chunk: Buffer) => Buffer | null;

type Response =
  | { kind: "none" }
  | { kind: "collected"; answer: CollectedAnswer }
  | { kind: "stream"; convert: StreamConverter }
  /** Bytes pass as they are: the rest of an answer that was sent, or a body that is neither JSON nor a stream. */
  | { kind: "raw" };

/** An adapted call whose answers have another form: JSON is converted as a whole, and a stream event by event. */
export abstract class ConvertingCall extends AdaptedCall {
  /** A larger JSON answer breaks the connection. */
  protected abstract readonly maxAnswerBytes: number;
  #status: number | null = null;
  #response: Response = { kind: "none" };

  /** True if a JSON answer with this status is converted. */
  protected abstract isConverted(status: number): boolean;
  /** Sends the head of a stream. */
  protected abstract startStream(status: number, headers: FieldLines): StreamConverter;
  /** Sends the head of an answer that is not converted. `length`: as declared. */
  protected abstract startRaw(status: number, headers: FieldLines, length: number | null): void;
  /** Sends the head and the body of a JSON answer. */
  protected abstract sendConverted(status: number, headers: FieldLines, bytes: Buffer): void;

  override get isHeadSent(): boolean {
    return this.#status !== null;
  }

  override get status(): number | null {
    return this.#status;
  }

  override writeHead(status: number, headers: FieldLines): void {
    this.#status = status;
    const fields = HeaderFields.fromList(headers.toList());
    const type = fields.find("content-type") ?? "";
    const isEncoded = fields.find("content-encoding") !== undefined;
    const declared = fields.find("content-length");
    const length = declared === undefined ? null : Number(declared);
    if (!isEncoded && status < 300 && /^text\/event-stream\b/i.test(type)) {
      this.#response = { kind: "stream", convert: this.startStream(status, headers) };
    } else if (!isEncoded && /^application\/json\b/i.test(type) && this.isConverted(status)) {
      const answer = { status, headers, chunks: [], bytes: 0, length };
      this.#response = { kind: "collected", answer };
    } else {
      this.#response = { kind: "raw" };
      this.startRaw(status, headers, length);
    }
  }

  override flushHead(): void {
    if (this.#response.kind !== "collected") this.inner.flushHead();
  }

  override write(chunk: Buffer): boolean {
    const response = this.#response;
    switch (response.kind) {
      case "collected":
        this.#collect(response.answer, chunk);
        return true;
      case "stream":
        return this.#writeEvents(response.convert, chunk);
      default:
        return this.inner.write(chunk);
    }
  }

  override end(last?: Buffer | string, stallMs?: number): void {
    const hasLast = last !== undefined && last.length > 0;
    if (hasLast) this.write(typeof last === "string" ? Buffer.from(last) : last);
    // `write` may have sent the answer.
    const response = this.#response;
    if (response.kind === "collected") this.#sendAnswer(response.answer);
    this.inner.end(undefined, stallMs);
  }

  #writeEvents(convert: StreamConverter, chunk: Buffer): boolean {
    try {
      const bytes = convert(chunk);
      return bytes === null || this.inner.write(bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.inner.destroy();
      return true;
    }
  }

  #collect(answer: CollectedAnswer, chunk: Buffer): void {
    answer.bytes += chunk.length;
    if (answer.bytes > this.maxAnswerBytes) {
      answer.chunks = [];
      this.inner.destroy();
      return;
    }
    answer.chunks.push(chunk);
    // A refusal ends only after the rest of the request, and its client must not wait for that.
    if (answer.bytes === answer.length) this.#sendAnswer(answer);
  }

  #sendAnswer({ status, headers, chunks }: CollectedAnswer): void {
    this.#response = { kind: "raw" };
    this.sendConverted(status, headers, Buffer.concat(chunks));
  }
}

import { toOfficialName } from "#src/domain/platform-models.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { AdaptedCall } from "../adapted-call.ts";
import { EventReader } from "../event-reader.ts";
import { toAwsCount, toAwsError, toAwsFrame, toAwsHead, toAwsStatus } from "./bedrock-answer.ts";
import { toOfficialBody } from "./platform-body.ts";
import { decodeModel } from "./vertex-call.ts";

const PATH = /^\/bedrock\/model\/([^/]+)\/(invoke|invoke-with-response-stream|count-tokens)$/;
const FRAMES_TYPE = "application/vnd.amazon.eventstream";
/** Largest error or count, bytes. A larger answer breaks the connection. */
const MAX_COLLECTED_BYTES = 1024 * 1024;

type Action = "invoke" | "invoke-with-response-stream" | "count-tokens";

/** Converts a request of Bedrock's runtime. Null: the path is not one of it. */
export function makeBedrockCall(call: ClientCall, path: string): ClientCall | null {
  const parts = PATH.exec(path);
  const model = parts === null ? null : decodeModel(parts[1] ?? "");
  if (parts === null || model === null) return null;
  return new BedrockCall(call, toOfficialName(model), parts[2] as Action);
}

/** An error or a count that is not sent before its last byte arrived. */
interface PendingAnswer {
  status: number;
  headers: FieldLines;
  chunks: Buffer[];
  bytes: number;
  /** Declared length. Null: the answer ends with `end`. */
  length: number | null;
}

type Response =
  | { kind: "none" }
  | { kind: "pending"; answer: PendingAnswer }
  | { kind: "stream"; reader: EventReader }
  /** Bytes pass as they are. */
  | { kind: "raw" };

class BedrockCall extends AdaptedCall {
  readonly #model: string;
  readonly #action: Action;
  #status: number | null = null;
  #response: Response = { kind: "none" };

  constructor(inner: ClientCall, model: string, action: Action) {
    const target = action === "count-tokens" ? "/v1/messages/count_tokens" : "/v1/messages";
    super(inner, { method: "POST", target, fields: inner.fields });
    this.#model = model;
    this.#action = action;
  }

  get isHeadSent(): boolean {
    return this.#status !== null;
  }

  get status(): number | null {
    return this.#status;
  }

  adaptBody(bytes: Buffer): Buffer {
    const isCount = this.#action === "count-tokens";
    const { body, fields } = toOfficialBody({
      body: isCount ? readCounted(bytes) : bytes,
      fields: this.fields,
      model: this.#model,
      isStream: isCount ? null : this.#action === "invoke-with-response-stream",
    });
    this.fields = fields;
    return body;
  }

  writeHead(status: number, headers: FieldLines): void {
    this.#status = status;
    const fields = HeaderFields.fromList(headers.toList());
    const type = fields.find("content-type") ?? "";
    const isEncoded = fields.find("content-encoding") !== undefined;
    const isJson = !isEncoded && /^application\/json\b/i.test(type);
    if (status < 300 && !isEncoded && /^text\/event-stream\b/i.test(type)) {
      this.#response = { kind: "stream", reader: new EventReader() };
      const head = { length: null, contentType: FRAMES_TYPE, exception: null };
      this.inner.writeHead(status, toAwsHead(headers, head));
    } else if (isJson && (status >= 300 || this.#action === "count-tokens")) {
      const length = readLength(fields);
      const answer = { status, headers, chunks: [], bytes: 0, length };
      this.#response = { kind: "pending", answer };
    } else {
      this.#response = { kind: "raw" };
      const length = readLength(fields);
      const head = { length, contentType: null, exception: null };
      this.inner.writeHead(toAwsStatus(status), toAwsHead(headers, head));
    }
  }

  flushHead(): void {
    if (this.#response.kind !== "pending") this.inner.flushHead();
  }

  write(chunk: Buffer): boolean {
    const response = this.#response;
    switch (response.kind) {
      case "pending":
        this.#collect(response.answer, chunk);
        return true;
      case "stream":
        return this.#writeEvents(response.reader, chunk);
      default:
        return this.inner.write(chunk);
    }
  }

  end(last?: Buffer | string, stallMs?: number): void {
    const hasLast = last !== undefined && last.length > 0;
    if (hasLast) this.write(typeof last === "string" ? Buffer.from(last) : last);
    // `write` may have sent the answer.
    const response = this.#response;
    if (response.kind === "pending") this.#sendAnswer(response.answer);
    this.inner.end(undefined, stallMs);
  }

  #writeEvents(reader: EventReader, chunk: Buffer): boolean {
    try {
      const frames = reader.push(chunk).map(toAwsFrame);
      return frames.length === 0 || this.inner.write(Buffer.concat(frames));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.inner.destroy();
      return true;
    }
  }

  #collect(answer: PendingAnswer, chunk: Buffer): void {
    answer.bytes += chunk.length;
    if (answer.bytes > MAX_COLLECTED_BYTES) {
      answer.chunks = [];
      this.inner.destroy();
      return;
    }
    answer.chunks.push(Buffer.from(chunk));
    // A refusal ends only after the rest of the request, and its client must not wait for that.
    if (answer.bytes === answer.length) this.#sendAnswer(answer);
  }

  #sendAnswer({ status, headers, chunks }: PendingAnswer): void {
    this.#response = { kind: "raw" };
    const official = Buffer.concat(chunks);
    const isError = status >= 300;
    const { body, exception } = isError
      ? toAwsError(official)
      : { body: toAwsCount(official) ?? official, exception: null };
    const head = { length: body.length, contentType: null, exception };
    this.inner.writeHead(toAwsStatus(status), toAwsHead(headers, head));
    this.inner.write(body);
  }
}

function readLength(fields: HeaderFields): number | null {
  const declared = fields.find("content-length");
  return declared === undefined ? null : Number(declared);
}

/** Returns the body of the message to be counted, which is in base64. Throws a 400 for another body. */
function readCounted(bytes: Buffer): Buffer {
  const counted = findCounted(bytes);
  if (counted === null) {
    throw refuseField("input.invokeModel.body", "Input should be the body of a message in base64");
  }
  return Buffer.from(counted, "base64");
}

function findCounted(bytes: Buffer): string | null {
  try {
    const { input } = JSON.parse(bytes.toString("utf8")) as {
      input?: { invokeModel?: { body?: unknown } };
    };
    const body = input?.invokeModel?.body;
    return typeof body === "string" ? body : null;
  } catch {
    return null;
  }
}

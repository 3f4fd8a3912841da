import { toOfficialName } from "#src/domain/platform-models.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { decodePercent } from "#src/lib/decode-percent.ts";
import type { FieldLines } from "#src/lib/field-lines.ts";
import { ConvertingCall, type StreamConverter } from "../converting-call.ts";
import { EventReader } from "../event-reader.ts";
import { toAwsCount, toAwsError, toAwsFrame, toAwsHead, toAwsStatus } from "./bedrock-answer.ts";
import { toOfficialBody } from "./platform-body.ts";

const PATH = /^\/bedrock\/model\/([^/]+)\/(invoke|invoke-with-response-stream|count-tokens)$/;
const FRAMES_TYPE = "application/vnd.amazon.eventstream";
/** Largest error or count, bytes. A larger answer breaks the connection. */
const MAX_COLLECTED_BYTES = 1024 * 1024;

type Action = "invoke" | "invoke-with-response-stream" | "count-tokens";

/** Converts a request of Bedrock's runtime. Null: the path is not one of it. */
export function makeBedrockCall(call: ClientCall, path: string): ClientCall | null {
  const parts = PATH.exec(path);
  const model = parts === null ? null : decodePercent(parts[1] ?? "");
  if (parts === null || model === null) return null;
  return new BedrockCall(call, toOfficialName(model), parts[2] as Action);
}

class BedrockCall extends ConvertingCall {
  protected readonly maxAnswerBytes = MAX_COLLECTED_BYTES;
  readonly #model: string;
  readonly #action: Action;

  constructor(inner: ClientCall, model: string, action: Action) {
    const target = action === "count-tokens" ? "/v1/messages/count_tokens" : "/v1/messages";
    super(inner, { method: "POST", target, fields: inner.fields });
    this.#model = model;
    this.#action = action;
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

  /** Errors and counts. Messages have the official form. */
  protected isConverted(status: number): boolean {
    return status >= 300 || this.#action === "count-tokens";
  }

  protected startStream(status: number, headers: FieldLines): StreamConverter {
    const reader = new EventReader();
    const head = { length: null, contentType: FRAMES_TYPE, exception: null };
    this.inner.writeHead(status, toAwsHead(headers, head));
    return (chunk) => {
      const frames = reader.push(chunk).map(toAwsFrame);
      return frames.length === 0 ? null : Buffer.concat(frames);
    };
  }

  protected startRaw(status: number, headers: FieldLines, length: number | null): void {
    const head = { length, contentType: null, exception: null };
    this.inner.writeHead(toAwsStatus(status), toAwsHead(headers, head));
  }

  protected sendConverted(status: number, headers: FieldLines, official: Buffer): void {
    const { body, exception } =
      status >= 300
        ? toAwsError(official)
        : { body: toAwsCount(official) ?? official, exception: null };
    const head = { length: body.length, contentType: null, exception };
    this.inner.writeHead(toAwsStatus(status), toAwsHead(headers, head));
    this.inner.write(body);
  }
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

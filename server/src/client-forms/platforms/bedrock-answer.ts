import { FieldLines } from "#src/lib/field-lines.ts";
import { isObject, parseJson } from "#src/lib/parse-json.ts";
import { toChunkFrame, toExceptionFrame } from "./encode-frames.ts";

// Answers in the form of Bedrock: frames, counts, and errors that AWS's clients read.

/** Names of exceptions, by the official type of an error. */
const exceptions: Readonly<Record<string, string>> = {
  invalid_request_error: "ValidationException",
  request_too_large: "ValidationException",
  authentication_error: "UnrecognizedClientException",
  permission_error: "AccessDeniedException",
  billing_error: "AccessDeniedException",
  not_found_error: "ResourceNotFoundException",
  conflict_error: "ConflictException",
  rate_limit_error: "ThrottlingException",
  timeout_error: "ModelTimeoutException",
  overloaded_error: "ServiceUnavailableException",
};
const OTHER_EXCEPTION = "InternalServerException";

interface OfficialError {
  type: string;
  message: string;
}

/** Returns the frame of an event. */
export function toAwsFrame(data: Buffer): Buffer {
  // An error has a few hundred bytes, and its type is first.
  if (!data.subarray(0, ERROR_START_BYTES).includes('"error"')) return toChunkFrame(data);
  const error = readError(data);
  if (error === null) return toChunkFrame(data);
  const name = exceptions[error.type] ?? OTHER_EXCEPTION;
  return toExceptionFrame(name.charAt(0).toLowerCase() + name.slice(1), error.message);
}

const ERROR_START_BYTES = 40;

/** Body and exception of an error. The official body stays in it, so that Anthropic's clients see all facts. */
export function toAwsError(official: Buffer): { body: Buffer; exception: string } {
  const error = readError(official);
  if (error === null) return { body: official, exception: OTHER_EXCEPTION };
  const body = { message: error.message, ...(JSON.parse(official.toString("utf8")) as object) };
  return {
    body: Buffer.from(JSON.stringify(body)),
    exception: exceptions[error.type] ?? OTHER_EXCEPTION,
  };
}

/** Turns the official count into the one of Bedrock. Null: the body is no count. */
export function toAwsCount(official: Buffer): Buffer | null {
  const { input_tokens: inputTokens } = parse(official);
  if (typeof inputTokens !== "number") return null;
  return Buffer.from(JSON.stringify({ inputTokens }));
}

/** AWS's clients retry a 503, and do not know the official 529. */
export function toAwsStatus(status: number): number {
  return status === 529 ? 503 : status;
}

/** Returns the headers of an answer. `length`: null for a stream. `exception`: null for a success. */
export function toAwsHead(
  official: FieldLines,
  answer: { length: number | null; contentType: string | null; exception: string | null },
): FieldLines {
  const lines = new FieldLines();
  const list = official.toList();
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    if (name === "content-length") continue;
    if (name === "content-type" && answer.contentType !== null) continue;
    lines.add(name, value);
    if (name === "request-id") lines.add("x-amzn-requestid", value);
  }
  if (answer.contentType !== null) lines.add("content-type", answer.contentType);
  if (answer.exception !== null) lines.add("x-amzn-errortype", answer.exception);
  if (answer.length !== null) lines.add("content-length", String(answer.length));
  return lines;
}

function readError(body: Buffer): OfficialError | null {
  const { type, error } = parse(body);
  if (type !== "error" || typeof error !== "object" || error === null) return null;
  const { type: kind, message } = error as Record<string, unknown>;
  return typeof kind === "string" && typeof message === "string" ? { type: kind, message } : null;
}

function parse(body: Buffer): Record<string, unknown> {
  const value = parseJson(body);
  return isObject(value) ? value : {};
}

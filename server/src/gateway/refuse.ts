import type { ErrorDetails } from "@bursar/contract/error-body.ts";
import type { ErrorCode } from "@bursar/contract/errors.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { toErrorBody } from "#src/domain/error-body.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { addIdentityHeaders, type ResponseIdentity } from "./forward-headers.ts";
import { endAfterBody } from "./refused-bodies.ts";

/** A shorter body is read to its end after a refusal, so that the connection can be reused. A stalled one never ends. */
const SMALL_BODY_BYTES = 256 * 1024;
/** Statuses for which the same request is refused again. */
const FUTILE_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 404, 413]);

/** Status, type, headers and message of a refusal, for clients that need others than its code has. */
export type RefusalForm = Pick<ApiError, "status" | "type" | "headers" | "message">;

export interface Refusal {
  error: ApiError;
  form?: RefusalForm;
  requestId: string;
  /** Null before the key is found. The response then names no organization and no workspace. */
  identity: ResponseIdentity | null;
  /** True while the server stops. The connection is then not reused. */
  isClosing: boolean;
}

/** A request that the gateway itself answered with an error. */
export interface RefusedRequest {
  requestId: string;
  /** Null: the request has no known key. */
  key: FoundKey | null;
  errorCode: ErrorCode;
  /** Status that the client received. */
  httpStatus: number;
  /** Name in reports. Empty: the body was not read. */
  model: string;
  /** Address of the client. Null: unknown. */
  address: string | null;
  /** Milliseconds since the epoch on the database's clock. */
  atMs: number;
  details: ErrorDetails;
}

/** Converts a thrown value to a refusal. Any value except an `ApiError` is a bug, and becomes a 500 without details. */
export function toRefusal(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError("internal_error", "Internal error");
}

/** Makes the refusal of a server that stops. The request was not sent, so the client can send it again. */
export function makeStoppingError(): ApiError {
  return new ApiError("server_not_ready", "This server is stopping. Send the request again.", {
    "retry-after": "1",
  });
}

/** True if a retry is futile. Without `x-should-retry: false`, Claude Code retries a 401 for minutes. */
function isFutile(code: ErrorCode, { status, headers }: RefusalForm): boolean {
  if (headers["x-should-retry"] !== undefined) return false; // The refusal sets the header itself.
  return FUTILE_STATUSES.has(status) && code !== "request_body_timeout";
}

/** Sends the official error body. Does nothing if the client has left or has a response already. */
export function refuse(call: ClientCall, refusal: Refusal): void {
  if (call.isHeadSent || call.isGone) return;
  const { error, form = error, requestId, identity } = refusal;
  const { type, message, headers: formHeaders } = form;
  const { details } = error;
  const words = { type, message, headers: formHeaders, details };
  const body = Buffer.from(JSON.stringify(toErrorBody(words, requestId)));
  const headers = FieldLines.fromList(["content-type", "application/json"]);
  headers.add("content-length", String(body.length));
  headers.add("request-id", requestId);
  if (identity) addIdentityHeaders(headers, identity);
  else {
    headers.add("bursar-request-id", requestId);
    headers.add("x-content-type-options", "nosniff");
  }
  for (const name of Object.keys(form.headers)) headers.add(name, form.headers[name] ?? "");
  if (isFutile(error.code, form)) headers.add("x-should-retry", "false");
  const isStalled = error.code === "request_body_timeout";
  const isLong = !call.isBodyComplete && (isStalled || !isSmall(call));
  if (isLong || call.isBodyHeldBack || refusal.isClosing) call.closeAfterwards();
  call.writeHead(form.status, headers);
  const hasBody = call.method !== "HEAD";
  if (isLong && !call.isBodyHeldBack) {
    if (hasBody) call.write(body);
    endAfterBody(call);
  } else {
    call.end(hasBody ? body : undefined);
  }
}

function isSmall({ fields }: ClientCall): boolean {
  if (fields.find("transfer-encoding") !== undefined) return false;
  return Number(fields.find("content-length") ?? 0) <= SMALL_BODY_BYTES;
}

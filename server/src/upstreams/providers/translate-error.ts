import type { ErrorType } from "@bursar/contract/errors.ts";
import { isObject, parseJson } from "#src/lib/parse-json.ts";

// Errors of platforms in the official body.

interface OfficialError {
  status: number;
  type: ErrorType;
}

/** Largest body of an error that is read, bytes. */
export const MAX_ERROR_BYTES = 64 * 1024;
const MAX_MESSAGE_CHARACTERS = 2_000;

const byStatus: Readonly<Record<number, OfficialError>> = {
  400: { status: 400, type: "invalid_request_error" },
  401: { status: 401, type: "authentication_error" },
  402: { status: 402, type: "billing_error" },
  403: { status: 403, type: "permission_error" },
  404: { status: 404, type: "not_found_error" },
  408: { status: 504, type: "timeout_error" },
  409: { status: 409, type: "conflict_error" },
  413: { status: 413, type: "request_too_large" },
  424: { status: 500, type: "api_error" },
  429: { status: 429, type: "rate_limit_error" },
  // The platforms answer a lack of capacity with a 503, which is the official 529.
  503: { status: 529, type: "overloaded_error" },
  504: { status: 504, type: "timeout_error" },
  529: { status: 529, type: "overloaded_error" },
};

/** Finds the official status and type of a platform's status. */
export function toOfficialError(status: number): OfficialError {
  const known = byStatus[status];
  if (known !== undefined) return known;
  if (status >= 400 && status < 500) return { status, type: "invalid_request_error" };
  return { status: status >= 500 ? status : 502, type: "api_error" };
}

interface ProviderError {
  /** Name of the platform. */
  name: string;
  status: number;
  body: Buffer;
  requestId: string | null;
}

/** Returns the official form of a platform's error. An official body stays byte for byte. */
export function translateError({ name, status, body, requestId }: ProviderError): {
  status: number;
  body: Buffer;
} {
  const official = toOfficialError(status);
  const parsed = parse(body);
  if (isOfficial(parsed) && status !== 401 && status !== 403) {
    return { status: official.status, body };
  }
  const message = isCredentialFault(status)
    ? `${name} refused the credential of this server or its permission for the model. An administrator must check the upstream.`
    : `${name}: ${hideAccount(findMessage(parsed) ?? `status ${status}`)}`;
  const error = { type: official.type, message: message.slice(0, MAX_MESSAGE_CHARACTERS) };
  const text = JSON.stringify({ type: "error", error, request_id: requestId });
  return { status: official.status, body: Buffer.from(text) };
}

/** True for an error about the account, whose message names its users and roles. */
export function isCredentialFault(status: number): boolean {
  return status === 401 || status === 403;
}

/** Formats an error inside a stream. */
export function toErrorEvent(type: ErrorType, message: string): Buffer {
  const data = JSON.stringify({ type: "error", error: { type, message: hideAccount(message) } });
  return Buffer.from(`event: error\ndata: ${data}\n\n`);
}

/** Hides the names and numbers of the account, which are not for clients. */
function hideAccount(text: string): string {
  return text
    .replace(/\barn:[^\s"']+/g, "arn:…")
    .replace(/\bprojects\/[^/\s"']+/g, "projects/…")
    .replace(/\b\d{12}\b/g, "…");
}

function parse(body: Buffer): Record<string, unknown> | null {
  const value = parseJson(body);
  // Vertex AI puts an error of a stream into a list.
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return isObject(first) ? first : null;
}

function isOfficial(parsed: Record<string, unknown> | null): boolean {
  if (parsed?.["type"] !== "error" || !isObject(parsed["error"])) return false;
  const { type, message } = parsed["error"] as { type?: unknown; message?: unknown };
  return typeof type === "string" && typeof message === "string";
}

/** Finds the message of `{message}`, `{Message}` or `{error: {message}}`. */
function findMessage(parsed: Record<string, unknown> | null): string | null {
  if (parsed === null) return null;
  const error = isObject(parsed["error"]) ? parsed["error"] : {};
  const found = [error["message"], parsed["message"], parsed["Message"], parsed["error"]].find(
    (value) => typeof value === "string",
  );
  return typeof found === "string" ? found : null;
}

import type { ErrorBody } from "@bursar/contract/error-body.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { toErrorBody } from "#src/domain/error-body.ts";

const NOT_RETRIED: ReadonlySet<number> = new Set([401, 409]);

export interface ErrorResponse {
  status: number;
  headers: Record<string, string>;
  body: ErrorBody;
  /** True for an error that only the operator can fix, so it is logged. */
  isServerFault: boolean;
}

/**
 * Converts any error to a response. A refusal states its reason. Other errors do not, because messages of the database
 * or of a bug can contain data that the client must not see. `isDatabaseAway` distinguishes a lost connection to
 * PostgreSQL from a bug.
 */
export function makeErrorResponse(
  error: unknown,
  requestId: string,
  isDatabaseAway: (error: unknown) => boolean,
): ErrorResponse {
  const refusal = toRefusal(error, isDatabaseAway);
  return {
    status: refusal.status,
    headers: {
      "request-id": requestId,
      // Official SDKs retry a 409, and Claude Code a 401. A retry would find the same fault.
      ...(NOT_RETRIED.has(refusal.status) && { "x-should-retry": "false" }),
      ...refusal.headers,
    },
    body: toErrorBody(refusal, requestId),
    isServerFault: refusal !== error && refusal.status >= 500,
  };
}

function toRefusal(error: unknown, isDatabaseAway: (error: unknown) => boolean): ApiError {
  if (error instanceof ApiError) return error;
  if (isDatabaseAway(error)) {
    return new ApiError(
      "database_unavailable",
      "The server's database does not respond. Retry in a moment. If this was a change, first check whether it was made.",
      { "retry-after": "1" },
    );
  }
  return fromFramework(error) ?? new ApiError("internal_error", "Internal error");
}

/** Refusal by Fastify itself, before any handler. */
function fromFramework(error: unknown): ApiError | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ApiError("request_too_large", "The request body is larger than 1 MB.");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new ApiError(
        "invalid_body",
        "The size of the request body differs from its content-length.",
      );
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_ROUTE_MISSING_CONTENT_TYPE": // a QUERY request, before the 404
      return new ApiError(
        "invalid_header",
        "content-type: expected application/json.",
        {},
        { header: "content-type" },
      );
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new ApiError("invalid_path", "The path contains an id of more than 300 characters.");
    case "FST_ERR_BAD_URL":
      return new ApiError("invalid_path", "The path contains an invalid % escape.");
    default:
      return null;
  }
}

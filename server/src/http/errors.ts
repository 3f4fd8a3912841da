import type { ErrorBody } from "@bursar/contract/errors.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { toErrorBody } from "#src/domain/error-body.ts";

export interface ErrorResponse {
  status: number;
  headers: Record<string, string>;
  body: ErrorBody;
  /** Nobody asked for anything wrong: to be logged, because only the operator can do something about it. */
  isOurFault: boolean;
}

/**
 * Any error as the answer to a request. A refusal says what it is; everything else says nothing of its cause, since a
 * message of the database or of a bug may hold what the client must not see. `isDatabaseAway` tells an error of the
 * connection to PostgreSQL from a bug.
 */
export function errorResponse(
  error: unknown,
  requestId: string,
  isDatabaseAway: (error: unknown) => boolean,
): ErrorResponse {
  const refusal = toRefusal(error, isDatabaseAway);
  return {
    status: refusal.status,
    headers: {
      "request-id": requestId,
      // An official SDK sends a 409 again by itself; the same name will be taken the second time too.
      ...(refusal.status === 409 && { "x-should-retry": "false" }),
      ...refusal.headers,
    },
    body: toErrorBody(refusal, requestId),
    isOurFault: refusal !== error && refusal.status >= 500,
  };
}

function toRefusal(error: unknown, isDatabaseAway: (error: unknown) => boolean): ApiError {
  if (error instanceof ApiError) return error;
  if (isDatabaseAway(error)) {
    return new ApiError(
      "database_unavailable",
      "The server's database does not answer. Try again in a moment; if this was a change, look first whether it was made.",
      { "retry-after": "1" },
    );
  }
  return fromFramework(error) ?? new ApiError("internal_error", "Internal error");
}

/** What Fastify itself refuses before a handler is reached. */
function fromFramework(error: unknown): ApiError | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ApiError("request_too_large", "The request body is larger than 1 MB.");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new ApiError("invalid_body", "The request body has another size than announced.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_ROUTE_MISSING_CONTENT_TYPE": // a QUERY, before anybody can say that there is none
      return new ApiError(
        "invalid_header",
        "content-type: expected application/json.",
        {},
        { header: "content-type" },
      );
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new ApiError("invalid_path", "The path holds an id of more than 300 characters.");
    case "FST_ERR_BAD_URL":
      return new ApiError("invalid_path", "The path holds a % that begins no character.");
    default:
      return null;
  }
}

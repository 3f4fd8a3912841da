import { ApiError } from "#src/domain/api-error.ts";
import { toErrorBody } from "#src/domain/error-body.ts";

// Errors for clients after a failure of the upstream. The message of the cause stays in the log, because it has addresses.

const TIMEOUT_CODES = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** Code of an error of undici or Node. "unknown": another error. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown";
}

/** True if the upstream was silent for too long. */
export function isTimeout(error: unknown): boolean {
  return TIMEOUT_CODES.has(codeOf(error));
}

/** True if the request itself was refused before it was sent, which shows nothing about the upstream. */
export function isAboutRequest(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500;
}

/** Converts a failure to the error for the client. `isSent`: a part of the request was sent, so it may have been processed. */
export function toApiError(error: unknown, isSent: boolean): ApiError {
  if (error instanceof ApiError) return error;
  if (!isSent) {
    return new ApiError(
      "upstream_unreachable",
      `The Claude API could not be reached (${codeOf(error)}). The request was not sent.`,
    );
  }
  if (isTimeout(error)) {
    return new ApiError(
      "upstream_timeout",
      "The Claude API was silent for too long, so the request was cancelled. Claude may have processed it.",
    );
  }
  return new ApiError(
    "upstream_connection_lost",
    `The connection to the Claude API broke (${codeOf(error)}) before the answer was complete. The request may have been processed.`,
  );
}

/** Formats the error as the last event of a stream. */
export function toErrorEvent(
  error: Pick<ApiError, "type" | "message" | "details" | "headers">,
  requestId: string,
): string {
  return `event: error\ndata: ${JSON.stringify(toErrorBody(error, requestId))}\n\n`;
}

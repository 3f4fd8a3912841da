import type { ErrorBody, ErrorDetails } from "@bursar/contract/error-body.ts";
import type { ApiError } from "./api-error.ts";

/** Official error body of a refusal. `requestId` equals the response's `request-id` header. */
export function toErrorBody(
  { type, message, details, headers }: Pick<ApiError, "type" | "message" | "details" | "headers">,
  requestId: string,
): ErrorBody {
  return {
    type: "error",
    error: { type, message, details: { ...details, ...retryFacts(headers) } },
    request_id: requestId,
  };
}

/** The header's wait in seconds, also for an answer that has no headers any more. */
function retryFacts(headers: ApiError["headers"]): Pick<ErrorDetails, "retry_after_seconds"> {
  const seconds = headers["retry-after"];
  return seconds === undefined ? {} : { retry_after_seconds: Number(seconds) };
}

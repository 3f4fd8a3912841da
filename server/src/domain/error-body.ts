import { type ErrorBody, errorCodes } from "@bursar/contract/errors.ts";
import type { ApiError } from "./api-error.ts";

/** The official error body of a refusal. `requestId` is also the `request-id` header of the same answer. */
export function toErrorBody(error: ApiError, requestId: string): ErrorBody {
  return {
    type: "error",
    error: {
      type: errorCodes[error.code].type,
      message: error.message,
      ...(error.details !== null && { details: error.details }),
    },
    request_id: requestId,
  };
}

/** The HTTP status of a refusal. */
export function statusOf(error: ApiError): number {
  return errorCodes[error.code].status;
}

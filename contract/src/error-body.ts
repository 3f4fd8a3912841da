import { z } from "zod";
import { type ErrorFacts, errorFacts, type FieldError, fieldError } from "./error-facts.ts";
import type { ErrorCode, ErrorType } from "./errors.ts";

const errorDetails = z
  .looseObject({
    error_code: z
      .string()
      .meta({ description: "Cause of the refusal, from the list of error codes." }),
    fields: z.array(fieldError).optional().meta({ description: "Invalid fields of the request." }),
    retry_after_seconds: z.int().optional().meta({
      description: "Seconds to wait before the request is sent again, as in `retry-after`.",
    }),
    ...errorFacts.partial().shape,
  })
  .meta({
    description:
      "The cause, and its facts. Errors of the Claude API itself pass unchanged, and may have no details.",
  });

/** `error.details`: the cause, and its facts. */
export interface ErrorDetails extends Partial<ErrorFacts> {
  error_code: ErrorCode;
  fields?: readonly FieldError[];
  retry_after_seconds?: number;
}

/** The official error body. `request_id` equals the `request-id` header. */
export interface ErrorBody {
  type: "error";
  error: { type: ErrorType; message: string; details: ErrorDetails };
  request_id: string;
}

export const errorBody = z
  .object({
    type: z.literal("error"),
    error: z.object({
      type: z.string(),
      message: z.string(),
      details: errorDetails.optional(),
    }),
    request_id: z.string(),
  })
  .meta({ id: "Error", description: "The official error body." });

import { z } from "zod";
import { fieldError } from "./error-facts.ts";

/**
 * Every refusal the product itself can give. The wire carries `type` and the status; a code exists so that the server
 * has one closed list to throw from. Sources: the official error table (types and statuses) of the Claude API.
 */
export const errorCodes = {
  invalid_request: { status: 400, type: "invalid_request_error" },
  spend_limit_reached: { status: 400, type: "invalid_request_error" },
  authentication: { status: 401, type: "authentication_error" },
  permission: { status: 403, type: "permission_error" },
  not_found: { status: 404, type: "not_found_error" },
  conflict: { status: 409, type: "conflict_error" },
  request_too_large: { status: 413, type: "request_too_large" },
  rate_limit: { status: 429, type: "rate_limit_error" },
  /** `spend_limit_reached` for Claude Code, which repeats a 400. */
  spend_limit_final: { status: 429, type: "billing_error" },
  internal: { status: 500, type: "api_error" },
  upstream_unreachable: { status: 502, type: "api_error" },
  unavailable: { status: 503, type: "api_error" },
  upstream_timeout: { status: 504, type: "timeout_error" },
  overloaded: { status: 529, type: "overloaded_error" },
} as const;

export type ErrorCode = keyof typeof errorCodes;
export type ErrorType = (typeof errorCodes)[ErrorCode]["type"];

/** Causes without further facts. The SDKs make a class of each official one from the pair of status and code. */
export type PlainErrorCode =
  | "already_member"
  | "invite_already_exists"
  | "cannot_remove_last_member"
  | "external_storage_not_available"
  | "human_review_not_available"
  | "node_in_contact"
  | "request_body_encoding_unsupported"
  | "request_body_timeout";

/** The official finer cause of a refusal, with its facts. */
export type ErrorDetails =
  | { error_code: PlainErrorCode }
  /** A cause of this server: it has no room for another record. */
  | { error_code: "journal_full" }
  | {
      error_code: "thread_unsupported_request";
      /** Request fields that cannot be served. For a name that an SDK does not know it resends without `thread`. */
      unsupported: readonly string[];
    };

/** The official error body. `request_id` equals the `request-id` header. */
export interface ErrorBody {
  type: "error";
  error: { type: ErrorType; message: string; details?: ErrorDetails };
  request_id: string;
}

export const errorBody = z
  .object({
    type: z.literal("error"),
    error: z.object({
      type: z.string(),
      message: z.string(),
      details: z
        .looseObject({
          error_code: z.string(),
          fields: z
            .array(fieldError)
            .optional()
            .meta({ description: "Invalid fields of the request." }),
          unsupported: z
            .array(z.string())
            .optional()
            .meta({
              description:
                "For `thread_unsupported_request`: the request fields that this server cannot serve. Send the whole " +
                "conversation without them.",
            }),
        })
        .optional()
        .meta({ description: "A finer cause, where there is one." }),
    }),
    request_id: z.string(),
  })
  .meta({ id: "Error", description: "The official error body." });

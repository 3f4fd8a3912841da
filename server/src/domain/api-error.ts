import type { ErrorCode, ErrorDetails } from "@bursar/contract/errors.ts";

/**
 * A refusal: the client asked for something it cannot have. The message is public and says what was wrong and what to
 * do; `http/errors.ts` and the gateway turn it into the official body. Anything else that is thrown is a bug.
 */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: ErrorDetails | null;

  constructor(
    code: ErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    details: ErrorDetails | null = null,
  ) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.headers = headers;
    this.details = details;
  }
}

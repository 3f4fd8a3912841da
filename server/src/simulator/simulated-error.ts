/** Error response of the simulator, like the Claude API's. */
export class SimulatedError extends Error {
  readonly status: number;
  readonly type: string;
  /** Facts of the official error, such as its `error_code`. Null: none. */
  readonly details: ErrorDetails | null;

  constructor(status: number, message: string, details: ErrorDetails | null = null) {
    super(message);
    this.name = "SimulatedError";
    this.status = status;
    this.type = errorTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
    this.details = details;
  }
}

interface ErrorDetails {
  error_code: string;
  [fact: string]: unknown;
}

/** Official type of each status: https://platform.claude.com/docs/en/api/errors. */
const errorTypes: Record<number, string> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** Official error, which is also an errored line of a batch. */
export function errorObject(error: SimulatedError, requestId: string): object {
  return {
    type: "error",
    error: {
      type: error.type,
      message: error.message,
      ...(error.details !== null && { details: error.details }),
    },
    request_id: requestId,
  };
}

/** Official error body. */
export function errorBody(error: SimulatedError, requestId: string): string {
  return JSON.stringify(errorObject(error, requestId));
}

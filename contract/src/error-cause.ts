import type { ErrorFacts } from "./error-facts.ts";

// Statuses of refusals with their official types, and the description of one cause.

export const badRequest = { status: 400, type: "invalid_request_error" } as const;
export const unauthenticated = { status: 401, type: "authentication_error" } as const;
export const forbidden = { status: 403, type: "permission_error" } as const;
export const notFound = { status: 404, type: "not_found_error" } as const;
export const conflict = { status: 409, type: "conflict_error" } as const;
export const tooMany = { status: 429, type: "rate_limit_error" } as const;
export const unavailable = { status: 503, type: "api_error" } as const;
export const overloaded = { status: 529, type: "overloaded_error" } as const;

/** One cause of a refusal. */
export interface ErrorCause {
  status: number;
  type: string;
  /** One sentence for the reference. */
  meaning: string;
  /** Members of `error.details` that this cause always has. */
  facts?: readonly (keyof ErrorFacts)[];
  /** The Claude API has this pair of status and code. The official SDKs have an error class for it. */
  isOfficial?: true;
}

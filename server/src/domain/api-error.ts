import type { ErrorDetails } from "@bursar/contract/error-body.ts";
import type { ErrorFacts, FieldError } from "@bursar/contract/error-facts.ts";
import { type ErrorCode, type ErrorType, errorCodes } from "@bursar/contract/errors.ts";

type Headers = Readonly<Record<string, string>>;

/** Codes whose refusals always have facts. */
type FactCode = {
  [C in ErrorCode]: (typeof errorCodes)[C] extends { facts: readonly string[] } ? C : never;
}[ErrorCode];

/** Codes without facts of their own. */
export type PlainErrorCode = Exclude<ErrorCode, FactCode>;

/** Facts of one code, with the invalid fields where there are any. */
type FactsOf<C extends FactCode> = Pick<ErrorFacts, (typeof errorCodes)[C]["facts"][number]> &
  PlainFacts;
interface PlainFacts {
  fields?: readonly FieldError[];
}

type ErrorArguments =
  | [code: PlainErrorCode, message: string, headers?: Headers, facts?: PlainFacts]
  | { [C in FactCode]: [code: C, message: string, headers: Headers, facts: FactsOf<C>] }[FactCode];

/**
 * A refusal of a client's request. The message is public and states the fault and the remedy. `http/errors.ts` and the
 * gateway convert it to the official body. Any other error is a bug.
 */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: ErrorType;
  readonly headers: Headers;
  readonly details: ErrorDetails;

  constructor(...[code, message, headers = {}, facts = {}]: ErrorArguments) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = errorCodes[code].status;
    this.type = errorCodes[code].type;
    this.headers = headers;
    this.details = { error_code: code, ...facts };
  }
}

import type { ErrorCode } from "@bursar/contract/errors.ts";

/** A command that did not do what it was asked: `exitCode` is what the program exits with. */
export class CommandError extends Error {
  readonly exitCode: number;
  /** Of the server's answer, for its log; null where there was none. */
  readonly requestId: string | null;
  /** `error.details` of the server's answer. Null: the answer has none, or there was none. */
  readonly details: RefusalDetails | null;

  constructor(
    message: string,
    exitCode: number,
    { requestId = null, details = null }: Partial<Pick<CommandError, "requestId" | "details">> = {},
  ) {
    super(message);
    this.exitCode = exitCode;
    this.requestId = requestId;
    this.details = details;
  }
}

interface RefusalDetails {
  error_code?: string;
}

export const exitCodes = {
  error: 1,
  usage: 2,
  authentication: 3,
  notFound: 4,
  conflict: 5,
  limit: 6,
  unavailable: 7,
} as const;

type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** In words, for `--help` and the guide. */
export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [0, "done"],
  [exitCodes.error, "an error, or a check found something"],
  [exitCodes.usage, "wrong usage or input"],
  [exitCodes.authentication, "not signed in, or not allowed"],
  [exitCodes.notFound, "not found"],
  [exitCodes.conflict, "a conflict with what exists"],
  [exitCodes.limit, "a spend limit, a rate limit or a bound on attempts is reached"],
  [exitCodes.unavailable, "the server is away, or cannot serve now"],
];

const exitCodeOfStatus: Readonly<Record<number, ExitCode>> = {
  400: exitCodes.usage,
  401: exitCodes.authentication,
  403: exitCodes.authentication,
  404: exitCodes.notFound,
  408: exitCodes.unavailable,
  409: exitCodes.conflict,
  413: exitCodes.usage,
  429: exitCodes.limit,
  431: exitCodes.usage,
  502: exitCodes.unavailable,
  503: exitCodes.unavailable,
  504: exitCodes.unavailable,
  529: exitCodes.unavailable,
};

/** Codes whose status alone would choose another exit code. */
const exitCodeOfErrorCode: Partial<Record<ErrorCode, ExitCode>> = {
  // 400, as the Claude API has it.
  spend_limit_reached: exitCodes.limit,
  request_too_large_for_limit: exitCodes.limit,
  request_cost_unbounded: exitCodes.limit,
  password_incorrect: exitCodes.authentication,
  link_invalid: exitCodes.authentication,
  // 400, but the input is valid: the state of the resource forbids the change.
  already_member: exitCodes.conflict,
  cannot_change_self: exitCodes.conflict,
  cannot_remove_last_member: exitCodes.conflict,
  default_workspace_protected: exitCodes.conflict,
  increase_not_applicable: exitCodes.conflict,
  increase_request_closed: exitCodes.conflict,
  invite_already_exists: exitCodes.conflict,
  invite_not_pending: exitCodes.conflict,
  member_removed: exitCodes.conflict,
  owner_inactive: exitCodes.conflict,
  resource_archived: exitCodes.conflict,
  resource_expired: exitCodes.conflict,
  role_inherited: exitCodes.conflict,
};

/** Exit code for a refusal. A code that this program does not know counts by its status. */
export function findExitCode(status: number, errorCode: string | undefined): ExitCode {
  const known: Readonly<Record<string, ExitCode>> = exitCodeOfErrorCode;
  const isKnown = errorCode !== undefined && Object.hasOwn(known, errorCode);
  return (isKnown ? known[errorCode] : exitCodeOfStatus[status]) ?? exitCodes.error;
}

/** Whatever an answer that is not Bursar's begins with: enough to recognise a proxy by. */
const MAX_FOREIGN_CHARS = 200;

/** The server's refusal, in its own words. */
export function refusal(status: number, text: string): CommandError {
  const { message, requestId, details } = readErrorBody(status, text);
  return new CommandError(message, findExitCode(status, details?.error_code), {
    requestId,
    details,
  });
}

function readErrorBody(
  status: number,
  text: string,
): Pick<CommandError, "message" | "requestId" | "details"> {
  try {
    const { error, request_id } = JSON.parse(text) as {
      error?: { message?: string; details?: RefusalDetails };
      request_id?: string;
    };
    if (error?.message) {
      const { message, details = null } = error;
      return { message, requestId: request_id ?? null, details };
    }
  } catch {
    // Not of this server: told below.
  }
  const beginning = text.trim().slice(0, MAX_FOREIGN_CHARS);
  return { message: `The answer was ${status}: ${beginning}`, requestId: null, details: null };
}

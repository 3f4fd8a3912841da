import type { FileError } from "@bursar/contract/error-facts.ts";
import type { ErrorCode } from "@bursar/contract/errors.ts";

/** A failed command. `exitCode` is the exit code of the program. */
export class CommandError extends Error {
  readonly exitCode: number;
  /** Request id of the server's response, to search its log. Null: no response. */
  readonly requestId: string | null;
  /** `error.details` of the response. Null: no details, or no response. */
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
  file_errors?: readonly FileError[];
}

/** One line for each fault of a refused file. */
export function listFileErrors(details: RefusalDetails | null): string[] {
  return (details?.file_errors ?? []).map(({ line, column, message }) =>
    [`  line ${line}`, ...(column === null ? [] : [column]), message].join("  "),
  );
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

/** Meanings for `--help` and the guide. */
export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [0, "done"],
  [exitCodes.error, "error, or a check found a fault"],
  [exitCodes.usage, "invalid usage or input"],
  [exitCodes.authentication, "not authenticated, or no permission"],
  [exitCodes.notFound, "not found"],
  [exitCodes.conflict, "conflict with the current state"],
  [exitCodes.limit, "spend limit, rate limit or maximum number of attempts reached"],
  [exitCodes.unavailable, "server unreachable or unavailable"],
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

/** Error codes with an exit code other than that of their status. */
const exitCodeOfErrorCode: Partial<Record<ErrorCode, ExitCode>> = {
  // 400, as in the Claude API.
  spend_limit_reached: exitCodes.limit,
  request_too_large_for_limit: exitCodes.limit,
  request_cost_unbounded: exitCodes.limit,
  unknown_features_refused: exitCodes.limit,
  stream_cut_limit_spent: exitCodes.limit,
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
  limit_is_inherited: exitCodes.conflict,
  managed_by_directory: exitCodes.conflict,
  managed_by_environment: exitCodes.conflict,
  cannot_sign_out_self: exitCodes.conflict,
  scim_token_ended: exitCodes.conflict,
};

/** Returns the exit code for a refusal: by its error code, or by its status if the code is unknown here. */
export function findExitCode(status: number, errorCode: string | undefined): ExitCode {
  const known: Readonly<Record<string, ExitCode>> = exitCodeOfErrorCode;
  const isKnown = errorCode !== undefined && Object.hasOwn(known, errorCode);
  return (isKnown ? known[errorCode] : exitCodeOfStatus[status]) ?? exitCodes.error;
}

/** Characters shown of a response that is not Bursar's, enough to recognize a proxy. */
const MAX_FOREIGN_CHARS = 200;

/** The server's refusal with its own message. */
export function makeRefusal(status: number, text: string): CommandError {
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
    // Not a response of this server: handled below.
  }
  const beginning = text.trim().slice(0, MAX_FOREIGN_CHARS);
  return {
    message: `The server responded ${status}: ${beginning}`,
    requestId: null,
    details: null,
  };
}

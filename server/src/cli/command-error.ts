/** A command that did not do what it was asked: `exitCode` is what the program exits with. */
export class CommandError extends Error {
  readonly exitCode: number;
  /** Of the server's answer, for its log; null where there was none. */
  readonly requestId: string | null;

  constructor(message: string, exitCode: number, requestId: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.requestId = requestId;
  }
}

export const exitCodes = {
  error: 1,
  usage: 2,
  authentication: 3,
  notFound: 4,
  conflict: 5,
} as const;

/** In words, for `--help` and the guide. */
export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [0, "done"],
  [exitCodes.error, "an error: no server answers, it has a fault, or a check found something"],
  [exitCodes.usage, "wrong usage or input"],
  [exitCodes.authentication, "not allowed"],
  [exitCodes.notFound, "not found"],
  [exitCodes.conflict, "a conflict, or too many requests"],
];

const exitCodeOfStatus: Record<number, number> = {
  400: exitCodes.usage,
  401: exitCodes.authentication,
  403: exitCodes.authentication,
  404: exitCodes.notFound,
  409: exitCodes.conflict,
  413: exitCodes.usage,
  429: exitCodes.conflict,
};

/** Whatever an answer that is not Bursar's begins with: enough to recognise a proxy by. */
const MAX_FOREIGN_CHARS = 200;

/** The server's refusal, in its own words. */
export function refusal(status: number, text: string): CommandError {
  const { message, requestId } = readErrorBody(status, text);
  return new CommandError(message, exitCodeOfStatus[status] ?? exitCodes.error, requestId);
}

function readErrorBody(
  status: number,
  text: string,
): { message: string; requestId: string | null } {
  try {
    const { error, request_id } = JSON.parse(text) as {
      error?: { message?: string };
      request_id?: string;
    };
    if (error?.message) return { message: error.message, requestId: request_id ?? null };
  } catch {
    // Not of this server: told below.
  }
  const beginning = text.trim().slice(0, MAX_FOREIGN_CHARS);
  return { message: `The answer was ${status}: ${beginning}`, requestId: null };
}

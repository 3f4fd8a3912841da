import pg from "pg";
import { StartError } from "#src/lib/start-error.ts";

// What a failed statement means, by PostgreSQL's SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html)
// or, where no server answered, by the error code of the system.

const UNIQUE_VIOLATION = "23505";
const DISK_FULL = "53100";
const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK_DETECTED = "40P01";

const UNAVAILABLE_SQLSTATES = new Set([
  "57P01", // the server is being shut down
  "57P02", // a crashed backend took this session with it
  "57P03", // the server is starting up
  "57P05", // idle session timeout
  "25P03", // a transaction that asked nothing for too long was ended
  "53300", // too many connections
  "53400", // a configured limit was reached
  "57014", // a statement took longer than it may
  "40001", // another transaction came first …
  DEADLOCK_DETECTED, // … or waited for this one while this one waited for it
  "55P03", // a lock was not to be had
]);
const UNAVAILABLE_SYSTEM_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ENOENT", // the socket file of a local server is not there
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
// The driver has no codes for these; the texts are those of pg 8 (client.js, its pool).
const UNAVAILABLE_MESSAGES = [
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "timeout expired",
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
];

/** The database was not there (any more), or too busy: nothing is wrong with the statement, and a 503 is the answer. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (error instanceof pg.DatabaseError) {
    return code !== null && (code.startsWith("08") || UNAVAILABLE_SQLSTATES.has(code));
  }
  if (code !== null && UNAVAILABLE_SYSTEM_CODES.has(code)) return true;
  // Several addresses of one host were tried (localhost as ::1 and 127.0.0.1), and each failed.
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  return UNAVAILABLE_MESSAGES.some((message) => error.message.startsWith(message));
}

/** A row with the same unique value exists; of the named constraint or index only, when one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === UNIQUE_VIOLATION &&
    (constraint === undefined || error.constraint === constraint)
  );
}

/** A lock was waited for as long as `lock_timeout` allows. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE;
}

/** Two transactions waited for each other, and PostgreSQL has rolled this one back. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === DEADLOCK_DETECTED;
}

/** The database server has no room left on its disk. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === DISK_FULL;
}

/** Turns a failed first connection into words for the operator. Never repeats the password. */
export function explainConnectError(error: unknown, connectionString: string): StartError {
  const reason = error instanceof Error ? error.message || codeOf(error) || error.name : "unknown";
  const where = whereOf(connectionString);
  return new StartError(
    `Cannot connect to PostgreSQL at ${where}: ${reason}. ${adviceFor(error)}`,
    {
      cause: error,
    },
  );
}

function adviceFor(error: unknown): string {
  if (error instanceof pg.DatabaseError) {
    if (error.message.includes("unsupported startup parameter")) {
      return "That is a pooler: give DATABASE_URL the address of PostgreSQL itself.";
    }
    if (error.code?.startsWith("28")) return "Check user and password in DATABASE_URL.";
    if (error.code === "3D000")
      return "Make the database first, or correct its name in DATABASE_URL.";
  }
  return "Check DATABASE_URL, that the server is running, and that it accepts connections from here.";
}

function codeOf(error: Error): string | null {
  return "code" in error && typeof error.code === "string" ? error.code : null;
}

/** Host and database of a connection string, without user and password. */
function whereOf(connectionString: string): string {
  try {
    const url = new URL(connectionString);
    const socket = url.searchParams.get("host");
    return `${socket ?? url.host}${url.pathname}`;
  } catch {
    return "the given address";
  }
}

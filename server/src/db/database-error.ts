import pg from "pg";
import { StartError } from "#src/lib/start-error.ts";

// Classifies failed statements by PostgreSQL's SQLSTATE
// (https://www.postgresql.org/docs/current/errcodes-appendix.html) or, without a response of the server, by the
// system's error code.

const UNIQUE_VIOLATION = "23505";
const DISK_FULL = "53100";
const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK_DETECTED = "40P01";
const QUERY_CANCELED = "57014";

const UNAVAILABLE_SQLSTATES = new Set([
  "57P01", // the server is being shut down
  "57P02", // a crashed backend took this session with it
  "57P03", // the server is starting up
  "57P05", // idle session timeout
  "25P03", // idle in transaction timeout
  "53300", // too many connections
  "53400", // a configured limit was reached
  QUERY_CANCELED, // statement timeout
  "40001", // serialization failure
  DEADLOCK_DETECTED, // deadlock
  "55P03", // lock not available
]);
const UNAVAILABLE_SYSTEM_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ENOENT", // missing socket file of a local server
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
// The driver has no codes for these errors. The texts are those of pg 8 (client.js, its pool).
const POOL_TIMEOUT_MESSAGE = "timeout exceeded when trying to connect";
const UNAVAILABLE_MESSAGES = [
  "Connection terminated",
  POOL_TIMEOUT_MESSAGE,
  "timeout expired",
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
];

/** True if the database was unavailable or overloaded. The statement is not at fault, and the response is a 503. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = findErrorCode(error);
  if (error instanceof pg.DatabaseError) {
    return code !== null && (code.startsWith("08") || UNAVAILABLE_SQLSTATES.has(code));
  }
  if (code !== null && UNAVAILABLE_SYSTEM_CODES.has(code)) return true;
  // Several addresses of one host failed (localhost as ::1 and 127.0.0.1).
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  return UNAVAILABLE_MESSAGES.some((message) => error.message.startsWith(message));
}

/**
 * True if a replica was unavailable, or canceled the statement to replay changes (40001). The primary can run the
 * statement. A statement that reached its timeout, or found no free connection, would only slow down the primary.
 */
export function isReplicaFailure(error: unknown): boolean {
  if (!isUnavailable(error) || findErrorCode(error) === QUERY_CANCELED) return false;
  return !(error instanceof Error && error.message.startsWith(POOL_TIMEOUT_MESSAGE));
}

/** True if a row with the same unique value exists, for the given constraint or any. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === UNIQUE_VIOLATION &&
    (constraint === undefined || error.constraint === constraint)
  );
}

/** True if a lock wait reached `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE;
}

/** True if PostgreSQL rolled this transaction back because of a deadlock. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === DEADLOCK_DETECTED;
}

/** True if the database server's disk is full. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === DISK_FULL;
}

/** Explains a failed first connection to the operator. The password is never included. */
export function explainConnectError(error: unknown, connectionString: string): StartError {
  const reason =
    error instanceof Error ? error.message || findErrorCode(error) || error.name : "unknown";
  const where = describeAddress(connectionString);
  return new StartError(
    `Cannot connect to PostgreSQL at ${where}: ${reason}. ${makeAdvice(error)}`,
    {
      cause: error,
    },
  );
}

function makeAdvice(error: unknown): string {
  if (error instanceof pg.DatabaseError) {
    if (error.message.includes("unsupported startup parameter")) {
      return "The address is a pooler. Set DATABASE_URL to the address of PostgreSQL itself.";
    }
    if (error.code?.startsWith("28")) return "Check the user and password in DATABASE_URL.";
    if (error.code === "3D000") return "Create the database, or correct its name in DATABASE_URL.";
  }
  return "Check DATABASE_URL, and that the server is running and accepts connections from this machine.";
}

/** SQLSTATE, or the system's error code. Null: the error has none. */
export function findErrorCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : null;
}

/** Host and database of a connection string, without user and password. */
function describeAddress(connectionString: string): string {
  try {
    const url = new URL(connectionString);
    const socket = url.searchParams.get("host");
    return `${socket ?? url.host}${url.pathname}`;
  } catch {
    return "the given address";
  }
}

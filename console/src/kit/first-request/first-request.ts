import type { LoggedRequest } from "../requests/queries.ts";
import type { Refusal } from "../requests/refusal-words.ts";

// State of the wait for a first request.

/** The newest request and the newest refusal. Null: none. */
export interface Newest {
  request: LoggedRequest | null;
  refusal: Refusal | null;
}

export type Arrival =
  | { kind: "answered" | "failed"; request: LoggedRequest }
  | { kind: "refused"; refusal: Refusal };

export interface FirstRequestState {
  /** The newest request. Null: none. */
  arrival: Arrival | null;
  /** False: the request is older than the wait. */
  isNew: boolean;
  /** True: no request is older than the wait. */
  isFirst: boolean;
}

/** Compares the newest requests with those at the start of the wait. Their ids differ, and no clock is needed. */
export function findFirstRequestState(newest: Newest, before: Newest): FirstRequestState {
  const isFirst = before.request === null && before.refusal === null;
  const arrived = findLater({
    request: newest.request?.id === before.request?.id ? null : newest.request,
    refusal: newest.refusal?.id === before.refusal?.id ? null : newest.refusal,
  });
  if (arrived !== null) return { arrival: arrived, isNew: true, isFirst };
  return { arrival: findLater(newest), isNew: false, isFirst };
}

function findLater({ request, refusal }: Newest): Arrival | null {
  if (refusal !== null && (request === null || isLater(refusal, request))) {
    return { kind: "refused", refusal };
  }
  if (request === null) return null;
  const isAnswered = request.outcome === "answered" && request.cut === null;
  return { kind: isAnswered ? "answered" : "failed", request };
}

function isLater(refusal: Refusal, request: LoggedRequest): boolean {
  return Date.parse(refusal.refused_at) > Date.parse(request.started_at);
}

const SOON_MS = 300_000;
/** Longest wait. A page can stay open for days. */
const MAX_WAIT_MS = 3_600_000;
const FAST_MS = 2_000;
const SLOW_MS = 15_000;

/** Interval of the queries after this wait, milliseconds. Null: the wait has ended. */
export function choosePollMs(waitedMs: number): number | null {
  if (waitedMs < SOON_MS) return FAST_MS;
  return waitedMs < MAX_WAIT_MS ? SLOW_MS : null;
}

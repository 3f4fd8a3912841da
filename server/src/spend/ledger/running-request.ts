import {
  findWholeAmount,
  type HoldAmount,
  isHeldInSteps,
  type StreamHold,
} from "./hold-refusal.ts";
import { leastOf } from "./lease-rules.ts";
import type { LeaseState } from "./lease-state.ts";
import type { SpendOrigin } from "./pending-spend.ts";

// A running request, and its hold in each lease of its chain. Amounts are integer nano-USD.

/** A running request and its worst case. */
export interface RunningHold extends SpendOrigin, Omit<HoldAmount, "stream"> {
  requestId: string;
}

/** A stream that limits hold in steps. */
interface StreamSteps {
  /** Least hold of the leases with steps. */
  currentNanoUsd: bigint;
  /** Usual hold, at most the worst case. */
  usualNanoUsd: bigint;
  /** Whether each lease of the request holds it in steps. */
  isIn: boolean[];
  /** Largest hold so far in each lease of the request. */
  highest: bigint[];
}

export interface Running {
  request: RunningHold;
  states: LeaseState[];
  /** Amount that each of `states` holds. Null: all hold the whole amount. */
  amounts: bigint[] | null;
  /** Null: each lease holds the whole amount. */
  steps: StreamSteps | null;
}

/** A running request with a hold in steps. */
export interface RunningStream extends Running {
  steps: StreamSteps;
}

/** Least hold of a stream in steps, nano-USD. A lease without holds can be removed. */
const LEAST_HOLD = 1n;

/** Holds a request in these leases. `stream` undefined: the whole amount in each. */
export function startRunning(
  request: RunningHold,
  states: LeaseState[],
  stream: StreamHold | undefined,
): Running {
  // A closure in this function would take memory for each request.
  const steps = stream === undefined ? null : findSteps(request, states, stream);
  const running: Running = { request, states, amounts: null, steps };
  let at = 0;
  for (const state of states) {
    holdAt(running, at, state);
    at += 1;
  }
  return running;
}

/** Null: no limit holds the stream in steps. */
function findSteps(
  { amountNanoUsd }: HoldAmount,
  states: readonly LeaseState[],
  stream: StreamHold,
): StreamSteps | null {
  if (!states.some(({ limit }) => isHeldInSteps(limit, stream))) return null;
  const usualNanoUsd = leastOf(stream.usualNanoUsd, amountNanoUsd);
  return { currentNanoUsd: stream.firstNanoUsd, usualNanoUsd, isIn: [], highest: [] };
}

/** Holds a running request in one more lease. */
export function addLease(running: Running, state: LeaseState): void {
  running.states.push(state);
  holdAt(running, running.states.length - 1, state);
}

function holdAt(running: Running, at: number, state: LeaseState): void {
  const { request, steps } = running;
  const isInSteps = steps !== null && state.limit?.hold === "steps";
  const amountNanoUsd = isInSteps ? steps.currentNanoUsd : findWholeAmount(state.limit, request);
  if (amountNanoUsd !== request.amountNanoUsd) setAmount(running, at, amountNanoUsd);
  state.held += amountNanoUsd;
  if (steps === null) return;
  steps.isIn[at] = isInSteps;
  steps.highest[at] = amountNanoUsd;
  state.reserved += reserveAt(running, at);
}

/** Ends all holds of a request. */
export function endRunning(running: Running): void {
  let at = 0;
  for (const state of running.states) {
    state.held -= amountAt(running, at);
    if (running.steps !== null) state.reserved -= reserveAt(running, at);
    at += 1;
  }
}

export function isStream(running: Running): running is RunningStream {
  return running.steps !== null;
}

/** Hold in one lease of the request, by its position. */
export function amountAt({ request, amounts }: Running, at: number): bigint {
  return amounts?.[at] ?? request.amountNanoUsd;
}

function setAmount(running: Running, at: number, nanoUsd: bigint): void {
  running.amounts ??= [];
  const { amounts } = running;
  while (amounts.length <= at) amounts.push(running.request.amountNanoUsd);
  amounts[at] = nanoUsd;
}

/** Part of the usual hold above the current hold. Admission leaves it to this stream. */
function reserveAt(running: Running, at: number): bigint {
  const { steps, states } = running;
  if (steps === null || steps.isIn[at] !== true || (states[at]?.limit ?? null) === null) return 0n;
  const rest = steps.usualNanoUsd - amountAt(running, at);
  return rest > 0n ? rest : 0n;
}

/**
 * Sets the hold in each lease with steps. A hold grows only if the new one is larger than that of all leases, because the
 * caller has checked only that. Under a removed limit the hold never grows.
 */
export function resizeStream(running: RunningStream, holdNanoUsd: bigint): void {
  const nanoUsd = largerOf(holdNanoUsd, LEAST_HOLD);
  const isLarger = nanoUsd > running.steps.currentNanoUsd;
  running.steps.currentNanoUsd = nanoUsd;
  let at = -1;
  for (const state of running.states) {
    at += 1;
    if (running.steps.isIn[at] !== true) continue;
    const canGrow = isLarger && state.limit !== null;
    if (!canGrow && nanoUsd > amountAt(running, at)) continue;
    state.reserved -= reserveAt(running, at);
    state.held += changeAmount(running, at, nanoUsd);
    state.reserved += reserveAt(running, at);
  }
}

/** Returns the growth of the hold. */
function changeAmount(running: RunningStream, at: number, nanoUsd: bigint): bigint {
  const { highest } = running.steps;
  const before = amountAt(running, at);
  setAmount(running, at, nanoUsd);
  if (nanoUsd > (highest[at] ?? 0n)) highest[at] = nanoUsd;
  return nanoUsd - before;
}

/**
 * Follows a changed limit of a lease, whose reserve the caller counts anew. Under another limit the stream is held like a
 * new one, with its current amount. Under the same limit it changes to steps, and never from steps to the whole amount. The
 * sum of whole amounts could exceed the limit, and a stream in steps still ends in time.
 */
export function followLimit(
  running: RunningStream,
  state: LeaseState,
  { isOther }: { isOther: boolean },
): void {
  const at = running.states.indexOf(state);
  if (at === -1) return;
  const { limit } = state;
  const { steps, request } = running;
  const isInSteps = limit?.hold === "steps";
  if (limit !== null && (isOther || isInSteps)) {
    // A limit that held less than the others grows with the next larger hold, which needs budget.
    if (!isOther) steps.currentNanoUsd = leastOf(steps.currentNanoUsd, amountAt(running, at));
    const nanoUsd = isInSteps ? steps.currentNanoUsd : findWholeAmount(limit, request);
    steps.isIn[at] = isInSteps;
    state.held += changeAmount(running, at, nanoUsd);
  }
  state.reserved += reserveAt(running, at);
}

/** Growth of a stream's hold in one lease, nano-USD. */
export interface Growth {
  state: LeaseState;
  growthNanoUsd: bigint;
  /** Part of it that was reserved for the stream. */
  reserveNanoUsd: bigint;
}

/** Lists the growth of a hold in each lease with steps. */
export function listGrowth(running: RunningStream, nanoUsd: bigint): Growth[] {
  const growths: Growth[] = [];
  let at = -1;
  for (const state of running.states) {
    at += 1;
    if (running.steps.isIn[at] !== true || state.limit === null) continue;
    const growthNanoUsd = nanoUsd - amountAt(running, at);
    const reserveNanoUsd = leastOf(reserveAt(running, at), growthNanoUsd);
    growths.push({ state, growthNanoUsd, reserveNanoUsd });
  }
  return growths;
}

function largerOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

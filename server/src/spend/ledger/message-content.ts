import type { HoldQueue, Waiter } from "./hold-queue.ts";
import type { HoldWish, HoldWishes } from "./hold-wishes.ts";
import { makeGrantRequests } from "./lease-grant-requests.ts";
import type { LeaseTarget, SyncMessage } from "./lease-rules.ts";
import {
  findAmountToKeep,
  findLookAfterMs,
  findReserveToKeep,
  findReserveTopUp,
  findTopUp,
  findWanted,
  isPlenty,
  isWorthTrimming,
  type SizeBounds,
} from "./lease-size.ts";
import type { LeaseState, Now } from "./lease-state.ts";
import type { LeaseTable } from "./lease-table.ts";
import { listGrowth } from "./running-request.ts";

// Content of the next message of a node: leases to set, and budget to request. Pure.

export type MessageContent = Pick<SyncMessage, "targets" | "grantRequests" | "topUps">;

/** Purposes of the next message. */
export interface Due {
  /** Names all leases. */
  isComplete: boolean;
  /** Requests budget for streams and for waiting requests. */
  isAsking: boolean;
  /** Returns and requests budget in advance. */
  isTrimming: boolean;
  /** Reads balances that other nodes may need. */
  isLooking: boolean;
}

interface ContentParts {
  table: LeaseTable;
  queue: HoldQueue;
  wishes: HoldWishes;
}

interface ContentFacts {
  now: Now;
  due: Due;
  bounds: SizeBounds;
  /** False: the node leaves, and keeps only held budget. */
  isServing: boolean;
  /** Version of the limits that the database has confirmed. */
  acknowledged: bigint;
  /** Time of the last response on the monotonic clock, milliseconds. */
  answeredMs: number;
}

/** Highest number of requests in a message. A message that opens so many leases takes the database 0.2 s. */
const MAX_REQUESTS = 1_024;
/** Highest number of streams among them, so that waiting requests of other scopes get places too. */
const MAX_WISHES = 512;
/** Time without a response after which the next message may be lost too. */
const SURE_MS = 1_000;

export function makeContent(parts: ContentParts, facts: ContentFacts): MessageContent {
  const { table, queue, wishes } = parts;
  const { due, now } = facts;
  const wished = due.isAsking ? wishes.pick(MAX_WISHES) : [];
  const asked = due.isAsking ? queue.pick(MAX_REQUESTS - wished.length) : [];
  const needed = new Set(asked.flatMap(({ scope }) => table.getStates(scope, now.atMs)));
  for (const wish of wished) {
    for (const { state } of listGrowth(wish.stream, wish.nanoUsd)) needed.add(state);
  }
  const { targets, topUps } = makeTargets(parts, facts, needed);
  const grantRequests = requestGrants(parts, facts, { wished, asked, targets });
  return { targets, topUps, grantRequests };
}

/** `needed`: leases that the message requests budget for. */
function makeTargets(
  parts: ContentParts,
  facts: ContentFacts,
  needed: ReadonlySet<LeaseState>,
): Pick<MessageContent, "targets" | "topUps"> {
  const { table, queue } = parts;
  const { due, bounds, now } = facts;
  const { isComplete, isAsking, isTrimming, isLooking } = due;
  const isQuiet = !isComplete && !isAsking && !isTrimming && !isLooking;
  const targets = new Map<string, LeaseTarget>();
  const topUps = new Map<string, bigint>();
  for (const state of table.listStates()) {
    const isSkipped = isQuiet ? !isReportDue(state) : !isComplete && isIdle(state);
    const isReturnDue = isTrimming && isReturning(state, now);
    if (isSkipped && !isReturnDue && !needed.has(state)) continue;
    const kept = chooseAmountToKeep(parts, facts, state);
    const isOff = isTrimming && isWorthTrimming(state, kept);
    const topUp = isTrimming ? chooseTopUp(parts, facts, state) : 0n;
    if (topUp > 0n) topUps.set(state.text, topUp);
    const isChanged =
      isComplete || isOff || isReportDue(state) || (isAsking && queue.hasWaiter(state.text));
    const isLookDue = isLooking && now.nowMs - state.seenAtMs >= findLookAfterMs(state, bounds);
    if (!isChanged && topUp === 0n && !isLookDue && !needed.has(state)) continue;
    const keptNanoUsd = isChanged ? kept : table.freeAmount(state);
    if (canName(table, state) || needed.has(state)) {
      targets.set(state.text, makeTarget(table, state, { keptNanoUsd, facts }));
    }
  }
  return { targets, topUps };
}

/** False: the database does not need to know the lease. */
function canName(table: LeaseTable, state: LeaseState): boolean {
  if (state.countId !== null) return true;
  if (state.limit === null) return false;
  return state.isKept || state.held > 0n || table.pendingOf(state) > 0n;
}

function makeTarget(
  table: LeaseTable,
  state: LeaseState,
  { keptNanoUsd, facts }: { keptNanoUsd: bigint; facts: ContentFacts },
): LeaseTarget {
  const least = table.findLeastTarget(state);
  if (least.kind === "set") return { ...least, grantedNanoUsd: least.grantedNanoUsd + keptNanoUsd };
  return { ...least, keptNanoUsd: facts.isServing ? table.keptAmount(state) : 0n };
}

/** Waiting requests have their own grant requests. A period that is over needs only the reserve of its streams. */
function chooseTopUp({ queue }: ContentParts, facts: ContentFacts, state: LeaseState): bigint {
  if (!canKeep(facts, state)) return 0n;
  const isAsked =
    queue.hasWaiter(state.text) || isOver(state, facts.now) || isReturning(state, facts.now);
  const ofTraffic = isAsked ? 0n : findTopUp(state, facts.bounds);
  const ofStreams = findReserveTopUp(state, facts.now.nowMs);
  return ofTraffic > ofStreams ? ofTraffic : ofStreams;
}

function canKeep({ acknowledged, isServing }: ContentFacts, state: LeaseState): boolean {
  // Budget from before a change can exceed a lowered limit. The node returns such budget, and then requests it again.
  const isKnown = acknowledged >= state.changedIn;
  return state.countId !== null && isServing && isKnown;
}

/** True while a message batch waits for the free budget of the lease. */
function isReturning({ returningUntilMs }: LeaseState, { nowMs }: Now): boolean {
  return nowMs < returningUntilMs;
}

function isOver({ endMs }: LeaseState, { atMs }: Now): boolean {
  return endMs <= atMs;
}

function chooseAmountToKeep(
  { table, queue }: ContentParts,
  facts: ContentFacts,
  state: LeaseState,
): bigint {
  if (!canKeep(facts, state)) return 0n;
  if (isOver(state, facts.now)) return findReserveToKeep(state);
  const { bounds, now, answeredMs } = facts;
  const free = table.freeAmount(state);
  const isScarce =
    isReturning(state, now) || (queue.hasWaiter(state.text) && !isPlenty(state, bounds));
  const kept = isScarce ? findReserveToKeep(state) : findAmountToKeep(state, bounds);
  // After a silence the lease keeps its budget. Budget that a lost message returns would belong to no node.
  const isSure = now.nowMs - answeredMs <= SURE_MS;
  return isSure || kept >= free ? kept : free;
}

function requestGrants(
  { table, queue }: ContentParts,
  { bounds, isServing, now }: ContentFacts,
  {
    wished,
    asked,
    targets,
  }: {
    wished: readonly HoldWish[];
    asked: readonly Waiter[];
    targets: ReadonlyMap<string, LeaseTarget>;
  },
): MessageContent["grantRequests"] {
  return makeGrantRequests({
    wished,
    asked,
    waiting: queue.list(),
    chainOf: ({ scope }) => table.getStates(scope, now.atMs),
    freeOf: (state) => freeAfter(state, targets.get(state.text)),
    wantedOf: (state) => {
      return isServing && !isReturning(state, now) ? findWanted(state, bounds) : 0n;
    },
  });
}

/** Unused part of the lease with the target's value. */
function freeAfter({ drawn, held }: LeaseState, target: LeaseTarget | undefined): bigint {
  if (target?.kind !== "set") return target?.keptNanoUsd ?? 0n;
  const free = target.grantedNanoUsd - drawn - held;
  return free > 0n ? free : 0n;
}

/** True if no message but a complete one names the lease. */
export function isIdle({ granted, drawn, held, traffic }: LeaseState): boolean {
  return held === 0n && (traffic.isResting || (traffic.isNone && granted === drawn));
}

/** True if the node uses more than the database has granted. */
export function isReportDue({ countId, granted, drawn, held }: LeaseState): boolean {
  return countId !== null && drawn + held > granted;
}

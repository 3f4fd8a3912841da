import type { ApiError } from "#src/domain/api-error.ts";
import { EMPTY_REQUEST } from "#src/domain/hold-request.ts";
import { describeIncreaseRequest } from "#src/domain/limit-message.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import { firstHold } from "#src/domain/stream-bound.ts";
import type { StreamTerms } from "#src/domain/stream-terms.ts";
import { tightenWorstCase, type WorstCase } from "#src/domain/worst-case.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { Dropped, Held, HoldDecided } from "#src/spend/ledger/hold-decision.ts";
import type {
  HoldAmount,
  HoldRefusal,
  StreamHold,
  StrictLimit,
} from "#src/spend/ledger/hold-refusal.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import {
  isLimitReached,
  toHoldError,
  toUnboundedError,
  toUnknownError,
} from "#src/spend/ledger/refuse-hold.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import { countTokens } from "./count-tokens.ts";
import { type Exchange, isClientGone, waitAbortably } from "./exchange.ts";
import { explainWorstCase, showUnknownPart } from "./explain-worst-case.rule.ts";
import type { ParsedMessage } from "./parse-message.ts";
import { makeStoppingError } from "./refuse.ts";

// Holds the worst case of a request under the strict limits of its chain, before the dispatch. If the node's leases have
// enough budget, which is nearly always the case, the request does not wait.

export interface HoldDeps {
  leases: Pick<
    LeaseSync,
    | "isHoldRequired"
    | "hasSteps"
    | "hold"
    | "drop"
    | "findLack"
    | "lowerHold"
    | "findLimit"
    | "findUnknownRefusal"
  >;
  clock: Pick<Clock, "monotonicMs">;
  metrics: {
    observeHoldRefusal(reason: HoldRefusal["reason"] | "unbounded" | "unknown_features"): void;
  };
  /** Holds of streams in steps. */
  streams: StreamHolds;
  /** Address of the console, without a slash at the end. Null: unknown. */
  publicUrl: () => string | null;
  /**
   * Called for each request that is refused because the limit is reached, with the request's workspace. Synchronous, must
   * not throw.
   */
  onLimitReached?: (limit: StrictLimit & Pick<SpendScope, "workspaceId">) => void;
}

/** The part of `StreamControl` that a hold needs. */
export interface StreamHolds {
  /** `countedTokens`: count of the prompt by the upstream. Null: not counted. */
  findTerms(
    message: ParsedMessage,
    worstCase: WorstCase,
    scope: SpendScope,
    countedTokens: number | null,
  ): StreamTerms | null;
  findHold(terms: StreamTerms, scope: SpendScope, model: string): StreamHold;
  /** Estimates the tokens of a prompt. 0: unknown. */
  estimatePrompt(terms: StreamTerms, scope: SpendScope, model: string): number;
}

/** A held request. */
export interface HeldRequest {
  held: Held;
  /** Facts of a stream that limits can hold in steps. Null: each limit holds its worst case. */
  terms: StreamTerms | null;
}

export interface HoldCall {
  exchange: Exchange;
  scope: SpendScope;
  message: ParsedMessage;
  /** Computed for the message at `atMs`, with the prices of `book`. */
  worstCase: WorstCase;
  body: Buffer;
  upstream: Upstream;
  book: PriceBook;
  /** Time that selects the prices, read in this synchronous step. Milliseconds since the epoch. */
  atMs: number;
}

/**
 * Holds a request. Null: its client left during the wait. The caller must drop the hold, or end the request. Throws:
 * - a 400 if a retry does not help.
 * - a 429 if other requests hold the budget.
 * - a 529 if too many requests wait.
 * - a 503 without contact with the database.
 */
export function holdSpend(
  deps: HoldDeps,
  call: HoldCall,
): HeldRequest | null | Promise<HeldRequest | null> {
  const { worstCase } = call;
  const forbidden = findForbidden(deps, call, worstCase);
  if (forbidden !== null) throw forbidden;
  const asked = describeCost(deps, call, worstCase);
  const decided = requestHold(deps, call, asked, { atMs: call.atMs });
  if (!(decided instanceof Promise) && decided.kind === "held") {
    return confirmHold(deps, call, asked, decided);
  }
  return finishHold(deps, call, asked, decided);
}

/** Highest cost of a request, and its bound as a stream. */
interface AskedCost {
  worstCase: WorstCase;
  terms: StreamTerms | null;
}

function describeCost(
  deps: HoldDeps,
  { message, scope, upstream }: HoldCall,
  worstCase: WorstCase,
  countedTokens: number | null = null,
): AskedCost {
  // The simulator generates at any speed.
  const isWhole = upstream.kind === "simulator" || !deps.leases.hasSteps(scope.organizationId);
  if (isWhole) return { worstCase, terms: null };
  return { worstCase, terms: deps.streams.findTerms(message, worstCase, scope, countedTokens) };
}

/** Error for a request that a strict limit forbids, whatever remains of it. Null: no limit does. */
function findForbidden(
  deps: HoldDeps,
  { scope, message: { unknownParts } }: HoldCall,
  worstCase: WorstCase,
): ApiError | null {
  const refusing = unknownParts.length === 0 ? null : deps.leases.findUnknownRefusal(scope);
  if (refusing !== null) {
    deps.metrics.observeHoldRefusal("unknown_features");
    return toUnknownError(refusing, unknownParts.map(showUnknownPart));
  }
  const limit = worstCase.kind === "refused" ? deps.leases.findLimit(scope) : null;
  if (limit === null) return null;
  deps.metrics.observeHoldRefusal("unbounded");
  return toUnboundedError(limit, explainWorstCase(worstCase));
}

function requestHold(
  deps: HoldDeps,
  { exchange, scope, message }: HoldCall,
  asked: AskedCost,
  at: { atMs?: number; waitedMs?: number },
): ReturnType<LeaseSync["hold"]> {
  const { requestId } = exchange;
  const amount = findAmount(deps, { scope, message }, asked);
  const { waitedMs } = at;
  const request = { requestId, scope, ...amount };
  return deps.leases.hold(waitedMs === undefined ? request : { ...request, waitedMs }, at.atMs);
}

function findAmount(
  deps: HoldDeps,
  { scope, message }: Pick<HoldCall, "scope" | "message">,
  { worstCase: { kind, nanoUsd: amountNanoUsd }, terms }: AskedCost,
): HoldAmount {
  const isOpenEnded = kind !== "closed";
  const stream = terms === null ? undefined : deps.streams.findHold(terms, scope, message.model);
  return { amountNanoUsd, isOpenEnded, stream };
}

function confirmHold(deps: HoldDeps, call: HoldCall, asked: AskedCost, held: Held): HeldRequest {
  const { worstCase, terms } = asked;
  if (held.holdNanoUsd === null) return { held, terms };
  // A limit was set or changed during the wait.
  const forbidden = findForbidden(deps, call, worstCase);
  if (forbidden === null) return { held, terms };
  deps.leases.drop(call.exchange.requestId);
  throw forbidden;
}

async function finishHold(
  deps: HoldDeps,
  call: HoldCall,
  first: AskedCost,
  requested: HoldDecided | Promise<HoldDecided | Dropped>,
): Promise<HeldRequest | null> {
  const { exchange } = call;
  const startedMs = deps.clock.monotonicMs();
  const waited: Waited = { asked: first, isCounted: false };
  let decided = await waitForDecision(deps, call, waited, requested);
  if (decided.kind === "refused" && !waited.isCounted) {
    const refused = decided;
    const tighter = await waitAbortably(exchange, (signal) =>
      tightenByTokenCount(deps, call, waited, { refused, signal }),
    );
    if (tighter !== null) {
      waited.asked = tighter;
      const waitedMs = deps.clock.monotonicMs() - startedMs;
      const again = requestHold(deps, call, tighter, { waitedMs });
      decided = await waitForDecision(deps, call, waited, again);
    }
  }
  if (isClientGone(exchange)) {
    deps.leases.drop(exchange.requestId);
    return null;
  }
  if (decided.kind === "dropped") throw makeStoppingError();
  if (decided.kind === "refused") throw toRefusal(deps, call, waited.asked, decided);
  return confirmHold(deps, call, waited.asked, decided);
}

function toRefusal(
  deps: HoldDeps,
  call: HoldCall,
  { worstCase }: AskedCost,
  refused: HoldRefusal,
): ApiError {
  deps.metrics.observeHoldRefusal(refused.reason);
  const least = smallestHoldNanoUsd(call);
  if (refused.limit !== null && isLimitReached(refused, least)) {
    const { workspaceId } = call.scope;
    deps.onLimitReached?.({ ...refused.limit, workspaceId });
  }
  return toHoldError(refused, {
    explain: () => explainWorstCase(worstCase),
    explainIncrease: (limit) => describeIncreaseRequest(limit, deps.publicUrl()),
    leastNanoUsd: least,
  });
}

/** A request that waits for a decision. */
interface Waited {
  /** Cost that the decision is about. A count lowers it. */
  asked: AskedCost;
  /** The upstream has counted its tokens, or failed to. */
  isCounted: boolean;
}

/** After this time, others probably hold the rest of a limit, so that a count is worth a request. */
const COUNT_AFTER_MS = 1_000;

/**
 * Waits for a decision. The request leaves the queue when its client leaves or the server stops. After a second the upstream
 * counts its tokens, so that a smaller hold can end the wait.
 */
async function waitForDecision(
  deps: HoldDeps,
  call: HoldCall,
  waited: Waited,
  requested: HoldDecided | Promise<HoldDecided | Dropped>,
): Promise<HoldDecided | Dropped> {
  if (!(requested instanceof Promise)) return requested;
  return waitAbortably(call.exchange, async (signal) => {
    signal.addEventListener("abort", () => deps.leases.drop(call.exchange.requestId));
    const decided = new AbortController();
    const bug = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const until = AbortSignal.any([signal, decided.signal]);
      lowerWaiting(deps, call, waited, until).catch(bug.reject);
    }, COUNT_AFTER_MS);
    try {
      return await Promise.race([requested, bug.promise]);
    } finally {
      clearTimeout(timer);
      decided.abort();
    }
  });
}

/** Lowers the hold of a waiting request by its token count. `signal`: the end of the wait. */
async function lowerWaiting(
  deps: HoldDeps,
  call: HoldCall,
  waited: Waited,
  signal: AbortSignal,
): Promise<void> {
  const { requestId } = call.exchange;
  const refused = waited.isCounted ? null : deps.leases.findLack(requestId);
  if (refused === null) return;
  const tighter = await tightenByTokenCount(deps, call, waited, { refused, signal });
  if (tighter === null || signal.aborted) return;
  waited.asked = tighter;
  deps.leases.lowerHold(requestId, findAmount(deps, call, tighter));
}

/** Other texts of a key have at least this share of the tokens for each byte. */
const LEAST_PROMPT_SHARE = 0.75;

/**
 * Finds a lower worst case with the upstream's token count. The bytes of a prompt allow several times its real tokens. If
 * that bound does not fit the rest of a limit, the upstream counts once, but only if the lowest expected count would fit. The
 * last prompt of the key and model tells what to expect.
 * Under a limit with steps, the prompt is most of the first hold. So a count also helps when others hold the rest, and it
 * helps a stream with server tools. Null: the count does not help.
 */
async function tightenByTokenCount(
  deps: HoldDeps,
  call: HoldCall,
  waited: Waited,
  { refused, signal }: { refused: HoldRefusal; signal: AbortSignal },
): Promise<AskedCost | null> {
  const { asked } = waited;
  const { exchange, scope, message, body, upstream, book, atMs } = call;
  const { reason, limit, figures } = refused;
  if (limit === null || figures === null) return null;
  const isStepped = limit.hold === "steps" && asked.terms !== null;
  if (asked.worstCase.kind !== "closed" && !isStepped) return null;
  if (reason !== "too_large" && !(reason === "held" && isStepped)) return null;
  const counted = { request: message, book, atMs };
  const findCost = (countedTokens: number): AskedCost => {
    const worstCase = tightenWorstCase({ ...counted, countedTokens });
    return describeCost(deps, call, worstCase, countedTokens);
  };
  const holdOf = ({ worstCase, terms }: AskedCost): bigint => {
    return isStepped && terms !== null ? firstHold(terms) : worstCase.nanoUsd;
  };
  const { terms } = asked;
  const known = terms === null ? 0 : deps.streams.estimatePrompt(terms, scope, message.model);
  const least = findCost(Math.floor(known * LEAST_PROMPT_SHARE));
  const remaining = limit.amountNanoUsd - figures.settledNanoUsd - figures.unresolvedNanoUsd;
  if (holdOf(least) >= holdOf(asked) || holdOf(least) > remaining) return null;
  // The request has waited already. Only a much smaller hold is worth another wait.
  if (reason === "held" && 2n * holdOf(least) > holdOf(asked)) return null;
  waited.isCounted = true;
  const countedTokens = await countTokens(exchange, { upstream, body, signal });
  if (countedTokens === null) return null;
  const tighter = findCost(countedTokens);
  return holdOf(tighter) < holdOf(asked) ? tighter : null;
}

/** Hold of the smallest request to the same model, nano-USD. */
function smallestHoldNanoUsd({ message: { model }, book, atMs }: HoldCall): bigint {
  const request = { ...EMPTY_REQUEST, maxTokens: 0, inferenceGeo: "global", model };
  return tightenWorstCase({ request, book, atMs, countedTokens: 0 }).nanoUsd;
}

import type { ApiError } from "#src/domain/api-error.ts";
import type { HoldRequest } from "#src/domain/hold-request.ts";
import { describeIncreaseRequest } from "#src/domain/limit-message.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import { tightenWorstCase, type WorstCase } from "#src/domain/worst-case.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { Held } from "#src/spend/ledger/hold-decision.ts";
import type { HoldRefusal, StrictLimit } from "#src/spend/ledger/hold-refusal.ts";
import type { Dropped, HoldDecided, LeaseSync } from "#src/spend/ledger/lease-sync.ts";
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
  leases: Pick<LeaseSync, "isHoldRequired" | "hold" | "drop" | "findLimit" | "findUnknownRefusal">;
  metrics: {
    observeHoldRefusal(reason: HoldRefusal["reason"] | "unbounded" | "unknown_features"): void;
  };
  /** Address of the console, without a slash at the end. Null: unknown. */
  publicUrl: () => string | null;
  /**
   * Called for each request that is refused because the limit is reached, with the request's workspace. Synchronous, must
   * not throw.
   */
  onLimitReached?: (limit: StrictLimit & Pick<SpendScope, "workspaceId">) => void;
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
export function holdSpend(deps: HoldDeps, call: HoldCall): Held | null | Promise<Held | null> {
  const { worstCase } = call;
  const forbidden = findForbidden(deps, call, worstCase);
  if (forbidden !== null) throw forbidden;
  const decided = requestHold(deps, call, worstCase, call.atMs);
  if (!(decided instanceof Promise) && decided.kind === "held") {
    return confirmHold(deps, call, worstCase, decided);
  }
  return finishHold(deps, call, worstCase, decided);
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
  { exchange, scope }: HoldCall,
  { kind, nanoUsd }: WorstCase,
  atMs?: number,
): ReturnType<LeaseSync["hold"]> {
  const { requestId } = exchange;
  const isOpenEnded = kind !== "closed";
  return deps.leases.hold({ requestId, scope, amountNanoUsd: nanoUsd, isOpenEnded }, atMs);
}

function confirmHold(deps: HoldDeps, call: HoldCall, worstCase: WorstCase, held: Held): Held {
  if (held.holdNanoUsd === null) return held;
  // A limit was set or changed during the wait.
  const forbidden = findForbidden(deps, call, worstCase);
  if (forbidden === null) return held;
  deps.leases.drop(call.exchange.requestId);
  throw forbidden;
}

async function finishHold(
  deps: HoldDeps,
  call: HoldCall,
  worstCase: WorstCase,
  asked: HoldDecided | Promise<HoldDecided | Dropped>,
): Promise<Held | null> {
  const { exchange } = call;
  let explained = worstCase;
  let decided = await waitForDecision(deps, exchange, asked);
  if (decided.kind === "refused" && decided.reason === "too_large") {
    const tighter = await tightenByTokenCount(call, worstCase, decided);
    if (tighter !== null) {
      explained = tighter;
      decided = await waitForDecision(deps, exchange, requestHold(deps, call, tighter));
    }
  }
  if (isClientGone(exchange)) {
    deps.leases.drop(exchange.requestId);
    return null;
  }
  if (decided.kind === "dropped") throw makeStoppingError();
  if (decided.kind === "refused") {
    deps.metrics.observeHoldRefusal(decided.reason);
    const least = smallestHoldNanoUsd(call);
    if (decided.limit !== null && isLimitReached(decided, least)) {
      const { workspaceId } = call.scope;
      deps.onLimitReached?.({ ...decided.limit, workspaceId });
    }
    throw toHoldError(decided, {
      explain: () => explainWorstCase(explained),
      explainIncrease: (limit) => describeIncreaseRequest(limit, deps.publicUrl()),
      leastNanoUsd: least,
    });
  }
  return confirmHold(deps, call, worstCase, decided);
}

/** Waits for a decision. The request leaves the queue when its client leaves or the server stops. */
async function waitForDecision(
  deps: HoldDeps,
  exchange: Exchange,
  asked: HoldDecided | Promise<HoldDecided | Dropped>,
): Promise<HoldDecided | Dropped> {
  if (!(asked instanceof Promise)) return asked;
  return waitAbortably(exchange, (signal) => {
    signal.addEventListener("abort", () => deps.leases.drop(exchange.requestId));
    return asked;
  });
}

/**
 * Finds a lower worst case with the upstream's token count. The bytes of a prompt allow several times its real tokens. If
 * that bound does not fit the rest of a limit, the upstream counts once, but only if the lowest possible count would fit.
 * Null: the count does not help.
 */
async function tightenByTokenCount(
  { exchange, message, body, upstream, book, atMs }: HoldCall,
  worstCase: WorstCase,
  { limit, figures }: HoldRefusal,
): Promise<WorstCase | null> {
  if (worstCase.kind !== "closed" || limit === null || figures === null) return null;
  const counted = { request: message, book, atMs };
  const least = tightenWorstCase({ ...counted, countedTokens: 0 });
  const remaining = limit.amountNanoUsd - figures.settledNanoUsd - figures.unresolvedNanoUsd;
  if (least.nanoUsd >= worstCase.nanoUsd || least.nanoUsd > remaining) return null;
  const countedTokens = await waitAbortably(exchange, (signal) =>
    countTokens(exchange, { upstream, body, signal }),
  );
  if (countedTokens === null) return null;
  const tighter = tightenWorstCase({ ...counted, countedTokens });
  return tighter.nanoUsd < worstCase.nanoUsd ? tighter : null;
}

/** Hold of the smallest request to the same model, nano-USD. */
function smallestHoldNanoUsd({ message: { model }, book, atMs }: HoldCall): bigint {
  const request = { ...NOTHING, model };
  return tightenWorstCase({ request, book, atMs, countedTokens: 0 }).nanoUsd;
}

const NOTHING: Omit<HoldRequest, "model"> = {
  maxTokens: 0,
  speed: null,
  inferenceGeo: "global",
  fallbacks: { models: [], maxTokens: null, hasFastSpeed: false, hasUnknownModel: false },
  bodyBytes: 0,
  outsidePromptBytes: 0,
  toolCount: 0,
  builtInToolCount: 0,
  toolsetCount: 0,
  largestToolBytes: 0,
  repeatedToolCount: 0,
  imageCount: 0,
  imageDataBytes: 0,
  citedBytes: 0,
  serverTools: [],
  unknownParts: [],
  markers: {
    hasCacheControl5m: false,
    hasCacheControl1h: false,
    hasMcpServers: false,
    hasContainer: false,
    hasSkills: false,
    hasThread: false,
    hasCompaction: false,
    hasOpaqueSource: false,
    hasUrlSource: false,
    hasFileIds: false,
  },
};

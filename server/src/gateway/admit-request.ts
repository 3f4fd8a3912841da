import { ApiError } from "#src/domain/api-error.ts";
import { NO_RETRY, type RefusingLimit, toLimitFacts } from "#src/domain/limit-facts.ts";
import { describeIncreaseRequest } from "#src/domain/limit-message.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { Upstream, UpstreamOrder } from "#src/upstreams/upstream.ts";
import type { Exchange } from "./exchange.ts";
import { findWorking } from "./failover.ts";
import { findHighestCost } from "./highest-cost.ts";
import { type HeldRequest, type HoldDeps, holdSpend } from "./hold-spend.ts";
import { makeMetered } from "./make-metered.ts";
import type { ParsedMessage } from "./parse-message.ts";
import type { Metered } from "./settle.ts";
import { toSpendScope } from "./spend-scope.ts";

// Compares a request with the soft limits of its scopes, and holds it under the strict ones, before the dispatch.

export interface AdmitDeps extends HoldDeps {
  /** Soft limits. */
  ledger: Admission;
  prices: { get(organizationId: string): PriceBook };
  /** Milliseconds since the epoch on the database's clock. */
  databaseNowMs: () => number;
}

/** Checks soft limits before a request is sent. Never waits. */
export interface Admission {
  admit(
    scope: { organizationId: string; workspaceId: string; apiKeyId: string },
    atMs: number,
  ): { kind: "admitted" } | BlockedAdmission;
}

type BlockedAdmission = Pick<RefusingLimit, "limit" | "spentNanoUsd" | "regainAtMs"> & {
  kind: "blocked";
  message: string;
};

export interface Admitting {
  exchange: Exchange;
  key: FoundKey;
  message: ParsedMessage;
  body: Buffer;
  /** Upstreams that can get the request. The first one counts its tokens. */
  order: UpstreamOrder;
}

/** Throws the refusal of a soft limit that is reached. */
export function checkSoftLimits(
  deps: Pick<AdmitDeps, "ledger" | "publicUrl">,
  scope: SpendScope,
  atMs: number,
): void {
  const admission = deps.ledger.admit(scope, atMs);
  if (admission.kind === "admitted") return;
  const { message, limit, spentNanoUsd, regainAtMs } = admission;
  const refusing = {
    limit,
    spentNanoUsd,
    heldNanoUsd: null,
    unresolvedNanoUsd: null,
    neededNanoUsd: null,
    regainAtMs,
  };
  throw new ApiError(
    "spend_limit_reached",
    `${message} ${describeIncreaseRequest(limit, deps.publicUrl())}`,
    NO_RETRY,
    { limit: toLimitFacts(refusing) },
  );
}

/** Most holds of one request, each after another change of its order. */
const MAX_HOLDS = 3;

/**
 * Confirms an admission after a wait, in which the order can change. Holds again if the new order has other prices, because
 * the hold covers those of the former order only. `readOrder` rejects with a refusal of the request. Null: the client left.
 */
export async function confirmAdmission(
  deps: AdmitDeps,
  admitting: Admitting,
  admitted: Metered,
  readOrder: () => Promise<UpstreamOrder>,
): Promise<{ metered: Metered; order: UpstreamOrder } | null> {
  const { exchange } = admitting;
  let { order } = admitting;
  let metered = admitted;
  for (let holds = 1; holds <= MAX_HOLDS; holds++) {
    const next = await readOrder();
    // A limit that is created later holds the request for the upstreams that can get it.
    if (exchange.unheld !== null) exchange.unheld.order = next;
    if (exchange.unheld !== null || isCovered(next, order)) return { metered, order: next };
    deps.leases.drop(exchange.requestId);
    const again = await admit(deps, { ...admitting, order: next });
    if (again === null) return null;
    metered = again;
    order = next;
  }
  throw new ApiError(
    "overloaded",
    "The upstreams of the workspace changed repeatedly while the request waited. Send the request again.",
  );
}

/** True if a hold for an order is enough for another one. Streams of the simulator have holds of their own. */
function isCovered(order: UpstreamOrder, held: UpstreamOrder): boolean {
  const isSimulated = ({ kind }: Upstream) => kind === "simulator";
  return order.every((upstream) =>
    held.some(
      (other) =>
        other.priceTerms === upstream.priceTerms && isSimulated(other) === isSimulated(upstream),
    ),
  );
}

/** Checks limits and holds spend. Returns the facts of the record, or null if the client left during the wait. */
export function admit(
  deps: AdmitDeps,
  { exchange, key, message, body, order }: Admitting,
): Metered | null | Promise<Metered | null> {
  const atMs = deps.databaseNowMs();
  const { organizationId } = key;
  const scope = toSpendScope(key);
  checkSoftLimits(deps, scope, atMs);
  if (!deps.leases.isHoldRequired(organizationId)) {
    const metered = makeMetered(exchange, { message, key, startedAtMs: atMs });
    exchange.unheld = { begin: metered.begin, message, order };
    return metered;
  }
  const { book, worstCase } = findHighestCost(deps, { organizationId, message, order, atMs });
  const upstream = findWorking(order);
  const held = holdSpend(deps, { exchange, scope, message, worstCase, body, upstream, book, atMs });
  const toHeld = (request: HeldRequest | null) => {
    if (request === null) return null;
    const { held: hold, terms } = request;
    const { startedAtMs } = hold;
    const metered = makeMetered(exchange, { message, key, startedAtMs, hold });
    if (startedAtMs === atMs) metered.bound = { worstCase, book };
    if (hold.holdNanoUsd === null) exchange.unheld = { begin: metered.begin, message, order };
    if (hold.isStepped && terms !== null) metered.stream = { terms, book };
    return metered;
  };
  return held instanceof Promise ? held.then(toHeld) : toHeld(held);
}

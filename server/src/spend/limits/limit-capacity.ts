import type { spendLimitCapacity } from "@bursar/contract/admin/limit-capacity.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { isBlocking } from "#src/domain/blocking-limit.ts";
import { formatUsd } from "#src/domain/money.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { listPriceOverrides } from "#src/prices/model-prices.sql.ts";
import { listExceededBounds } from "#src/spend/exceeded-bounds/exceeded-bounds.sql.ts";
import { computeCapacity, type ModelCapacity } from "./capacity.rule.ts";
import { getSpendLimit } from "./spend-limits.ts";
import { remainingOf } from "./to-wire.ts";
import { listUsualRequests } from "./usual-requests.sql.ts";

/** Requests that a limit could start now, by model. */
export interface LimitCapacity {
  limitId: string;
  remainingNanoUsd: bigint;
  sinceMs: number;
  models: readonly ModelCapacity[];
}

const DAY_MS = 86_400_000;

/** Computes the capacity of a limit from the requests of the last day. Throws a 404 for a limit that the caller cannot see. */
export async function getLimitCapacity(
  deps: AuditDeps,
  call: Call,
  id: string,
): Promise<LimitCapacity> {
  const { limit, balance } = await getSpendLimit(deps, call, { id });
  const atMs = deps.nowMs();
  const sinceMs = Math.floor(atMs - DAY_MS);
  const remainingNanoUsd = remainingOf(limit, balance);
  const restNanoUsd = remainingOf(limit, balance && { ...balance, leasedNanoUsd: 0n });
  const room = { limit, remainingNanoUsd, restNanoUsd, isBlocking: isBlocking(limit, balance) };
  const areStreamsWhole = limit.enforcement !== "strict" || limit.hold === "whole";
  const usual = await listUsualRequests(deps.database, {
    ...limit,
    ...{ sinceAt: new Date(sinceMs), areStreamsWhole },
  });
  const book = makePriceBook(await listPriceOverrides(deps.database, limit.organizationId));
  const exceeded = await listExceededBounds(deps.database, limit.organizationId);
  const wholeModels = exceeded.flatMap(({ kind, name }) => (kind === "model" ? [name] : []));
  const facts = { book, atMs, wholeModels };
  return {
    ...{ limitId: limit.id, remainingNanoUsd, sinceMs },
    models: usual.map((each) => computeCapacity(room, each, facts)),
  };
}

export function toCapacity(capacity: LimitCapacity): z.input<typeof spendLimitCapacity> {
  return {
    type: "spend_limit_capacity",
    spend_limit_id: capacity.limitId,
    remaining_usd: formatUsd(capacity.remainingNanoUsd),
    since: new Date(capacity.sinceMs).toISOString(),
    models: capacity.models.map(({ model, requests, usualCostNanoUsd, inSteps, whole }) => ({
      model,
      requests,
      usual_cost_usd: formatUsd(usualCostNanoUsd),
      in_steps: inSteps && {
        first_hold_usd: formatUsd(inSteps.firstHoldNanoUsd),
        start_usd: formatUsd(inSteps.startNanoUsd),
        could_start: inSteps.couldStart,
      },
      whole: { hold_usd: formatUsd(whole.holdNanoUsd), could_start: whole.couldStart },
    })),
  };
}

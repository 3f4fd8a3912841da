import type { officialSpendLimit } from "@bursar/contract/admin/spend-limits.ts";
import type { z } from "zod";
import { ApiError } from "#src/domain/api-error.ts";
import { formatCents } from "#src/domain/money.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import type { SpendLimit } from "./limits.sql.ts";

const NANO_USD_PER_CENT = 10_000_000n;
const NANO_USD_PER_MILLICENT = 10_000n;

/** Throws a 404 for the limit of a scope that the official shape does not have. */
export function toOfficialSpendLimit(limit: SpendLimit): z.input<typeof officialSpendLimit> {
  return {
    id: limit.id,
    type: "spend_limit",
    scope: toOfficialScope(limit),
    period: limit.period,
    amount: toOfficialAmount(limit.amountNanoUsd),
    currency: "USD",
    is_enabled: true,
    created_at: limit.createdAt.toISOString(),
    updated_at: limit.updatedAt.toISOString(),
  };
}

/** Whole cents as text, rounded down: never more than the limit allows. */
export function toOfficialAmount(nanoUsd: bigint): string {
  return String(nanoUsd / NANO_USD_PER_CENT);
}

/** Cents as text with at most three decimals, rounded down. */
export function toOfficialSpend(nanoUsd: bigint): string {
  return formatCents(nanoUsd - (nanoUsd % NANO_USD_PER_MILLICENT));
}

/** Converts whole cents as text. The contract has checked the text. */
export function fromOfficialAmount(cents: string): bigint {
  return BigInt(cents) * NANO_USD_PER_CENT;
}

export function toOfficialScope(
  limit: Pick<SpendLimit, "scopeType" | "scopeId">,
): z.input<typeof officialSpendLimit>["scope"] {
  const scope = toWireScope(limit);
  if (scope.type === "organization" || scope.type === "workspace") return scope;
  throw new ApiError(
    "resource_not_found",
    "Spend limit not found",
    {},
    { resource: "spend_limit" },
  );
}

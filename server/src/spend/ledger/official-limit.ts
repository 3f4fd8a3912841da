import type {
  officialScope,
  officialSpendLimit,
} from "@bursar/contract/admin/official-spend-limits.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import type { z } from "zod";
import type { ScopeType } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatCents } from "#src/domain/money.ts";
import type { SpendLimit } from "./limits.sql.ts";

type OfficialScope = z.output<typeof officialScope>;

const NANO_USD_PER_CENT = 10_000_000n;
const NANO_USD_PER_MILLICENT = 10_000n;

/** Throws a 404 for the limit of a scope that the official shape does not have. */
export function toOfficialSpendLimit(limit: SpendLimit): z.input<typeof officialSpendLimit> {
  return {
    id: limit.id,
    type: "spend_limit",
    scope: toOfficialScope(limit),
    period: limit.period,
    amount: toOfficialCap(limit),
    currency: "USD",
    is_enabled: true,
    created_at: limit.createdAt.toISOString(),
    updated_at: limit.updatedAt.toISOString(),
  };
}

/** Null: the limit of a member that only alerts, which is no cap of this shape. */
export function toOfficialCap(
  limit: Pick<SpendLimit, "scopeType" | "amountNanoUsd" | "enforcement">,
): string | null {
  const isCap = limit.scopeType !== "member" || limit.enforcement !== "alert_only";
  return isCap ? toOfficialAmount(limit.amountNanoUsd) : null;
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

/** Throws a 404 for a scope that the official shape does not have. */
export function toOfficialScope(of: Pick<SpendLimit, "scopeType" | "scopeId">): OfficialScope {
  const scope = findOfficialScope(of);
  if (scope !== null) return scope;
  throw new ApiError(
    "resource_not_found",
    "Spend limit not found",
    {},
    { resource: "spend_limit" },
  );
}

/** Null: the official shape has no such scope. */
export function findOfficialScope({
  scopeType,
  scopeId,
}: Pick<SpendLimit, "scopeType" | "scopeId">): OfficialScope | null {
  switch (scopeType) {
    case "organization":
      return { type: "organization" };
    case "workspace":
      return { type: "workspace", workspace_id: scopeId };
    case "member":
      return { type: "user", user_id: scopeId };
    case "group_member":
      return { type: "rbac_group", rbac_group_id: scopeId };
    case "api_key":
    case "group":
    case "tag":
      return null;
  }
}

export function fromOfficialScope(scope: OfficialScope): WireScope {
  switch (scope.type) {
    case "organization":
    case "workspace":
      return scope;
    case "user":
      return { type: "member", member_id: scope.user_id };
    case "rbac_group":
      return { type: "group_member", group_id: scope.rbac_group_id };
  }
}

const scopeTypes = {
  organization: "organization",
  workspace: "workspace",
  user: "member",
  rbac_group: "group_member",
} as const;

export function fromOfficialScopeType(type: OfficialScope["type"]): ScopeType {
  return scopeTypes[type];
}

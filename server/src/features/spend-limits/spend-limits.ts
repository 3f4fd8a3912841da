import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import {
  getActiveWorkspaceForChange,
  getVisibleWorkspace,
  onlyWorkspaceOf,
} from "#src/access/visible-workspace.ts";
import { type Audit, type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { fromCursor, type PageOfRows, toPage } from "#src/domain/page-position.ts";
import { readAmount } from "#src/domain/read-amount.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { findBalance, readBalancesAtSeq } from "#src/ledger/balances.sql.ts";
import {
  deleteSpendLimit,
  findSpendLimit,
  listSpendLimits,
  type SpendLimit,
  upsertSpendLimit,
} from "#src/ledger/limits.sql.ts";
import { newId } from "#src/lib/ids.ts";
import { type LimitedWorkspace, listLimitedWorkspaces } from "./workspaces-with-limits.sql.ts";

/** A workspace's monthly limit, if it has one, beside what it has spent this month. */
export interface WorkspaceLimit {
  workspace: { id: string; name: string };
  limit: SpendLimit | null;
  spentNanoUsd: bigint;
  period: SpendPeriod;
}

// A JSON number keeps this many digits. The limit is shown as one, so it may not have more, however it came.
const MAX_DIGITS = 15;

/** Creates, replaces or (null) removes the limit. Throws a 404 for an unknown workspace, a 400 for an archived one. */
export function setWorkspaceLimit(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: { workspace_id: string; monthly_limit_usd: string | number | null },
): Promise<WorkspaceLimit> {
  const nowMs = deps.nowMs();
  const amount = readLimit(input.monthly_limit_usd);
  const period = periodOf("monthly", nowMs);
  const scope = {
    organizationId: caller.organizationId,
    scopeType: "workspace",
    scopeId: input.workspace_id,
    period: "monthly",
  } as const;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    // The lock also keeps two changes of one workspace's limit apart.
    const workspace = await getActiveWorkspaceForChange(tx, caller, input.workspace_id);
    const before = await findSpendLimit(tx, scope);
    const after = await replaceLimit(tx, before, amount, {
      ...scope,
      id: newId(idPrefixes.spendLimit, Math.floor(nowMs), deps.randomBytes),
    });
    const balance = await findBalance(tx, { ...scope, periodStart: period.start });
    return {
      result: { workspace, limit: after, spentNanoUsd: balance?.settledNanoUsd ?? 0n, period },
      audit: auditOf(before, after),
    };
  });
}

function readLimit(amount: string | number | null): bigint | null {
  if (amount === null) return null;
  const nano = readAmount("monthly_limit_usd", amount);
  const digits = formatUsd(nano)
    .replace(".", "")
    .replace(/^0+|0+$/g, "");
  if (digits.length > MAX_DIGITS) {
    throw new ApiError(
      "invalid_request",
      `monthly_limit_usd: expected at most ${MAX_DIGITS} significant digits.`,
    );
  }
  return nano;
}

async function replaceLimit(
  tx: Tx,
  before: SpendLimit | null,
  amount: bigint | null,
  scope: {
    id: string;
    organizationId: string;
    scopeType: "workspace";
    scopeId: string;
    period: "monthly";
  },
): Promise<SpendLimit | null> {
  if (amount === null) {
    if (before !== null) await deleteSpendLimit(tx, before);
    return null;
  }
  if (before?.amountNanoUsd === amount && before.enforcement === "soft") return before;
  return upsertSpendLimit(tx, { ...scope, amountNanoUsd: amount, enforcement: "soft" });
}

function auditOf(before: SpendLimit | null, after: SpendLimit | null): Audit {
  const limit = after ?? before;
  if (limit === null || before === after) return "unchanged";
  return {
    event: "spend_limit.set",
    subject: { type: "spend_limit", id: limit.id },
    workspaceId: limit.scopeId,
    before: before && toAudit(before),
    after: after && toAudit(after),
  };
}

function toAudit(limit: SpendLimit) {
  return {
    workspace_id: limit.scopeId,
    monthly_limit_usd: formatUsd(limit.amountNanoUsd),
    enforcement: limit.enforcement,
  };
}

/** Filters that a cursor of the list is bound to. */
export function filtersOf(query: { workspace_id?: string | undefined }): unknown {
  return { list: "workspace_limits", workspace_id: query.workspace_id };
}

/** A page of workspaces with their limits; one workspace where it is named or is all the caller has. */
export async function listWorkspaceLimits(
  deps: AuditDeps,
  { caller }: Call,
  query: { limit: number; page?: string | undefined; workspace_id?: string | undefined },
): Promise<PageOfRows<WorkspaceLimit & { workspace: LimitedWorkspace }>> {
  const request = fromCursor(query.page, query.limit, filtersOf(query));
  const { organizationId } = caller;
  if (query.workspace_id !== undefined) {
    await getVisibleWorkspace(deps.database, caller, query.workspace_id);
  }
  const workspaceId = query.workspace_id ?? onlyWorkspaceOf(caller);
  const period = periodOf("monthly", deps.nowMs());
  const filter = { organizationId, workspaceId };
  const page = toPage(await listLimitedWorkspaces(deps.database, filter, request), request);
  const limits = await listSpendLimits(deps.database, {
    organizationId,
    scopeType: "workspace",
    ...(workspaceId !== null && { scopeId: workspaceId }),
  });
  const { balances } = await readBalancesAtSeq(deps.database, {
    nodeId: null,
    keys: page.rows.map(({ id }) => ({
      scopeType: "workspace",
      scopeId: id,
      period: "monthly",
      periodStart: period.start,
    })),
  });
  const limitOf = new Map(
    limits.filter((limit) => limit.period === "monthly").map((limit) => [limit.scopeId, limit]),
  );
  const spentOf = new Map(balances.map((balance) => [balance.scopeId, balance.settledNanoUsd]));
  return {
    hasMore: page.hasMore,
    rows: page.rows.map((workspace) => ({
      workspace,
      limit: limitOf.get(workspace.id) ?? null,
      spentNanoUsd: spentOf.get(workspace.id) ?? 0n,
      period,
    })),
  };
}

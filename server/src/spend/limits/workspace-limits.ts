import type { enforcements } from "@bursar/contract/admin/spend-limits.ts";
import type { Call } from "#src/access/call.ts";
import { getActiveWorkspaceForChange, getWorkspaceFor } from "#src/access/visible-workspace.ts";
import { fireCrossed } from "#src/alerts/firing/fire-spend.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { fromCursor, type PageOfRows, toPage } from "#src/domain/page-position.ts";
import { workspacesWhere } from "#src/domain/rights.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { type Balance, findBalance, readBalancesAtSeq } from "#src/spend/ledger/balances.sql.ts";
import {
  auditOfSet,
  changeLimit,
  readLimit,
  readOpenEndedHold,
} from "#src/spend/ledger/change-limit.ts";
import { findActivating, listSpendLimits, type SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import type { LimitDeps } from "./spend-limits.ts";
import { type LimitedWorkspace, listLimitedWorkspaces } from "./workspaces-with-limits.sql.ts";

// The short way to the limit that most companies want: a workspace's, per month.

/** A workspace's monthly limit, if it has one, beside what it has spent this month. */
export interface WorkspaceLimit {
  workspace: { id: string; name: string };
  limit: SpendLimit | null;
  balance: Balance | null;
  period: SpendPeriod;
  activatingSince: Date | null;
}

export interface NewWorkspaceLimit {
  workspace_id: string;
  monthly_limit_usd: string | number | null;
  enforcement: (typeof enforcements)[number];
  open_ended_hold_usd: string | number | null;
  if_version?: number | null | undefined;
}

/** Creates, replaces or (null) removes the limit. Throws a 404 for an unknown workspace, a 400 for an archived one, a 409. */
export function setWorkspaceLimit(
  deps: LimitDeps,
  { caller, origin }: Call,
  input: NewWorkspaceLimit,
): Promise<WorkspaceLimit> {
  const amount = input.monthly_limit_usd;
  const wanted =
    amount === null
      ? null
      : {
          amountNanoUsd: readLimit("monthly_limit_usd", amount),
          enforcement: input.enforcement,
          openEndedHoldNanoUsd: readOpenEndedHold(input.open_ended_hold_usd),
        };
  const period = periodOf("monthly", deps.nowMs());
  return auditedTransaction(deps, caller, origin, async (tx) => {
    // The lock also keeps two changes of one workspace's limits apart.
    const workspace = await getActiveWorkspaceForChange(
      tx,
      caller,
      "spend_limits:write",
      input.workspace_id,
    );
    const of = {
      organizationId: caller.organizationId,
      scopeType: "workspace",
      scopeId: workspace.id,
      workspaceId: workspace.id,
      period: "monthly",
    } as const;
    const change = await changeLimit(tx, deps, of, wanted, input.if_version);
    await fireCrossed(tx, deps, of);
    const limit = change.after;
    const balance = await findBalance(tx, { ...of, periodStart: period.start });
    const activating = limit && (await findActivating(tx, [limit.id])).get(limit.id);
    return {
      result: { workspace, limit, balance, period, activatingSince: activating ?? null },
      audit: auditOfSet(workspace.id, change),
    };
  });
}

/** Filters that a cursor of the list is bound to. */
export function workspaceFiltersOf(query: { workspace_id?: string | undefined }): unknown {
  return { list: "workspace_limits", workspace_id: query.workspace_id };
}

/** A page of workspaces with their limits; one workspace where it is named. */
export async function listWorkspaceLimits(
  deps: AuditDeps,
  { caller }: Call,
  query: { limit: number; page?: string | undefined; workspace_id?: string | undefined },
): Promise<PageOfRows<WorkspaceLimit & { workspace: LimitedWorkspace }>> {
  const request = fromCursor(query.page, query.limit, workspaceFiltersOf(query));
  const { organizationId } = caller;
  const workspaceId = query.workspace_id ?? null;
  if (workspaceId !== null) {
    await getWorkspaceFor(deps.database, caller, "spend_limits:read", workspaceId);
  }
  const period = periodOf("monthly", deps.nowMs());
  const onlyIds = workspacesWhere(caller, "spend_limits:read");
  const filter = { organizationId, workspaceId, onlyIds };
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
  const balanceOf = new Map(balances.map((balance) => [balance.scopeId, balance]));
  const ids = page.rows.flatMap(({ id }) => limitOf.get(id)?.id ?? []);
  const activating = await findActivating(deps.database, ids);
  return {
    hasMore: page.hasMore,
    rows: page.rows.map((workspace) => {
      const limit = limitOf.get(workspace.id) ?? null;
      const balance = balanceOf.get(workspace.id) ?? null;
      const activatingSince = (limit && activating.get(limit.id)) ?? null;
      return { workspace, limit, balance, period, activatingSince };
    }),
  };
}

import type { Call } from "#src/access/call.ts";
import { getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { readValues } from "#src/limits/limit-values.ts";
import { readSpend } from "#src/spend/ledger/balances.sql.ts";
import { findActivating, listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import { readWantedLimit } from "./read-limit.ts";
import { spendLimits } from "./spend-limit-kind.ts";
import {
  changeSpendLimit,
  type LimitDeps,
  type NewSpendLimit,
  type OptionalLimitState,
} from "./spend-limits.ts";
import { type LimitedWorkspace, listLimitedWorkspaces } from "./workspaces-with-limits.sql.ts";

// A short form of the most common limit: a workspace's monthly one.

/** A workspace with its optional monthly limit and its spend of the month. */
export interface WorkspaceLimit extends OptionalLimitState {
  workspace: { id: string; name: string };
}

export interface NewWorkspaceLimit
  extends Pick<
    NewSpendLimit,
    "enforcement" | "open_ended_hold_usd" | "unknown_features" | "hold" | "rank" | "if_version"
  > {
  workspace_id: string;
  monthly_limit_usd: string | number | null;
}

/**
 * Sets the value of the caller's rank, or removes values when the amount is null. Throws a 404 for an unknown workspace, a 400 for an
 * archived one, and a 409 for an outdated version.
 */
export function setWorkspaceLimit(
  deps: LimitDeps,
  call: Call,
  input: NewWorkspaceLimit,
): Promise<WorkspaceLimit> {
  const { workspace_id, monthly_limit_usd: amount, rank, if_version: ifVersion } = input;
  const wanted = amount === null ? () => null : readWantedLimit("monthly_limit_usd", amount, input);
  const scope = { type: "workspace", workspace_id } as const;
  const change = { scope, rank, period: "monthly", ifVersion, wanted } as const;
  return changeSpendLimit(deps, call, change, async (state, tx) => {
    const workspace = await getVisibleWorkspace(
      tx,
      call.caller,
      "spend_limits:write",
      workspace_id,
    );
    return { ...state, workspace };
  });
}

/** Lists workspaces with their limits, or only the requested workspace. */
export async function listWorkspaceLimits(
  deps: AuditDeps,
  { caller }: Call,
  query: { workspace_id?: string | undefined },
  request: PageRequest,
): Promise<PageOfRows<WorkspaceLimit & { workspace: LimitedWorkspace }>> {
  const { organizationId } = caller;
  const workspaceId = query.workspace_id ?? null;
  if (workspaceId !== null) {
    await getVisibleWorkspace(deps.database, caller, "spend_limits:read", workspaceId);
  }
  const period = periodOf("monthly", deps.nowMs());
  const onlyIds = listPermittedWorkspaces(caller, "spend_limits:read");
  const filter = { organizationId, workspaceId, onlyIds };
  const page = toPage(await listLimitedWorkspaces(deps.database, filter, request), request);
  const limits = await listSpendLimits(deps.database, {
    organizationId,
    scopeType: "workspace",
    ...(workspaceId !== null && { scopeId: workspaceId }),
  });
  const balances = await readSpend(
    deps.database,
    page.rows.map(({ id }) => ({
      organizationId,
      workspaceId: id,
      scopeType: "workspace",
      scopeId: id,
      period: "monthly",
      periodStart: period.start,
    })),
  );
  const limitOf = new Map(
    limits.filter((limit) => limit.period === "monthly").map((limit) => [limit.scopeId, limit]),
  );
  const balanceOf = new Map([...balances.values()].map((balance) => [balance.scopeId, balance]));
  const ids = page.rows.flatMap(({ id }) => limitOf.get(id)?.id ?? []);
  const activating = await findActivating(deps.database, ids);
  const ofPage = page.rows.flatMap(({ id }) => limitOf.get(id) ?? []);
  const values = await readValues(spendLimits, deps.database, ofPage);
  const valuesOf = new Map(ofPage.map(({ id }, place) => [id, values[place] ?? []]));
  return {
    ...page,
    rows: page.rows.map((workspace) => {
      const limit = limitOf.get(workspace.id) ?? null;
      const balance = balanceOf.get(workspace.id) ?? null;
      const activatingSince = (limit && activating.get(limit.id)) ?? null;
      const values = (limit && valuesOf.get(limit.id)) ?? [];
      return { workspace, limit, balance, period, activatingSince, values };
    }),
  };
}

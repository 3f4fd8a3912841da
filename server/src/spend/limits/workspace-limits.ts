import type { Call } from "#src/access/call.ts";
import { getWorkspaceFor } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { readBalancesAtSeq } from "#src/spend/ledger/balances.sql.ts";
import { findActivating, listSpendLimits } from "#src/spend/ledger/limits.sql.ts";
import { readWanted } from "./read-limit.ts";
import {
  changeSpendLimit,
  type LimitDeps,
  type MaybeLimitState,
  type NewSpendLimit,
} from "./spend-limits.ts";
import { type LimitedWorkspace, listLimitedWorkspaces } from "./workspaces-with-limits.sql.ts";

// The short way to the limit that most companies want: a workspace's, per month.

/** A workspace's monthly limit, if it has one, beside what it has spent this month. */
export interface WorkspaceLimit extends MaybeLimitState {
  workspace: { id: string; name: string };
}

export interface NewWorkspaceLimit
  extends Pick<NewSpendLimit, "enforcement" | "open_ended_hold_usd" | "if_version"> {
  workspace_id: string;
  monthly_limit_usd: string | number | null;
}

/** Creates, replaces or (null) removes the limit. Throws a 404 for an unknown workspace, a 400 for an archived one, a 409. */
export function setWorkspaceLimit(
  deps: LimitDeps,
  call: Call,
  input: NewWorkspaceLimit,
): Promise<WorkspaceLimit> {
  const { workspace_id, monthly_limit_usd: amount, if_version: ifVersion } = input;
  const wanted = amount === null ? null : readWanted("monthly_limit_usd", amount, input);
  const scope = { type: "workspace", workspace_id } as const;
  const change = { scope, period: "monthly", ifVersion, wanted: () => wanted } as const;
  return changeSpendLimit(deps, call, change, async (state, tx) => {
    const workspace = await getWorkspaceFor(tx, call.caller, "spend_limits:write", workspace_id);
    return { ...state, workspace };
  });
}

/** A page of workspaces with their limits; one workspace where it is named. */
export async function listWorkspaceLimits(
  deps: AuditDeps,
  { caller }: Call,
  query: { workspace_id?: string | undefined },
  request: PageRequest,
): Promise<PageOfRows<WorkspaceLimit & { workspace: LimitedWorkspace }>> {
  const { organizationId } = caller;
  const workspaceId = query.workspace_id ?? null;
  if (workspaceId !== null) {
    await getWorkspaceFor(deps.database, caller, "spend_limits:read", workspaceId);
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
    ...page,
    rows: page.rows.map((workspace) => {
      const limit = limitOf.get(workspace.id) ?? null;
      const balance = balanceOf.get(workspace.id) ?? null;
      const activatingSince = (limit && activating.get(limit.id)) ?? null;
      return { workspace, limit, balance, period, activatingSince };
    }),
  };
}

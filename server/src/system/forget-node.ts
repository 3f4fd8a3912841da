import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { lockNode } from "#src/spend/ledger/lease-rows.sql.ts";
import { fenceGraceMs } from "#src/spend/ledger/lease-sync.ts";
import { type ReleasedLease, releaseNodeBudget } from "#src/spend/ledger/release-unresolved.sql.ts";
import { hasUncountedRequests, readNodeContact } from "./system.sql.ts";

/**
 * Releases the budget of the caller's organization that waits for a lost node, and returns it by limit. Requests that
 * the node settles later still count once. Throws a 404 for an unknown node and a 409 for a node in contact, whose
 * budget is in use.
 */
export function forgetNode(
  deps: AuditDeps & { leaseTtlMs: number },
  { caller, origin }: Call,
  { nodeId, reason }: { nodeId: string; reason?: string | undefined },
): Promise<ReleasedLease[]> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const node = await lockNode(tx, nodeId);
    if (node === null)
      throw new ApiError("resource_not_found", "Node not found.", {}, { resource: "node" });
    const silentAfterMs = deps.leaseTtlMs + fenceGraceMs(deps.leaseTtlMs);
    const contact = await readNodeContact(tx, { nodeId, silentAfterMs });
    if (node.expiresAt !== null || contact.isRecent) throw makeContactError(nodeId, contact.seenAt);
    if (await hasUncountedRequests(tx, nodeId)) throw makeUncountedError(nodeId);
    const released = await releaseNodeBudget(tx, { nodeId, organizationId });
    const audit = {
      event: "node.forgotten",
      subject: { type: "node", id: nodeId },
      workspaceId: null,
      before: { epoch: Number(node.epoch), last_seen_at: contact.seenAt.toISOString() },
      after: {
        released_usd: formatUsd(sumOf(released)),
        released: released.map((row) => ({ ...toWireBudget(row), scope: { ...scopeOf(row) } })),
        reason: reason ?? null,
      },
    } as const;
    return { result: released, audit: released.length === 0 ? "unchanged" : audit };
  });
}

/** Sum over all limits, nano-USD. Money that counts in several limits counts in each. */
export function sumOf(released: readonly ReleasedLease[]): bigint {
  return released.reduce((sum, { amountNanoUsd }) => sum + amountNanoUsd, 0n);
}

export function toWireBudget(row: ReleasedLease) {
  return {
    scope: scopeOf(row),
    period: row.period,
    period_start: row.periodStart,
    amount_usd: formatUsd(row.amountNanoUsd),
  };
}

function scopeOf({ scopeType: type, scopeId: id }: ReleasedLease) {
  return { type, id };
}

/** Their spend is part of the budget: it would be released, and settled again by the next fold. */
function makeUncountedError(nodeId: string): ApiError {
  return new ApiError(
    "node_in_contact",
    `The database has requests of ${nodeId} that are not counted yet. Retry in a few seconds.`,
  );
}

function makeContactError(nodeId: string, seenAt: Date): ApiError {
  return new ApiError(
    "node_in_contact",
    `${nodeId} was last in contact at ${seenAt.toISOString()}, so it may still spend its budget. Stop it, or wait until other nodes have fenced it, then retry.`,
  );
}

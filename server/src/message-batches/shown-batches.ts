import type { MessageBatchStatus } from "@bursar/contract/admin/message-batches.ts";
import { deniedInWorkspace } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findWorkspaceReach } from "#src/domain/rights.ts";
import { sendChange } from "#src/gateway/send-own-request.ts";
import { parseJson } from "#src/lib/parse-json.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { type BatchAmounts, findBatchAmounts } from "#src/spend/ledger/batch-amounts.sql.ts";
import type { UpstreamChoice } from "#src/upstreams/upstream.ts";
import {
  canSeeUsage,
  findUsageFilter,
  findVisibleUsage,
  type UsageQuery,
} from "#src/usage/visible-usage.ts";
import { lockState, saveReported } from "./batches.sql.ts";
import { type Reported, readReported } from "./reported-batch.ts";
import { findShownBatches, listShownBatches, type ShownBatch } from "./shown-batches.sql.ts";

// Message batches as people see them, without requests and results. Clients with a key read those (`serve-batches.ts`).

export interface ShownBatchDeps extends AuditDeps {
  upstreams: Pick<UpstreamChoice, "find">;
}

/** A batch with the names and amounts that other rooms have. */
export interface DescribedBatch extends ShownBatch, BatchAmounts {
  names: UsageNames;
}

interface BatchQuery extends UsageQuery {
  status?: MessageBatchStatus[] | undefined;
  upstream_id?: string[] | undefined;
}

/** Returns a page of batches, newest first. Throws a 404 for a workspace or key that the caller cannot see. */
export async function listBatches(
  { database }: ShownBatchDeps,
  { caller }: Call,
  query: BatchQuery,
  page: PageRequest,
): Promise<PageOfRows<DescribedBatch>> {
  const filter = await findUsageFilter(database, caller, query);
  const { status: statuses, upstream_id: upstreamIds } = query;
  const rows = await listShownBatches(database, { ...filter, statuses, upstreamIds }, page);
  return toPage(await describe(database, caller.organizationId, rows), page);
}

/** Returns a batch. Throws a 404 for one that the caller cannot see. */
export async function getBatch(
  { database }: ShownBatchDeps,
  { caller }: Call,
  id: string,
): Promise<DescribedBatch> {
  return describeOne(database, caller, await getVisibleBatch(database, caller, id));
}

/**
 * Cancels a running batch at its upstream, and records the new state. Cancelling twice changes nothing, so a repeated call is
 * sent again. Throws a 404, a 403, and a 409 for a batch that does not run.
 */
export async function cancelBatch(
  deps: ShownBatchDeps,
  { caller, origin }: Call,
  id: string,
): Promise<DescribedBatch> {
  const { database } = deps;
  const found = await getBatchForChange(database, caller, id);
  // A repeated call has a stored answer, also after the end of the batch.
  const reported = isRunning(found) ? await sendCancellation(deps, caller, found) : null;
  await auditedTransaction(deps, caller, origin, async (tx) => {
    if (reported === null) throw makeNotRunningError(found);
    await lockState(tx, found.id);
    const [before = found] = await findShownBatches(tx, { ...caller, id: found.id });
    await saveReported(tx, found.id, reported, { isDue: true });
    const [after = found] = await findShownBatches(tx, { ...caller, id: found.id });
    // Another call has canceled it before.
    if (before.status === after.status) return { result: undefined, audit: "unchanged" };
    const audit = {
      event: "message_batch.canceled" as const,
      subject: { type: "message_batch" as const, id: found.id },
      workspaceId: found.workspace_id,
      before: toAudited(before),
      after: toAudited(after),
    };
    return { result: undefined, audit };
  });
  return getBatch(deps, { caller, origin }, found.id);
}

async function sendCancellation(
  { upstreams }: ShownBatchDeps,
  { organizationId }: Caller,
  { upstream_id, upstream_batch_id }: ShownBatch,
): Promise<Reported> {
  const upstream = upstreams.find(organizationId, upstream_id);
  if (upstream === null) {
    throw new ApiError(
      "upstream_unusable",
      "The upstream of this message batch is no longer set up, or cannot be used.",
    );
  }
  const path = `/v1/messages/batches/${upstream_batch_id}/cancel`;
  const body = await sendChange(upstream, { method: "POST", path });
  if (body === null) {
    throw new ApiError("upstream_refused", "The upstream does not know this message batch.");
  }
  const reported = readReported(parseJson(body));
  if (reported !== null) return reported;
  throw new ApiError(
    "upstream_refused",
    "The upstream answered in an unknown form, and may have canceled the message batch.",
  );
}

/** Returns the row of a batch. Throws a 404 for one that the caller cannot see, and a 400 for an id of several. */
export async function getVisibleBatch(
  db: Database | Tx,
  caller: Caller,
  id: string,
): Promise<ShownBatch> {
  const { organizationId } = caller;
  const found = await findShownBatches(db, { organizationId, id });
  const visible = await findVisibleUsage(db, caller);
  const [batch, other] = found.filter((each) => canSeeUsage(visible, each));
  if (batch === undefined) throw batchNotFound();
  if (other === undefined) return batch;
  throw refuseField(
    "message_batch_id",
    `several upstreams have a batch with this id. Use its id here, such as ${batch.id}.`,
  );
}

/** Throws a 404 for a batch that the caller cannot see, and a 403 for one in a workspace that the caller cannot change. */
async function getBatchForChange(
  db: Database | Tx,
  caller: Caller,
  id: string,
): Promise<ShownBatch> {
  const batch = await getVisibleBatch(db, caller, id);
  if (findWorkspaceReach(caller, "workspaces:write", batch.workspace_id) !== null) return batch;
  throw deniedInWorkspace(caller, "workspaces:write", batch.workspace_id);
}

async function describeOne(
  db: Database,
  { organizationId }: Caller,
  batch: ShownBatch,
): Promise<DescribedBatch> {
  const [described] = await describe(db, organizationId, [batch]);
  if (described === undefined) throw batchNotFound();
  return described;
}

async function describe(
  db: Database,
  organizationId: string,
  rows: readonly ShownBatch[],
): Promise<DescribedBatch[]> {
  const ids = rows.map(({ id }) => id);
  const names = await findUsageNames(
    db,
    organizationId,
    rows.map(({ workspace_id, api_key_id }) => ({ workspace_id, api_key_id })),
  );
  const amounts = await findBatchAmounts(db, { organizationId, ids });
  const none: BatchAmounts = { heldNanoUsd: 0n, unresolvedNanoUsd: 0n };
  return rows.map((row) => ({ ...row, ...(amounts.get(row.id) ?? none), names }));
}

function isRunning({ status }: ShownBatch): boolean {
  return status === "in_progress" || status === "canceling";
}

function makeNotRunningError({ status }: ShownBatch): ApiError {
  return new ApiError(
    "batch_not_running",
    status === "ended" || status === "recording"
      ? "This message batch has ended, so nothing of it can be canceled."
      : "The upstream does not run this message batch, so it cannot be canceled.",
  );
}

function toAudited({ status, upstream_batch_id, line_count }: ShownBatch) {
  return { status, upstream_batch_id, request_count: line_count };
}

function batchNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Message batch not found",
    {},
    { resource: "message_batch" },
  );
}

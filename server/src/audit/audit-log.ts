import type { Call } from "#src/access/call.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { assert } from "#src/lib/assert.ts";
import { findAuditHead, findCheckpoint, lockAuditHead } from "./audit.sql.ts";
import {
  type AuditEventFilter,
  type AuditEventRow,
  type EventPlace,
  findAuditEvent,
  listAuditEvents as listRows,
} from "./audit-log.sql.ts";
import { type AuditDeps, auditedTransaction } from "./audited-transaction.ts";
import type { AuditHead } from "./hash-event.ts";
import { listFailovers, type RecordedFailover } from "./recorded-failover.sql.ts";
import { listUnexplained, type Unexplained } from "./unexplained.ts";
import { type ChainState, verifyChain } from "./verify-chain.ts";
import type { ChainReport, ChainWatch } from "./watch-chains.ts";
import type { Witness } from "./witness.ts";

export interface AuditLogDeps extends AuditDeps {
  /** Chains that this node has verified. */
  chains: Pick<ChainWatch, "getReport">;
  /** Positions that this node has seen. */
  witness: Pick<Witness, "findAnchor">;
}

export interface AuditEventQuery
  extends Omit<AuditEventFilter, "organizationId" | "startingAt" | "endingAt"> {
  starting_at?: string | undefined;
  ending_at?: string | undefined;
}

function toFilter(organizationId: string, query: AuditEventQuery): AuditEventFilter {
  const { starting_at, ending_at, ...equalities } = query;
  return {
    ...equalities,
    organizationId,
    startingAt: starting_at === undefined ? undefined : new Date(starting_at),
    endingAt: ending_at === undefined ? undefined : new Date(ending_at),
  };
}

/** Returns a page of events, newest first. */
export async function listAuditEvents(
  deps: AuditLogDeps,
  { caller }: Call,
  query: AuditEventQuery,
  page: PageRequest,
): Promise<PageOfRows<AuditEventRow>> {
  const from = page.from && {
    createdAt: new Date(page.from.createdAtMs),
    seq: parseSeq(page.from.id),
  };
  const rows = await listRows(deps.database, toFilter(caller.organizationId, query), {
    from,
    direction: "older",
    limit: page.limit + 1,
  });
  return toPage(rows, page, (row) => ({
    createdAtMs: row.created_at.getTime(),
    id: String(row.seq),
  }));
}

/** Checks the position of a cursor, because clients can forge cursors. */
function parseSeq(text: string): bigint {
  if (/^[0-9]{1,18}$/.test(text)) return BigInt(text);
  throw refuseField("page", "this is not a cursor of this list.", "invalid_cursor");
}

const EXPORT_PAGE = 500;

/** Yields the matching events until now, oldest first, with one page in memory at a time. */
export async function* readAuditEvents(
  deps: AuditLogDeps,
  { caller }: Call,
  query: AuditEventQuery,
): AsyncGenerator<AuditEventRow[]> {
  const filter = toFilter(caller.organizationId, query);
  const end = await findAuditHead(deps.database, caller.organizationId);
  let from: EventPlace | null = null;
  for (;;) {
    const page = { from, direction: "newer", limit: EXPORT_PAGE } as const;
    const rows: AuditEventRow[] = await listRows(deps.database, filter, page);
    // Excludes events that are newer than the export, because a growing log would never end.
    const wanted = rows.filter(({ seq }) => seq <= (end?.seq ?? 0n));
    if (wanted.length > 0) yield wanted;
    const last = rows.at(-1);
    if (rows.length < EXPORT_PAGE || wanted.length === 0 || last === undefined) return;
    from = { createdAt: last.created_at, seq: last.seq };
  }
}

export async function getAuditEvent(
  deps: AuditLogDeps,
  { caller }: Call,
  id: string,
): Promise<AuditEventRow> {
  const { organizationId } = caller;
  const row = await findAuditEvent(deps.database, { organizationId, id });
  if (row === null)
    throw new ApiError(
      "resource_not_found",
      "Audit event not found",
      {},
      { resource: "audit_event" },
    );
  return row;
}

export interface AuditLogState {
  head: AuditHead;
  report: ChainReport;
  pruned: { seq: bigint; createdAt: Date } | null;
  failovers: RecordedFailover[];
}

export async function getAuditLogState(
  deps: AuditLogDeps,
  { caller }: Call,
): Promise<AuditLogState> {
  const { organizationId } = caller;
  const head = await findAuditHead(deps.database, organizationId);
  assert(head !== null, "every organization has a chain");
  const pruned = await findCheckpoint(deps.database, organizationId);
  const failovers = await listNewestFailovers(deps, organizationId);
  return { head, report: deps.chains.getReport(organizationId), pruned, failovers };
}

export interface Verification {
  head: AuditHead;
  state: ChainState;
  failovers: RecordedFailover[];
  /** Keys, roles, sessions and limits that the log does not explain. */
  unexplained: Unexplained[];
}

/** Maximum failovers in a state or a verification. */
const MAX_FAILOVERS = 20;

function listNewestFailovers(
  { database }: Pick<AuditLogDeps, "database">,
  organizationId: string,
): Promise<RecordedFailover[]> {
  return listFailovers(database, { organizationId, throughSeq: null, limit: MAX_FAILOVERS });
}

/** Returns a function that verifies the caller's chain. Concurrent calls share one run, because it can take minutes. */
export function makeVerifyAuditLog(deps: AuditLogDeps): (call: Call) => Promise<Verification> {
  const running = new Map<string, Promise<Verification>>();
  async function verify(organizationId: string): Promise<Verification> {
    await deps.beforeAppend();
    const head = await findAuditHead(deps.database, organizationId);
    assert(head !== null, "every organization has a chain");
    const anchor = deps.witness.findAnchor(organizationId);
    const state = await verifyChain(deps, organizationId, anchor);
    const failovers = await listNewestFailovers(deps, organizationId);
    return { head, state, failovers, unexplained: await listUnexplained(deps, organizationId) };
  }
  return ({ caller: { organizationId } }) => {
    const shared =
      running.get(organizationId) ??
      verify(organizationId).finally(() => running.delete(organizationId));
    running.set(organizationId, shared);
    return shared;
  };
}

/** Sets the retention of events in days. Null: for ever. The head's signature covers it. Takes effect within a day. */
export async function setAuditRetention(
  deps: AuditLogDeps,
  { caller, origin }: Call,
  retentionDays: number | null,
): Promise<void> {
  const { organizationId } = caller;
  await auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockAuditHead(tx, organizationId);
    if (before.retentionDays === retentionDays) return { result: null, audit: "unchanged" };
    return {
      result: null,
      audit: {
        event: "audit_log.retention_set",
        subject: { type: "organization", id: organizationId },
        workspaceId: null,
        before: { retention_days: before.retentionDays },
        after: { retention_days: retentionDays },
        retentionDays,
      },
    };
  });
}

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
import { type ChainState, verifyChain } from "./verify-chain.ts";
import type { ChainReport, ChainWatch } from "./watch-chains.ts";
import type { Witness } from "./witness.ts";

export interface AuditLogDeps extends AuditDeps {
  /** What this node has verified by itself. */
  chains: Pick<ChainWatch, "reportOf">;
  /** What this node has seen. */
  witness: Pick<Witness, "anchorOf">;
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

/** A page, newest first. */
export async function listAuditEvents(
  deps: AuditLogDeps,
  { caller }: Call,
  query: AuditEventQuery,
  page: PageRequest,
): Promise<PageOfRows<AuditEventRow>> {
  const from = page.from && {
    createdAt: new Date(page.from.createdAtMs),
    seq: toSeq(page.from.id),
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

/** Of a cursor, which anybody can write. */
function toSeq(text: string): bigint {
  if (/^[0-9]{1,18}$/.test(text)) return BigInt(text);
  throw refuseField("page", "this is not a cursor of this list.", "invalid_cursor");
}

const EXPORT_PAGE = 500;

/** All that the filters leave, oldest first, one page in memory at a time. Events that are added meanwhile come too. */
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
    // What came after the export began is left out: a log that grows as it is read has no end.
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
}

export async function getAuditLogState(
  deps: AuditLogDeps,
  { caller }: Call,
): Promise<AuditLogState> {
  const { organizationId } = caller;
  const head = await findAuditHead(deps.database, organizationId);
  assert(head !== null, "every organization has a chain");
  const pruned = await findCheckpoint(deps.database, organizationId);
  return { head, report: deps.chains.reportOf(organizationId), pruned };
}

export interface Verification {
  head: AuditHead;
  state: ChainState;
}

/** Gives a function that verifies the caller's chain; calls at the same moment share one reading, since it can take minutes. */
export function makeVerifyAuditLog(deps: AuditLogDeps): (call: Call) => Promise<Verification> {
  const running = new Map<string, Promise<Verification>>();
  async function verify(organizationId: string): Promise<Verification> {
    const head = await findAuditHead(deps.database, organizationId);
    assert(head !== null, "every organization has a chain");
    const anchor = deps.witness.anchorOf(organizationId);
    return { head, state: await verifyChain(deps, organizationId, anchor) };
  }
  return ({ caller: { organizationId } }) => {
    const shared =
      running.get(organizationId) ??
      verify(organizationId).finally(() => running.delete(organizationId));
    running.set(organizationId, shared);
    return shared;
  };
}

/** Sets for how many days events are kept; null for ever. It is signed with the chain's end, and takes effect within a day. */
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

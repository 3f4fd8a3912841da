import {
  type auditEvent,
  type auditLogRoutes,
  type auditLogState,
  listAuditEvents as listAuditEventsRoute,
} from "@bursar/contract/admin/audit-log.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { mediaTypeOf, toFile } from "#src/lib/csv.ts";
import type { AuditEventRow } from "./audit-log.sql.ts";
import {
  type AuditLogDeps,
  type AuditLogState,
  getAuditEvent,
  getAuditLogState,
  listAuditEvents,
  makeVerifyAuditLog,
  readAuditEvents,
  setAuditRetention,
} from "./audit-log.ts";
import { columns } from "./csv-columns.ts";
import { toHex } from "./hash-event.ts";
import type { RecordedFailover } from "./recorded-failover.sql.ts";
import type { BrokenChain } from "./verify-chain.ts";

export function makeAuditLogHandlers(
  deps: AuditLogDeps,
): HandlersFor<(typeof auditLogRoutes)[number], Call> {
  const verify = makeVerifyAuditLog(deps);
  return {
    listAuditEvents: pagedList(
      listAuditEventsRoute,
      (call, { query }, page) => listAuditEvents(deps, call, query, page),
      toAuditEvent,
    ),
    exportAuditEvents: async (call, { query: { format, ...filters } }) => {
      const day = new Date(deps.nowMs()).toISOString().slice(0, 10);
      const pages = readAuditEvents(deps, call, filters);
      return {
        mediaType: mediaTypeOf(format),
        fileName: `audit-log-${day}.${format}`,
        pieces: toFile(format, columns, toEvents(pages)),
      };
    },
    getAuditEvent: async (call, { params }) =>
      toAuditEvent(await getAuditEvent(deps, call, params.audit_event_id)),
    getAuditLogState: async (call) => toState(await getAuditLogState(deps, call)),
    verifyAuditLog: async (call) => {
      const { head, state, failovers, unexplained } = await verify(call);
      return {
        type: "audit_log_verification",
        is_intact: state.kind === "intact",
        events: state.kind === "intact" ? state.events : 0,
        head: { seq: Number(head.seq), hash: toHex(head.hash) },
        first_broken: state.kind === "intact" ? null : toFirstBroken(state),
        failovers: failovers.map(toFailover),
        unexplained: unexplained.map(({ workspaceId, ...row }) => ({
          ...row,
          workspace_id: workspaceId,
        })),
      };
    },
    setAuditRetention: async (call, { body }) => {
      await setAuditRetention(deps, call, body.retention_days);
      return toState(await getAuditLogState(deps, call));
    },
  };
}

async function* toEvents(
  pages: AsyncIterable<AuditEventRow[]>,
): AsyncGenerator<z.input<typeof auditEvent>[]> {
  for await (const rows of pages) yield rows.map(toAuditEvent);
}

function toAuditEvent(row: AuditEventRow): z.input<typeof auditEvent> {
  return {
    id: row.id,
    type: "audit_event",
    seq: Number(row.seq),
    event: row.event,
    actor: {
      type: row.actor_type,
      id: row.actor_id,
      name: row.actor_name,
      email: row.actor_email,
    },
    subject: { type: row.subject_type, id: row.subject_id },
    workspace_id: row.workspace_id,
    before: row.before as z.input<typeof auditEvent>["before"],
    after: row.after as z.input<typeof auditEvent>["after"],
    request_id: row.request_id,
    ip_address: row.ip_address,
    user_agent: row.user_agent,
    created_at: row.created_at.toISOString(),
    hash: toHex(row.hash),
    previous_hash: toHex(row.previous_hash),
  };
}

function toState({
  head,
  report,
  pruned,
  failovers,
}: AuditLogState): z.input<typeof auditLogState> {
  const { verified, checkedAtMs, firstBroken } = report;
  return {
    type: "audit_log_state",
    organization_id: head.organizationId,
    head: { seq: Number(head.seq), hash: toHex(head.hash) },
    verified:
      verified === null || checkedAtMs === null
        ? null
        : {
            through_seq: Number(verified.seq),
            through_time: verified.at?.toISOString() ?? null,
            checked_at: new Date(checkedAtMs).toISOString(),
          },
    first_broken: firstBroken && toFirstBroken(firstBroken),
    retention_days: head.retentionDays,
    pruned: pruned && { through_seq: Number(pruned.seq), at: pruned.createdAt.toISOString() },
    failovers: failovers.map(toFailover),
  };
}

function toFailover({ auditEventId, seq, createdAt, before, after }: RecordedFailover) {
  return {
    audit_event_id: auditEventId,
    seq: Number(seq),
    at: createdAt.toISOString(),
    from_seq: Number(before.events),
    to_seq: Number(after.events),
    lost_events: Number(after.lost_events),
  };
}

function toFirstBroken({ seq, eventId, reason }: BrokenChain) {
  return { seq: Number(seq), audit_event_id: eventId, reason };
}

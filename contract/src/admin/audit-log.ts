import { z } from "zod";
import { count, instant, optionalQuery, timestamp } from "../fields.ts";
import { auditEventId, organizationId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const hex = z.string().meta({ description: "HMAC-SHA256 in hex." });
const eventNumber = z.int().min(0);

/** Fields of the thing as the API shows it; no secret is ever among them. */
const shown = z.record(z.string(), z.json()).nullable();

export const auditEvent = z
  .object({
    id: auditEventId,
    type: z.literal("audit_event"),
    seq: eventNumber.meta({
      description: "Number in the organization's log, from 1, without gaps.",
    }),
    event: z.string().meta({ description: "What happened, such as `api_key.created`." }),
    actor: z
      .object({
        type: z.string(),
        id: z.string(),
        name: z.string().nullable(),
        email: z.string().nullable(),
      })
      .meta({ description: "Who did it, as it was called then." }),
    subject: z.object({ type: z.string(), id: z.string() }).meta({ description: "To what." }),
    workspace_id: workspaceId.nullable(),
    before: shown.meta({ description: "The thing before; null for a new one." }),
    after: shown.meta({ description: "The thing after; null for one that is gone." }),
    request_id: z.string(),
    ip_address: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: timestamp,
    hash: hex,
    previous_hash: hex.meta({ description: "`hash` of the event before this one." }),
  })
  .meta({ id: "AuditEvent" });

const visible = /^[!-~\u00a0-\uffff]+$/;
const word = (description: string, maxLength = 100) =>
  optionalQuery(z.string().max(maxLength).regex(visible, "expected text without spaces")).meta({
    description,
  });

const filters = {
  event: word("An event's name, or the beginning of several, ending in a dot: `api_key.`."),
  actor_type: word("Such as `admin_key`, `api_key`, `member`, `local_operator`, `system`."),
  actor_id: word("Id of who did it."),
  subject_type: word("Such as `workspace` or `api_key`."),
  subject_id: word("Id of what it was done to."),
  workspace_id: optionalQuery(workspaceId),
  starting_at: optionalQuery(instant).meta({ description: "Not before this time." }),
  ending_at: optionalQuery(instant).meta({ description: "Before this time." }),
  request_id: word("The `request-id` of the call that did it."),
  ip_address: word("Address that the call came from."),
};

export const listAuditEvents = route({
  operationId: "listAuditEvents",
  method: "GET",
  path: "/v1/admin/audit_events",
  summary: "List audit events",
  description:
    "Newest first. Every change has one event, written in the same transaction. Refusals of who was known (`access.denied`) " +
    "are counted per caller, operation, reason and minute, and appear within two minutes.",
  action: "audit_log:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, ...filters }),
  response: pageCursor(auditEvent),
});

export const getAuditEvent = route({
  operationId: "getAuditEvent",
  method: "GET",
  path: "/v1/admin/audit_events/{audit_event_id}",
  summary: "Get an audit event",
  action: "audit_log:read",
  audited: null,
  params: z.strictObject({ audit_event_id: auditEventId }),
  response: auditEvent,
});

export const exportFormats = ["jsonl", "csv"] as const;

export const exportAuditEvents = route({
  operationId: "exportAuditEvents",
  method: "GET",
  path: "/v1/admin/audit_events/export",
  summary: "Export audit events",
  description:
    "Oldest first, all that the filters leave, as a file: one JSON object a line, or CSV with a heading, in which a cell " +
    "that a spreadsheet would take for a formula begins with an apostrophe.",
  action: "audit_log:read",
  audited: null,
  query: z.strictObject({ format: z.enum(exportFormats).default("jsonl"), ...filters }),
  response: auditEvent,
  streams: ["application/x-ndjson", "text/csv"],
});

const firstBroken = z
  .object({
    seq: eventNumber,
    audit_event_id: auditEventId.nullable().meta({ description: "Null where it is missing." }),
    reason: z.string(),
  })
  .nullable()
  .meta({ description: "The first event that is not as it was written, or is not there." });

export const auditLogState = z
  .object({
    type: z.literal("audit_log_state"),
    organization_id: organizationId,
    head: z
      .object({ seq: eventNumber, hash: hex })
      .meta({ description: "The newest event. Kept elsewhere, it proves all before it." }),
    verified: z
      .object({
        through_seq: eventNumber,
        through_time: timestamp.nullable(),
        checked_at: timestamp,
      })
      .nullable()
      .meta({
        description:
          "Up to where this node has computed every hash again: the whole log daily, new events every minute. Null before " +
          "the first time.",
      }),
    first_broken: firstBroken,
    retention_days: z.int().nullable().meta({ description: "Null: events are kept for ever." }),
    pruned: z
      .object({ through_seq: eventNumber, at: timestamp })
      .nullable()
      .meta({ description: "The newest event that was deleted by age." }),
  })
  .meta({ id: "AuditLogState" });

export const getAuditLogState = route({
  operationId: "getAuditLogState",
  method: "GET",
  path: "/v1/admin/audit_log/state",
  summary: "State of the audit log",
  action: "audit_log:read",
  audited: null,
  response: auditLogState,
});

export const auditLogVerification = z
  .object({
    type: z.literal("audit_log_verification"),
    is_intact: z.boolean(),
    events: count.meta({ description: "How many were computed again." }),
    head: z.object({ seq: eventNumber, hash: hex }),
    first_broken: firstBroken,
  })
  .meta({ id: "AuditLogVerification" });

export const verifyAuditLog = route({
  operationId: "verifyAuditLog",
  method: "GET",
  path: "/v1/admin/audit_log/verification",
  summary: "Verify the audit log now",
  description:
    "Computes every hash of the log again and compares its end with what this node has seen. About 20,000 events a second; " +
    "calls at the same time share one reading.",
  action: "audit_log:read",
  audited: null,
  response: auditLogVerification,
});

/** A month: whoever takes over an account must not be able to wipe away its traces with it. */
const MIN_RETENTION_DAYS = 30;
const MAX_RETENTION_DAYS = 36_500;

export const setAuditRetention = route({
  operationId: "setAuditRetention",
  method: "POST",
  path: "/v1/admin/audit_log/retention",
  summary: "Set how long audit events are kept",
  description:
    "In days, at least 30; null keeps them for ever, as it is from the start. Older events are deleted daily; a signed " +
    "checkpoint stands for them, so that the rest still verifies.",
  action: "security:write",
  audited: "audit_log.retention_set",
  stepUp: true,
  body: z.strictObject({
    retention_days: z.int().min(MIN_RETENTION_DAYS).max(MAX_RETENTION_DAYS).nullable(),
  }),
  response: auditLogState,
});

export const auditLogRoutes = [
  listAuditEvents,
  exportAuditEvents,
  getAuditEvent,
  getAuditLogState,
  verifyAuditLog,
  setAuditRetention,
] as const;

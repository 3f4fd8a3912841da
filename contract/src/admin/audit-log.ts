import { z } from "zod";
import { count, instant, optionalQuery, timestamp } from "../fields.ts";
import { auditEventId, organizationId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const hex = z.string().meta({ description: "HMAC-SHA256 in hex." });
const eventNumber = z.int().min(0);

/** Fields of the subject as the API returns it. Never contains a secret. */
const subjectFields = z.record(z.string(), z.json()).nullable();

export const auditEvent = z
  .object({
    id: auditEventId,
    type: z.literal("audit_event"),
    seq: eventNumber.meta({
      description: "Number in the organization's log: from 1, without gaps.",
    }),
    event: z.string().meta({ description: "Type of the change, such as `api_key.created`." }),
    actor: z
      .object({
        type: z.string(),
        id: z.string(),
        name: z.string().nullable(),
        email: z.string().nullable(),
      })
      .meta({ description: "Actor who made the change, with the name at that time." }),
    subject: z
      .object({ type: z.string(), id: z.string() })
      .meta({ description: "The changed resource." }),
    workspace_id: workspaceId.nullable(),
    before: subjectFields.meta({ description: "The subject before the change. Null: it is new." }),
    after: subjectFields.meta({
      description: "The subject after the change. Null: it is deleted.",
    }),
    request_id: z.string(),
    ip_address: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: timestamp,
    hash: hex,
    previous_hash: hex.meta({ description: "`hash` of the previous event." }),
  })
  .meta({ id: "AuditEvent" });

const visible = /^[!-~\u00a0-\uffff]+$/;
const textFilter = (description: string, maxLength = 100) =>
  optionalQuery(z.string().max(maxLength).regex(visible, "expected text without spaces")).meta({
    description,
  });

const filters = {
  event: textFilter("Name of an event, or a prefix that ends in a dot, such as `api_key.`."),
  actor_type: textFilter(
    "Such as `admin_key`, `api_key`, `member`, `directory`, `local_operator`, `system`.",
  ),
  actor_id: textFilter("Id of the actor."),
  subject_type: textFilter("Such as `workspace` or `api_key`."),
  subject_id: textFilter("Id of the subject."),
  workspace_id: optionalQuery(workspaceId),
  starting_at: optionalQuery(instant).meta({ description: "At this time or later." }),
  ending_at: optionalQuery(instant).meta({ description: "Before this time." }),
  request_id: textFilter("The `request-id` of the call."),
  ip_address: textFilter("Client address of the call."),
};

export const listAuditEvents = route({
  operationId: "listAuditEvents",
  method: "GET",
  path: "/v1/admin/audit_events",
  summary: "List audit events",
  description:
    "Newest first. Every change has one event, written in the same transaction. Refusals of authenticated callers " +
    "(`access.denied`) are counted per caller, operation, reason and minute, and appear within two minutes.",
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
    "Exports all filtered events as a file, oldest first: one JSON object per line, or CSV with a heading. CSV cells that a " +
    "spreadsheet would read as a formula begin with an apostrophe.",
  action: "audit_log:read",
  audited: null,
  query: z.strictObject({ format: z.enum(exportFormats).default("jsonl"), ...filters }),
  response: auditEvent,
  streams: ["application/x-ndjson", "text/csv"],
});

const firstBroken = z
  .object({
    seq: eventNumber,
    audit_event_id: auditEventId.nullable().meta({ description: "Null: the event is missing." }),
    reason: z.string(),
  })
  .nullable()
  .meta({ description: "The first changed or missing event. Null: none." });

const failover = z.object({
  audit_event_id: auditEventId,
  seq: eventNumber,
  at: timestamp,
  from_seq: eventNumber.meta({ description: "Last event that the node had seen before." }),
  to_seq: eventNumber.meta({
    description: "Last event that the promoted database has from before.",
  }),
  lost_events: count.meta({ description: "0: the node knows of no lost event." }),
});

const failovers = z.array(failover).meta({
  description:
    "Failovers of the database that the log records, newest first, at most 20. The event lists lost changes that a node " +
    "remembers. Two nodes can record the same failover, if one of them remembers more.",
});

export const auditLogState = z
  .object({
    type: z.literal("audit_log_state"),
    organization_id: organizationId,
    head: z.object({ seq: eventNumber, hash: hex }).meta({
      description: "The newest event. A copy in another place proves all events before it.",
    }),
    verified: z
      .object({
        through_seq: eventNumber,
        through_time: timestamp.nullable(),
        checked_at: timestamp,
      })
      .nullable()
      .meta({
        description:
          "Last event whose hash this node has verified. A node verifies the whole log daily, and new events every minute. " +
          "Null: not verified yet.",
      }),
    first_broken: firstBroken,
    retention_days: z.int().nullable().meta({ description: "Null: events are stored forever." }),
    pruned: z
      .object({ through_seq: eventNumber, at: timestamp })
      .nullable()
      .meta({ description: "The newest event that the retention deleted." }),
    failovers,
  })
  .meta({ id: "AuditLogState" });

export const getAuditLogState = route({
  operationId: "getAuditLogState",
  method: "GET",
  path: "/v1/admin/audit_log/state",
  summary: "Get the state of the audit log",
  action: "audit_log:read",
  audited: null,
  response: auditLogState,
});

const unexplained = z
  .array(
    z.object({
      type: z.enum([
        "api_key",
        "admin_key",
        "member",
        "workspace_member",
        "group",
        "group_member",
        "group_workspace",
        "scim_token",
        "personal_key_rules",
        "managed_settings",
        "session",
        "spend_limit",
        "rate_limit",
      ]),
      id: z.string().meta({
        description:
          "For `workspace_member` the id of the member, for `group_workspace` of the group, for `personal_key_rules` of the " +
          "workspace, for `group_member` both: the group and the member.",
      }),
      workspace_id: workspaceId.nullable(),
      reason: z.enum(["unsigned", "unlogged", "status", "permission", "role", "amount"]).meta({
        description:
          "`unsigned`: the server did not write it, and refuses it. `unlogged`: no event created it. Others: the field that " +
          "differs from the newest event.",
      }),
      logged: z.string().nullable().meta({ description: "Value of the newest event." }),
      stored: z.string().nullable().meta({ description: "Value in the database." }),
    }),
  )
  .meta({
    description:
      "Keys, roles, sessions and limits that the log does not explain, at most 100. A row with less access than in the log " +
      "is explained.",
  });

export const auditLogVerification = z
  .object({
    type: z.literal("audit_log_verification"),
    is_intact: z.boolean(),
    events: count.meta({ description: "Number of verified events." }),
    head: z.object({ seq: eventNumber, hash: hex }),
    first_broken: firstBroken,
    failovers,
    unexplained,
  })
  .meta({ id: "AuditLogVerification" });

export const verifyAuditLog = route({
  operationId: "verifyAuditLog",
  method: "GET",
  path: "/v1/admin/audit_log/verification",
  summary: "Verify the audit log now",
  description:
    "Computes every hash of the log again, and compares the newest event with the one that this node has seen. Then compares " +
    "keys, roles and limits with the log. Verifies about 20,000 events per second. Concurrent calls share one run.",
  action: "audit_log:read",
  audited: null,
  response: auditLogVerification,
});

/** A month, so that an attacker who takes over an account cannot delete the traces. */
const MIN_RETENTION_DAYS = 30;
const MAX_RETENTION_DAYS = 36_500;

export const setAuditRetention = route({
  operationId: "setAuditRetention",
  method: "POST",
  path: "/v1/admin/audit_log/retention",
  summary: "Set the retention of audit events",
  description:
    "In days, at least 30. Null, the default, stores them forever. Older events are deleted daily. A signed checkpoint " +
    "replaces them, so that the rest still verifies.",
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

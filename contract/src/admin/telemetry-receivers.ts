import { z } from "zod";
import { nameText, secretHeaders, timestamp } from "../fields.ts";
import { telemetryReceiverId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { telemetrySignals } from "../telemetry-signals.ts";

const MAX_URL_LENGTH = 500;

const url = z.string().trim().min(1).max(MAX_URL_LENGTH).meta({
  description:
    "https URL. The server appends /v1/metrics, /v1/logs and /v1/traces. Private addresses, and http, are refused unless `BURSAR_ALLOW_PRIVATE_TARGETS` allows them.",
});
const headers = secretHeaders.meta({
  description:
    "Headers of each export, such as `authorization`. Stored encrypted and never shown again.",
});
const signals = z
  .array(z.enum(telemetrySignals))
  .min(1)
  .max(telemetrySignals.length)
  .meta({ description: "Kinds of telemetry that the receiver gets." });
const version = z.int().min(1);

export const telemetryReceiver = z
  .object({
    id: telemetryReceiverId,
    type: z.literal("telemetry_receiver"),
    source: z.enum(["stored", "environment"]).meta({
      description: "`environment`: set by `BURSAR_TELEMETRY_URL`, and read-only here.",
    }),
    name: z.string(),
    url: z.string(),
    header_names: z.array(z.string()).meta({ description: "Names of its headers, in order." }),
    signals,
    is_enabled: z.boolean().meta({ description: "False: it gets nothing." }),
    state: z.enum(["working", "failing", "unused", "off"]).meta({
      description:
        "`failing`: the newest export failed. `unused`: no export was sent since the last change of its target.",
    }),
    last_relayed_at: timestamp.nullable().meta({
      description: "Time of the newest export that it accepted, at most 10 seconds late.",
    }),
    last_failed_at: timestamp.nullable(),
    last_failure: z.string().nullable().meta({ description: "Reason of the newest failure." }),
    version: version.nullable().meta({ description: "Null: from the environment." }),
    created_at: timestamp.nullable().meta({ description: "Null: from the environment." }),
    updated_at: timestamp.nullable().meta({ description: "Null: from the environment." }),
  })
  .meta({ id: "TelemetryReceiver" });

const params = z.strictObject({ telemetry_receiver_id: telemetryReceiverId });

export const createTelemetryReceiver = route({
  operationId: "createTelemetryReceiver",
  method: "POST",
  path: "/v1/admin/telemetry_receivers",
  summary: "Create a telemetry receiver",
  description:
    "Laptops of this organization send their telemetry to each of its receivers, with the verified person. An organization has at most 10.",
  action: "telemetry_receivers:write",
  audited: "telemetry_receiver.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    url,
    headers: headers.optional(),
    signals: signals.default([...telemetrySignals]),
    is_enabled: z.boolean().default(true),
  }),
  response: telemetryReceiver,
});

export const listTelemetryReceivers = route({
  operationId: "listTelemetryReceivers",
  method: "GET",
  path: "/v1/admin/telemetry_receivers",
  summary: "List telemetry receivers",
  description: "Newest first. The one of the environment is the last.",
  action: "telemetry_receivers:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(telemetryReceiver),
});

export const getTelemetryReceiver = route({
  operationId: "getTelemetryReceiver",
  method: "GET",
  path: "/v1/admin/telemetry_receivers/{telemetry_receiver_id}",
  summary: "Get a telemetry receiver",
  action: "telemetry_receivers:read",
  audited: null,
  params,
  response: telemetryReceiver,
});

export const updateTelemetryReceiver = route({
  operationId: "updateTelemetryReceiver",
  method: "POST",
  path: "/v1/admin/telemetry_receivers/{telemetry_receiver_id}",
  summary: "Update a telemetry receiver",
  description:
    "Omitted fields stay the same. `headers` replaces all headers, and null removes them. A URL of another origin removes them too, unless the call sets new ones.",
  action: "telemetry_receivers:write",
  audited: "telemetry_receiver.updated",
  stepUp: true,
  params,
  body: z.strictObject({
    name: nameText.optional(),
    url: url.optional(),
    headers: headers.nullable().optional(),
    signals: signals.optional(),
    is_enabled: z.boolean().optional(),
    if_version: version.optional(),
  }),
  response: telemetryReceiver,
});

export const deleteTelemetryReceiver = route({
  operationId: "deleteTelemetryReceiver",
  method: "DELETE",
  path: "/v1/admin/telemetry_receivers/{telemetry_receiver_id}",
  summary: "Delete a telemetry receiver",
  description: "Exports that wait for it are dropped.",
  action: "telemetry_receivers:write",
  audited: "telemetry_receiver.deleted",
  stepUp: true,
  params,
  response: z.object({ id: telemetryReceiverId, type: z.literal("telemetry_receiver_deleted") }),
});

export const testTelemetryReceiver = route({
  operationId: "testTelemetryReceiver",
  method: "POST",
  path: "/v1/admin/telemetry_receivers/{telemetry_receiver_id}/test",
  summary: "Test a telemetry receiver",
  description:
    "Sends one export without records for each of its signals, also while it is off, and returns the answers.",
  action: "telemetry_receivers:write",
  audited: "telemetry_receiver.tested",
  params,
  response: z.object({
    id: telemetryReceiverId,
    type: z.literal("telemetry_receiver_test"),
    is_accepted: z.boolean().meta({ description: "True if each answer is a success." }),
    answers: z.array(
      z.object({
        signal: z.enum(telemetrySignals),
        is_accepted: z.boolean(),
        status: z.int().nullable().meta({ description: "HTTP status. Null: no response." }),
        reason: z.string().nullable().meta({ description: "Reason of a failure." }),
      }),
    ),
  }),
});

export const telemetryReceiverRoutes = [
  createTelemetryReceiver,
  listTelemetryReceivers,
  getTelemetryReceiver,
  updateTelemetryReceiver,
  deleteTelemetryReceiver,
  testTelemetryReceiver,
] as const;

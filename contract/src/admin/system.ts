import { z } from "zod";
import { count, timestamp, usdText } from "../fields.ts";
import { nodeId } from "../ids.ts";
import { route } from "../route.ts";

// What the server is made of at this moment, for who keeps it running.

const node = z
  .object({
    id: nodeId,
    version: z.string(),
    is_this_one: z.boolean().meta({ description: "It answers this call." }),
    is_silent: z.boolean().meta({
      description: "Not heard of for longer than its leases live: it has stopped, or is cut off.",
    }),
    started_at: timestamp,
    last_seen_at: timestamp,
    epoch: count.meta({ description: "Raised each time that it starts, or enters again." }),
    journal: z.enum(["disk", "postgres"]),
    leased_usd: usdText.meta({
      description:
        "Budget of limits that it has taken; what counts in several limits counts in each.",
    }),
    unresolved_usd: usdText.meta({ description: "What it held when its fate became unknown." }),
    waiting_budget_usd: usdText.meta({
      description:
        "Budget of limits that waits until this node comes back with its journal, in US dollars. `nodes forget` releases it. What counts in several limits counts in each.",
    }),
    unflushed_records: count.nullable().meta({
      description:
        "Ends of requests in its journal that are not yet counted. Null: the journal is on the disk of another process.",
    }),
  })
  .meta({ id: "Node" });

const thisNode = z.object({
  id: z.string(),
  requests_in_flight: count,
  unflushed_records: count.meta({
    description: "Ends of requests that are in the journal, and not yet in the database.",
  }),
  oldest_unflushed_ms: count,
  is_journal_healthy: z.boolean(),
  journal: z.enum(["disk", "postgres"]),
  journal_sync: z.enum(["interval", "group"]),
  lease_ttl_seconds: z.number(),
});

const database = z.object({
  version: z.string(),
  is_embedded: z.boolean(),
  size_bytes: count,
  connections: count.meta({ description: "To this database, by whomever." }),
  max_connections: count,
  migration: z.string().meta({ description: "The newest that was applied." }),
  settings: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .meta({ description: "Those that decide whether what is committed survives a crash." }),
});

const jobQueue = z.object({
  waiting: count.meta({ description: "Will run, now or later." }),
  running: count,
  failing: count.meta({ description: "Of those that wait: failed before, and are tried again." }),
  given_up: count.meta({ description: "Failed as often as they may; they stay until looked at." }),
  oldest_due_at: timestamp.nullable().meta({
    description: "Since when the one that waits longest could have run. Null: none is late.",
  }),
  last_error: z.string().nullable().meta({ description: "Of the newest failure that is left." }),
});

const upstream = z.object({
  source: z.enum(["environment", "stored", "simulator"]).nullable(),
  origin: z.string().nullable(),
  problem: z.string().nullable().meta({ description: "Why it cannot be used; null: it can." }),
});

const auditLog = z.object({
  is_intact: z.boolean().nullable().meta({ description: "Null: not checked yet by this node." }),
  verified_through_seq: count.nullable(),
  checked_at: timestamp.nullable(),
});

const backup = z.object({
  newest: z
    .object({
      made_at: timestamp.meta({ description: "The moment whose state it holds." }),
      file_name: z.string(),
      size_bytes: count,
      requests: count.meta({ description: "Of the log of requests." }),
      is_encrypted: z.boolean(),
      has_secret: z.boolean().meta({ description: "The installation's secret is in it." }),
      made_by: z.object({ type: z.string(), id: z.string() }),
    })
    .nullable()
    .meta({ description: "Of `bursar backup`; copies that others make are not known here." }),
  is_late: z.boolean().meta({
    description:
      "There was one, and none for a week. Or there is none at all, for more than a week, of an embedded database.",
  }),
  newest_restore: z
    .object({ restored_at: timestamp, backup_made_at: timestamp.nullable() })
    .nullable(),
  held_keys: count.meta({
    description: "The organization's keys that a restore brought back, and nobody has confirmed.",
  }),
});

export const system = z
  .object({
    type: z.literal("system"),
    version: z.string(),
    node_version: z.string().meta({ description: "Of Node.js." }),
    platform: z.string(),
    warnings: z.array(z.string()).meta({
      description: "What the operator should know, in sentences; the start prints the same.",
    }),
    this_node: thisNode,
    nodes: z.array(node).meta({ description: "Those heard of last first, 100 at most." }),
    database,
    job_queue: jobQueue,
    mail: z.object({
      is_configured: z.boolean().meta({ description: "On this node." }),
      from: z.string().nullable(),
      queued: count,
      failed: count,
    }),
    price_list: z.object({
      as_of: z.iso.date().meta({ description: "Up to which the shipped list was checked." }),
      overrides: count.meta({ description: "Prices that the organization set itself." }),
    }),
    upstream,
    audit_log: auditLog,
    backup,
  })
  .meta({ id: "System" });

export const getSystem = route({
  operationId: "getSystem",
  method: "GET",
  path: "/v1/admin/system",
  summary: "State of the system",
  description:
    "Version, nodes, database, job queue, mail, prices, upstream, audit log and backups at this moment. What only a node knows of itself is that of the node that answers.",
  action: "system:read",
  audited: null,
  response: system,
});

export const listNodes = route({
  operationId: "listNodes",
  method: "GET",
  path: "/v1/admin/nodes",
  summary: "List the nodes of the installation",
  description:
    "The most recently seen first, 100 at most, with the last contact of each and what it holds of the organization's limits.",
  action: "system:read",
  audited: null,
  response: z.object({ data: z.array(node) }),
});

const releasedBudget = z.object({
  scope: z.object({
    type: z.enum(["organization", "workspace", "api_key"]),
    id: z.string(),
  }),
  period: z.enum(["daily", "weekly", "monthly"]),
  period_start: z.string().meta({ description: "First day of the period, in UTC." }),
  amount_usd: usdText,
});

const MAX_REASON = 500;

export const forgetNode = route({
  operationId: "forgetNode",
  method: "POST",
  path: "/v1/admin/nodes/{node_id}/forget",
  summary: "Release the budget that waits for a lost node",
  description:
    "For a node whose journal will not come back. Its budget of the organization's limits may be spent again at once. Requests that it settles later all the same are counted once; what exceeds a limit then is an overrun. A node that is in contact is refused with a 409, `error_code` `node_in_contact`. A second call releases nothing more.",
  action: "spend:resolve",
  audited: "node.forgotten",
  stepUp: true,
  params: z.strictObject({ node_id: nodeId }),
  body: z.strictObject({
    reason: z
      .string()
      .trim()
      .min(1)
      .max(MAX_REASON)
      .optional()
      .meta({ description: "Why; it stands in the audit log." }),
  }),
  response: z
    .object({
      type: z.literal("node_forgotten"),
      id: nodeId,
      released_usd: usdText.meta({
        description: "Sum of `released`: what counts in several limits counts in each.",
      }),
      released: z.array(releasedBudget).meta({ description: "One entry for each limit." }),
    })
    .meta({ id: "ForgottenNode" }),
});

export const systemRoutes = [getSystem, listNodes, forgetNode] as const;

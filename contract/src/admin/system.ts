import { z } from "zod";
import { count, reasonText, timestamp, usdText } from "../fields.ts";
import { nodeId } from "../ids.ts";
import { route } from "../route.ts";
import { scopeTypes } from "../scope.ts";

// State of the installation, for its operators.

const node = z
  .object({
    id: nodeId,
    version: z.string(),
    is_this_one: z.boolean().meta({ description: "True: this node responds to the call." }),
    is_silent: z.boolean().meta({
      description:
        "True: stopped or disconnected, without contact for longer than its leases last.",
    }),
    started_at: timestamp,
    last_seen_at: timestamp,
    epoch: count.meta({ description: "Increases with each start and each return." }),
    journal: z.enum(["disk", "postgres"]),
    leased_usd: usdText.meta({
      description: "Budget that it leases, in US dollars. Budget of several limits counts in each.",
    }),
    unresolved_usd: usdText.meta({ description: "Unresolved budget of the node, in US dollars." }),
    waiting_budget_usd: usdText.meta({
      description:
        "Budget that waits until this node returns with its journal, in US dollars. `nodes forget` releases it. Budget of several limits counts in each.",
    }),
    max_connections: count.nullable().meta({
      description:
        "Most database connections of its process. Null: its version does not report them, and 24 are assumed.",
    }),
    unflushed_records: count.nullable().meta({
      description:
        "Ended requests in its journal that are not counted yet. Null: another process has the journal on its disk.",
    }),
  })
  .meta({ id: "Node" });

const thisNode = z.object({
  id: z.string(),
  requests_in_flight: count,
  unflushed_records: count.meta({
    description: "Ended requests that are in the journal, but not in the database yet.",
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
  connections: count.meta({ description: "Connections of all clients to this database." }),
  max_connections: count.meta({ description: "Most connections that the server accepts." }),
  reserved_connections: count.meta({
    description: "Connections of `max_connections` that the server reserves for its operators.",
  }),
  needed_connections: count.meta({
    description: "Sum of the most connections of all nodes in contact.",
  }),
  migration: z.string().meta({ description: "The newest applied migration." }),
  settings: z
    .array(z.object({ name: z.string(), value: z.string() }))
    .meta({ description: "Settings that decide whether commits survive a crash." }),
});

const replication = z
  .object({
    kind: z.enum(["single", "asynchronous", "synchronous", "hidden"]).meta({
      description: "hidden: standbys stream, but the database role cannot see their state.",
    }),
    promise: z.string().meta({ description: "Effect of a failover, as a sentence." }),
    is_connected_to_standby: z.boolean(),
    wal_level: z.string(),
    synchronous_commit: z.string(),
    synchronous_standby_names: z.string(),
    standbys: z.array(
      z.object({
        name: z.string(),
        state: z.string().nullable(),
        sync_state: z.string().nullable(),
        lag_seconds: z.number().nullable().meta({ description: "Null: unknown." }),
        lag_bytes: count.nullable(),
      }),
    ),
    slots: z.array(
      z.object({
        name: z.string(),
        is_active: z.boolean(),
        retained_bytes: count.nullable().meta({
          description: "Log that the slot keeps on the disk of the primary.",
        }),
      }),
    ),
    problems: z.array(
      z.object({
        code: z.enum([
          "connected_to_standby",
          "commits_wait",
          "commits_not_durable",
          "commits_not_synchronous",
          "journal_not_synchronous",
          "inactive_slot",
          "details_hidden",
        ]),
        is_fault: z.boolean().meta({
          description:
            "True: an operator must act. False: a promise is weaker than it could be, or is not known.",
        }),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: "Replication" });

const reportsDatabase = z
  .object({
    is_replica_in_use: z
      .boolean()
      .meta({ description: "False: reports are read from the primary." }),
    fault: z
      .enum([
        "unreachable",
        "another_database",
        "not_a_standby",
        "earlier_primary",
        "older_schema",
        "unknown_lag",
        "stale",
      ])
      .nullable(),
    error_code: z.string().nullable().meta({
      description: "SQLSTATE or system error of an unreachable replica.",
    }),
    message: z.string().nullable().meta({ description: "The fault for people." }),
    lag_seconds: z.number().nullable().meta({ description: "Null: unknown." }),
    retries: count.meta({
      description: "Reports that the replica failed, and that the primary read again.",
    }),
  })
  .meta({ id: "ReportsDatabase" });

const jobQueue = z.object({
  waiting: count.meta({ description: "Jobs that will run, now or later." }),
  running: count,
  failing: count.meta({ description: "Waiting jobs that failed before and will be retried." }),
  given_up: count.meta({
    description: "Jobs without retries left. They stay until an operator resolves them.",
  }),
  oldest_due_at: timestamp.nullable().meta({
    description: "Due time of the job that has waited longest. Null: none is late.",
  }),
  last_error: z.string().nullable().meta({ description: "Error of the newest failed job." }),
});

const upstream = z.object({
  source: z.enum(["environment", "stored", "simulator"]).nullable(),
  origin: z.string().nullable(),
  problem: z
    .string()
    .nullable()
    .meta({ description: "Why it cannot be used. Null: it can be used." }),
});

const auditLog = z.object({
  is_intact: z
    .boolean()
    .nullable()
    .meta({ description: "Null: this node has not checked it yet." }),
  verified_through_seq: count.nullable(),
  checked_at: timestamp.nullable(),
});

const backup = z.object({
  newest: z
    .object({
      made_at: timestamp.meta({ description: "Time of the state in the backup." }),
      file_name: z.string(),
      size_bytes: count,
      requests: count.meta({ description: "Requests in the request log." }),
      is_encrypted: z.boolean(),
      has_secret: z.boolean().meta({ description: "True: it contains the installation's secret." }),
      made_by: z.object({ type: z.string(), id: z.string() }),
    })
    .nullable()
    .meta({
      description: "Newest backup by `bursar backup`. Other copies are unknown to the server.",
    }),
  is_late: z.boolean().meta({
    description:
      "True: the newest backup is older than a week. Or an embedded database of more than a week has none.",
  }),
  newest_restore: z
    .object({ restored_at: timestamp, backup_made_at: timestamp.nullable() })
    .nullable(),
  held_keys: count.meta({
    description: "Unconfirmed keys of the organization from a restored backup.",
  }),
});

const newestFailover = z
  .object({
    incarnation: count.meta({ description: "Number of the database's life since then." }),
    reason: z.enum(["timeline", "system", "rollback"]).meta({
      description:
        "`timeline`: a standby was promoted. `system`: the data moved to another server. `rollback`: the database went back without either.",
    }),
    at: timestamp,
    is_recent: z.boolean().meta({ description: "True for 24 hours." }),
    awaited_nodes: z.array(nodeId).meta({
      description:
        "Nodes that have not reported their leases since. Limits grant nothing until then.",
    }),
    appended_records: count.meta({
      description: "Records of this node that the database had lost and has again.",
    }),
    missing_records: count.meta({
      description: "Records of this node that the database still lacks.",
    }),
  })
  .nullable()
  .meta({ description: "The newest failover of the database. Null: none." });

export const system = z
  .object({
    newest_failover: newestFailover,
    type: z.literal("system"),
    version: z.string(),
    node_version: z.string().meta({ description: "Version of Node.js." }),
    platform: z.string(),
    warnings: z.array(z.string()).meta({
      description: "Warnings for the operator, which the start prints too.",
    }),
    this_node: thisNode,
    nodes: z.array(node).meta({ description: "Most recent contact first, at most 100." }),
    database,
    replication: replication.nullable().meta({
      description: "Replication of the primary. Null: PostgreSQL refuses to report it.",
    }),
    reports_database: reportsDatabase.nullable().meta({
      description:
        "Replica of reports, as the responding node uses it. Null: BURSAR_REPORTS_DATABASE_URL is not set.",
    }),
    job_queue: jobQueue,
    mail: z.object({
      is_configured: z.boolean().meta({ description: "True: this node has a mail server." }),
      from: z.string().nullable(),
      queued: count,
      failed: count,
    }),
    price_list: z.object({
      as_of: z.iso.date().meta({ description: "Date of the shipped list's last check." }),
      overrides: count.meta({ description: "Prices that the organization has set." }),
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
  summary: "Get the state of the system",
  description:
    "Returns version, nodes, database, job queue, mail, prices, upstream, audit log and backups. Facts about a single node are those of the node that responds.",
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
    "Lists at most 100 nodes with their last contact and the organization's budget that they hold. Most recent contact first.",
  action: "system:read",
  audited: null,
  response: z.object({ data: z.array(node) }),
});

const releasedBudget = z.object({
  scope: z.object({
    type: z.enum(scopeTypes),
    id: z.string(),
  }),
  period: z.enum(["daily", "weekly", "monthly"]),
  period_start: z.string().meta({ description: "First day of the period, in UTC." }),
  amount_usd: usdText,
});

export const forgetNode = route({
  operationId: "forgetNode",
  method: "POST",
  path: "/v1/admin/nodes/{node_id}/forget",
  summary: "Release the budget that waits for a lost node",
  description:
    "Use it for a node whose journal will not return. Its budget of the organization's limits is available again at once. Requests that it still settles later are counted once. Spend beyond a limit is then an overrun. A node in contact is a 409 with the `error_code` `node_in_contact`. A second call releases nothing more.",
  action: "spend:resolve",
  audited: "node.forgotten",
  stepUp: true,
  params: z.strictObject({ node_id: nodeId }),
  body: z.strictObject({
    reason: reasonText.optional(),
  }),
  response: z
    .object({
      type: z.literal("node_forgotten"),
      id: nodeId,
      released_usd: usdText.meta({
        description: "Sum of `released`. Budget of several limits counts in each.",
      }),
      released: z.array(releasedBudget).meta({ description: "One entry for each limit." }),
    })
    .meta({ id: "ForgottenNode" }),
});

export const systemRoutes = [getSystem, listNodes, forgetNode] as const;

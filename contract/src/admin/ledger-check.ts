import { z } from "zod";
import { count, timestamp, usdText } from "../fields.ts";
import { route } from "../route.ts";
import { scopeTypes } from "../scope.ts";

export const ledgerDifference = z
  .object({
    scope: z.object({ type: z.enum(scopeTypes), id: z.string() }),
    period: z.enum(["daily", "weekly", "monthly"]),
    period_start: z.string().meta({ description: "First day of the period, in UTC." }),
    amount: z
      .enum(["spent", "held", "unresolved", "beyond_holds", "overrun", "granted", "abandoned"])
      .meta({
        description:
          "The amount that differs. granted, abandoned: the lease of one node, which granted less than was spent, or whose node has left.",
      }),
    is_usd: usdText,
    should_be_usd: usdText,
    node_id: z
      .string()
      .nullable()
      .meta({ description: "Node of a lease. Null: the whole balance." }),
    explanation: z.string(),
  })
  .meta({ id: "LedgerDifference" });

export const checkLedger = route({
  operationId: "checkLedger",
  method: "GET",
  path: "/v1/admin/ledger_check",
  summary: "Recompute every balance of the organization",
  description:
    "Adds up the cost of all requests, adjustments, leases and unresolved spend in one snapshot of the database, and returns each balance that differs. The response also lists leases that granted less than their node spent, and leases of nodes that have left. The call reads the whole history of requests, which can take minutes and does not block traffic.",
  action: "system:read",
  audited: null,
  response: z
    .object({
      type: z.literal("ledger_check"),
      is_correct: z.boolean(),
      balances: count.meta({ description: "Number of recomputed balances." }),
      requests: count.meta({ description: "Number of requests added up." }),
      differences: z.array(ledgerDifference).meta({ description: "The first 100 differences." }),
      difference_count: count,
      checked_at: timestamp,
    })
    .meta({ id: "LedgerCheck" }),
});

export const ledgerCheckRoutes = [checkLedger] as const;

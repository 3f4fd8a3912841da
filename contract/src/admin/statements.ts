import { z } from "zod";
import { count, optionalQuery, tagName, timestamp, usdText } from "../fields.ts";
import { contractTermId, groupId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { statementGroups } from "../statement-groups.ts";
import { billedMeasures, toRecord } from "../usage-shape.ts";
import { partlyUnbilledRequests, unpricedRequests } from "./report-fields.ts";

/** A month in UTC. */
export const month = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/, "expected a month such as 2026-11")
  .meta({ description: "Month in UTC, such as `2026-11`." });

const tagText = z
  .string()
  .max(400)
  .regex(/^[^:]+:./, "expected a name and a value, such as cost_center:4711");

const scopeQuery = {
  workspace_id: optionalQuery(workspaceId),
  group_id: optionalQuery(groupId),
  tag: optionalQuery(tagText).meta({
    description: "Tag as `name:value`, such as `cost_center:4711`.",
  }),
  without_tag: optionalQuery(tagName).meta({
    description: "Requests without a tag of this name: what no cost centre has.",
  }),
};

/** Rights by scope. Groups and tags have requests of several workspaces. */
const scopeRights = "Without `workspace_id`, the caller needs the right in the whole organization.";

export const statementStates = ["open", "ended", "closed"] as const;
const state = z.enum(statementStates).meta({
  description:
    "`open`: the month continues, and the statement is a preview. `ended`: it closes after `closes_after`. `closed`: it never changes.",
});

const amounts = {
  list_cost_usd: usdText.meta({ description: "Cost of the month's requests at list price." }),
  adjustments_usd: usdText.meta({ description: "Charges and credits for requests of the month." }),
  earlier_usd: usdText.meta({
    description:
      "Cost and adjustments of requests of earlier months that arrived after those were closed, at list price.",
  }),
  discount_usd: usdText.meta({ description: "Discount of the contract. Negative: a surcharge." }),
  net_cost_usd: usdText.meta({
    description: "List cost, adjustments and earlier months, minus the discount.",
  }),
  requests: count,
  unpriced_requests: unpricedRequests,
  partly_unbilled_requests: partlyUnbilledRequests,
};

const place = {
  type: z.literal("statement"),
  month,
  state,
  starting_at: timestamp,
  ending_at: timestamp,
  closes_after: timestamp,
  closed_at: timestamp.nullable(),
  sha256: z.string().nullable().meta({
    description: "Hash of the lines of a closed month, hexadecimal. The audit log has it too.",
  }),
};

const simulated = z.object({ requests: count, cost_usd: usdText }).meta({
  description: "Requests that the simulator answered. Not billed, and in no other amount.",
});

export const statementSummary = z
  .object({ ...place, ...amounts, simulated })
  .meta({ id: "StatementSummary" });

const changeParts = {
  volume_usd: usdText.meta({
    description: "More or fewer tokens, with the earlier mix and prices.",
  }),
  mix_usd: usdText.meta({
    description: "Other shares of models, price classes, prompts and output.",
  }),
  cache_usd: usdText.meta({ description: "Other shares of cache reads and writes in prompts." }),
  price_usd: usdText.meta({ description: "Other prices of the same tokens." }),
};

const priceClass = {
  model: z.string(),
  service_tier: z.string(),
  context_window: z.string(),
  inference_geo: z.string(),
  speed: z.string(),
};

export const statement = z
  .object({
    ...place,
    scope: z.object({
      type: z.enum(["organization", "workspace", "group", "tag", "without_tag"]),
      id: z.string().nullable(),
      name: z.string().nullable(),
    }),
    ...amounts,
    simulated,
    is_intact: z.boolean().nullable().meta({
      description: "Whether the stored lines still have the hash. Null: the month is not closed.",
    }),
    earlier_months: z.array(
      z.object({ month, list_cost_usd: usdText, adjustments_usd: usdText, discount_usd: usdText }),
    ),
    change: z
      .object({
        previous_month: month,
        previous_list_cost_usd: usdText,
        previous_net_cost_usd: usdText,
        difference_usd: usdText.meta({
          description: "Net cost minus that of the previous month. The parts add up to it exactly.",
        }),
        ...changeParts,
        adjustments_usd: usdText.meta({
          description: "Difference of the adjustments, those for earlier months included.",
        }),
        discount_usd: usdText.meta({ description: "Effect of the difference of the discounts." }),
        products: z.array(
          z.object({
            ...priceClass,
            previous_list_cost_usd: usdText,
            list_cost_usd: usdText,
            ...changeParts,
          }),
        ),
      })
      .meta({ description: "Change against the month before, by cause." }),
  })
  .meta({ id: "Statement" });

export const statementRow = z
  .object({
    id: z.string().nullable().meta({ description: "Null: usage without one." }),
    name: z.string().nullable(),
    detail: z.string().nullable().meta({ description: "E-mail address of a member." }),
    ...amounts,
  })
  .meta({ id: "StatementRow" });

export const statementLine = z
  .object({
    month,
    kind: z.enum(["usage", "simulated", "adjustment"]),
    for_month: month,
    workspace_id: z.string(),
    workspace_name: z.string().nullable(),
    api_key_id: z.string(),
    api_key_name: z.string().nullable(),
    member_id: z.string().nullable(),
    member_email: z.string().nullable(),
    groups: z.string(),
    tags: z.string(),
    ...priceClass,
    adjustment_id: z.string().nullable(),
    requests: count,
    ...toRecord(billedMeasures, "column", () => count),
    list_cost_usd: usdText,
    discount_usd: usdText,
    net_cost_usd: usdText,
  })
  .meta({ id: "StatementLine" });

export const listStatements = route({
  operationId: "listStatements",
  method: "GET",
  path: "/v1/admin/statements",
  summary: "List monthly statements",
  description: `Newest first, from the first month with usage. ${scopeRights}`,
  action: "statements:read",
  audited: null,
  isReport: true,
  query: z.strictObject({ ...pageCursorQuery, ...scopeQuery }),
  response: pageCursor(statementSummary),
});

export const getStatement = route({
  operationId: "getStatement",
  method: "GET",
  path: "/v1/admin/statements/{month}",
  summary: "Get the statement of a month",
  description:
    "Statement of the organization, or of one workspace, group or tag, with its change against the month before. " +
    scopeRights,
  action: "statements:read",
  audited: null,
  isReport: true,
  params: z.strictObject({ month }),
  query: z.strictObject(scopeQuery),
  response: statement,
});

export const listStatementRows = route({
  operationId: "listStatementRows",
  method: "GET",
  path: "/v1/admin/statements/{month}/rows",
  summary: "List the rows of a statement",
  description:
    "Splits a statement, the highest net cost first. Rows of groups overlap, since a member can be in several groups. " +
    `Simulated requests are left out. ${scopeRights}`,
  action: "statements:read",
  audited: null,
  isReport: true,
  params: z.strictObject({ month }),
  query: z.strictObject({
    ...pageCursorQuery,
    ...scopeQuery,
    group_by: z.enum(statementGroups).meta({
      description: "`cost_center`: values of the tag that the settings of statements name.",
    }),
  }),
  response: pageCursor(statementRow),
});

export const exportStatement = route({
  operationId: "exportStatement",
  method: "GET",
  path: "/v1/admin/statements/{month}/export",
  summary: "Export a statement",
  description:
    "`csv` and `jsonl`: the lines of the statement. `focus_csv`: one row for each line and kind of unit with the columns of " +
    `FOCUS 1.2, without simulated requests. ${scopeRights}`,
  action: "statements:read",
  audited: null,
  isReport: true,
  params: z.strictObject({ month }),
  query: z.strictObject({
    format: z.enum(["csv", "jsonl", "focus_csv"]).default("csv"),
    ...scopeQuery,
  }),
  response: statementLine,
  streams: ["text/csv", "application/x-ndjson"],
});

const costCenterTag = tagName.nullable().meta({
  description: "Name of the tag whose values are the cost centres. Null: none is chosen.",
});

export const statementSettings = z
  .object({ type: z.literal("statement_settings"), cost_center_tag: costCenterTag })
  .meta({ id: "StatementSettings" });

export const getStatementSettings = route({
  operationId: "getStatementSettings",
  method: "GET",
  path: "/v1/admin/statement_settings",
  summary: "Get the settings of statements",
  action: "contract_terms:read",
  audited: null,
  response: statementSettings,
});

export const updateStatementSettings = route({
  operationId: "updateStatementSettings",
  method: "POST",
  path: "/v1/admin/statement_settings",
  summary: "Update the settings of statements",
  description: "Lines have all tags of their requests, so the tag also splits closed months.",
  action: "contract_terms:write",
  audited: "statement_settings.updated",
  body: z.strictObject({ cost_center_tag: costCenterTag }),
  response: statementSettings,
});

/** At most 100 %, and a surcharge of at most 900 %. */
const discountPercent = z
  .string()
  .regex(/^(-?\d{1,2}|-[1-8]\d\d|-?100|-900)(\.\d{1,4})?$/, "expected a percentage such as 12.5")
  .refine((text) => Number(text) <= 100 && Number(text) >= -900, "expected -900 to 100")
  .meta({
    description:
      "Percent of the list price, as decimal text with up to 4 decimals. Negative: a surcharge.",
  });

const MAX_FAMILY_LENGTH = 100;
const modelFamily = z
  .string()
  .min(1)
  .max(MAX_FAMILY_LENGTH)
  .regex(/^[A-Za-z0-9.-]+$/, "expected the beginning of model names, such as claude-opus")
  .nullable()
  .meta({
    description: "Beginning of the names of models, such as `claude-opus`. Null: every model.",
  });

export const contractTerm = z
  .object({
    type: z.literal("contract_term"),
    id: contractTermId,
    from_month: month,
    model_family: modelFamily,
    discount_percent: z.string(),
    is_fixed: z.boolean().meta({
      description:
        "True: a closed month applied it, so it can only be replaced from a later month.",
    }),
    created_at: timestamp,
  })
  .meta({ id: "ContractTerm" });

export const listContractTerms = route({
  operationId: "listContractTerms",
  method: "GET",
  path: "/v1/admin/contract_terms",
  summary: "List contract terms",
  description:
    "Newest month first. Statements alone apply discounts. Limits and reports stay at list price.",
  action: "contract_terms:read",
  audited: null,
  response: z.object({ data: z.array(contractTerm) }),
});

export const createContractTerm = route({
  operationId: "createContractTerm",
  method: "POST",
  path: "/v1/admin/contract_terms",
  summary: "Create a contract term",
  description:
    "Applies from `from_month` until a later term of the same family. The term of the longest matching family decides, and " +
    "adjustments have the terms of every model. A month that is closed cannot be changed.",
  action: "contract_terms:write",
  audited: "contract_term.created",
  body: z.strictObject({
    from_month: month,
    model_family: modelFamily.default(null),
    discount_percent: discountPercent,
  }),
  response: contractTerm,
});

export const deleteContractTerm = route({
  operationId: "deleteContractTerm",
  method: "DELETE",
  path: "/v1/admin/contract_terms/{contract_term_id}",
  summary: "Delete a contract term",
  description: "Only before a closed month has applied it.",
  action: "contract_terms:write",
  audited: "contract_term.deleted",
  params: z.strictObject({ contract_term_id: contractTermId }),
  response: z.object({ id: contractTermId, type: z.literal("contract_term_deleted") }),
});

export const statementRoutes = [
  listStatements,
  getStatement,
  listStatementRows,
  exportStatement,
  getStatementSettings,
  updateStatementSettings,
  listContractTerms,
  createContractTerm,
  deleteContractTerm,
] as const;

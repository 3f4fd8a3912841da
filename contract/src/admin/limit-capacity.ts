import { z } from "zod";
import { count, timestamp, usdText } from "../fields.ts";
import { spendLimitId } from "../ids.ts";
import { route } from "../route.ts";

const couldStart = count.nullable().meta({
  description:
    "Further requests that could start now, at least. Budget that nodes hold in advance is not counted. Null: the limit holds nothing before a request.",
});

const modelCapacity = z.object({
  model: z.string(),
  requests: count.meta({ description: "Requests that were read." }),
  usual_cost_usd: usdText.meta({
    description: "Usual cost of a request: the 90th percentile of those that were read.",
  }),
  in_steps: z
    .object({
      first_hold_usd: usdText.meta({
        description: "Hold of a usual prompt and the first step of its output.",
      }),
      start_usd: usdText.meta({
        description:
          "Budget that a stream needs to start: the larger one of its first hold and the usual hold, which is at most twice the cost. The first hold if less than the usual hold is left.",
      }),
      could_start: couldStart,
    })
    .nullable()
    .meta({
      description:
        "A usual stream, held in steps. Null: the limit holds streams whole, or the speed of the model is not known.",
    }),
  whole: z
    .object({
      hold_usd: usdText.meta({
        description:
          "Usual hold of a request that is held whole: the 90th percentile, or the worst case with the maximum output of the model.",
      }),
      could_start: couldStart,
    })
    .meta({ description: "A usual request that is held whole." }),
});

export const spendLimitCapacity = z
  .object({
    type: z.literal("spend_limit_capacity"),
    spend_limit_id: spendLimitId,
    remaining_usd: usdText.meta({
      description: "Limit less spent, held and unresolved amounts, never below 0.00.",
    }),
    since: timestamp.meta({ description: "Start of the day whose requests were read." }),
    models: z.array(modelCapacity).meta({
      description:
        "Models of the newest 5,000 answered requests of the last 24 hours, the most used first, at most 10. Empty: there were none.",
    }),
  })
  .meta({ id: "SpendLimitCapacity" });

export const getSpendLimitCapacity = route({
  operationId: "getSpendLimitCapacity",
  method: "GET",
  path: "/v1/admin/spend_limits/{spend_limit_id}/capacity",
  summary: "Get how many requests a spend limit could start now",
  description:
    "Divides the remaining amount by the budget that a usual request of each model needs. Requests must fit in the other limits of their key too: see `/v1/admin/spend_limits/effective`.",
  action: "spend_limits:read",
  audited: null,
  params: z.strictObject({ spend_limit_id: spendLimitId }),
  response: spendLimitCapacity,
});

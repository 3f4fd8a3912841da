import { z } from "zod";
import { timestamp, usdText } from "../fields.ts";

// State and amounts of a spend limit in its current period.

/** Whether all nodes enforce the limit yet. */
export const activation = {
  state: z.enum(["active", "activating"]).meta({
    description:
      "`activating`: a node does not enforce the new or lowered strict limit yet. Usually takes less than a second.",
  }),
  activating_since: timestamp.nullable(),
};

/** Amounts of the current period. The remaining amount is neither spent, held nor unresolved. */
export const amounts = {
  spent_usd: usdText,
  held_usd: usdText.meta({
    description: "Budget that nodes hold, for running requests and in advance, in US dollars.",
  }),
  unresolved_usd: usdText.meta({
    description:
      "Possible cost of requests with an unknown outcome, in US dollars. See `/v1/admin/unresolved_spend`.",
  }),
  overrun_usd: usdText.meta({
    description:
      "Spend of this period that settled beyond the strict limit at that time, in US dollars. Part of `spent_usd`. A raised limit does not change it.",
  }),
  beyond_holds_usd: usdText.meta({
    description: "Spend by which requests exceeded their holds.",
  }),
};
export const remaining = usdText.meta({ description: "Never below 0.00." });
export const blocksNow = z.boolean().meta({
  description:
    "True: the limit is used up and refuses requests until the period ends. A strict limit with less than $0.0001 left after spent and unresolved amounts counts as used up. Always false under `alert_only`.",
});

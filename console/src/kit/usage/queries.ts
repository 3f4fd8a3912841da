import type { Answer } from "../../api-client.ts";

type UsageAnswer = Answer<"getUsage">;
export type UsageRow = UsageAnswer["data"][number];
export type UsageTotals = UsageAnswer["totals"];

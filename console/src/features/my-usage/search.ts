import { makeSearchReader, oneOf } from "../../search-fields.ts";

export const periods = ["daily", "weekly", "monthly"] as const;
export type Period = (typeof periods)[number];

/** Reads the address of the page: the period of the sums. Absent: the month. */
export const readMyUsageSearch = makeSearchReader({ period: oneOf(periods) });
export type MyUsageSearch = ReturnType<typeof readMyUsageSearch>;

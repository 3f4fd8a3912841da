import type { ItemOf } from "../../queries.ts";

/** The whole company, a workspace or a key. */
export type Scope = ItemOf<"listSpendLimits">["scope"];

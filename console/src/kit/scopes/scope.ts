import type { ItemOf } from "../../queries.ts";

/** The organization, a workspace or a key. */
export type Scope = ItemOf<"listSpendLimits">["scope"];

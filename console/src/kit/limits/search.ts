import { makeSearchReader, matching } from "../../search-fields.ts";

/** Reads the address of the limits page. `key` is the key whose limits are explained. */
export const readLimitsSearch = makeSearchReader({ key: matching(/^[!-~]{1,100}$/) });
export type LimitsSearch = ReturnType<typeof readLimitsSearch>;

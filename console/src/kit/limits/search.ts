import { makeSearchReader, matching, text } from "../../search-fields.ts";

const MAX_LENGTH = 100;

/** Reads the address of the limits page. */
export const readLimitsSearch = makeSearchReader({
  /** Key whose limits are explained. */
  key: matching(/^[!-~]{1,100}$/),
  /** Part of the name of a scope. */
  find: text(MAX_LENGTH),
  /** Kind of scope. */
  scope: matching(/^[a-z_]{1,20}$/),
  /** State of the limit, such as `near`. */
  state: matching(/^[a-z_]{1,20}$/),
});
export type LimitsSearch = ReturnType<typeof readLimitsSearch>;

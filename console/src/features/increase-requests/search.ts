import { makeSearchReader, oneOf, text } from "../../search-fields.ts";

const views = ["pending", "all"] as const;
export type RequestView = (typeof views)[number];

/** Reads the address of the request list. */
export const readIncreaseRequestsSearch = makeSearchReader({ show: oneOf(views) });
export type IncreaseRequestsSearch = ReturnType<typeof readIncreaseRequestsSearch>;

const MAX_LENGTH = 100;

/** Reads the limit for a new increase request from the link in a refusal. */
export const readNewIncreaseRequestSearch = makeSearchReader({
  scope: oneOf(["organization", "workspace", "api_key", "member", "group", "tag"] as const),
  id: text(MAX_LENGTH),
  period: oneOf(["daily", "weekly", "monthly"] as const),
});
export type NewIncreaseRequestSearch = ReturnType<typeof readNewIncreaseRequestSearch>;

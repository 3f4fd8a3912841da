import { viewFields } from "../../kit/tables/view-fields.ts";
import { makeSearchReader, matching, oneOf, type SearchOf, text } from "../../search-fields.ts";

const MAX_SEARCH_LENGTH = 100;
export const laptopStates = ["active", "ended"] as const;

const fields = { find: text(MAX_SEARCH_LENGTH), status: oneOf(laptopStates), ...viewFields };

export const readLaptopsSearch = makeSearchReader(fields);
export type LaptopsSearch = SearchOf<typeof fields>;

const claimedId = matching(/^[!-~]{1,64}$/);
const sessionFields = {
  find: claimedId,
  /** Agent session that is open, and its owner. */
  open: claimedId,
  member: matching(/^user_\w{1,96}$/),
  key: matching(/^apikey_\w{1,96}$/),
  ...viewFields,
};

export const readAgentSessionsSearch = makeSearchReader(sessionFields);
export type AgentSessionsSearch = SearchOf<typeof sessionFields>;

import { viewFields } from "../../kit/tables/view-fields.ts";
import { makeSearchReader, text } from "../../search-fields.ts";

const MAX_LENGTH = 100;

/** Reads the address of the team. `find` is a part of a name or an e-mail address. */
export const readMembersSearch = makeSearchReader({ find: text(MAX_LENGTH), ...viewFields });
export type MembersSearch = ReturnType<typeof readMembersSearch>;

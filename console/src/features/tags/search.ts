import { makeSearchReader, matching } from "../../search-fields.ts";

/** Reads the address of the tags. `name`: the tag whose values are shown. */
export const readTagsSearch = makeSearchReader({ name: matching(/^[^,:=]{1,64}$/) });
export type TagsSearch = ReturnType<typeof readTagsSearch>;

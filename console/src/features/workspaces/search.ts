import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import { viewFields } from "../../kit/tables/view-fields.ts";
import { makeSearchReader, matching, oneOf, type SearchOf } from "../../search-fields.ts";

/** Groups of statuses that the list of batches can show alone. */
export const batchGroups = ["running", "ended", "failed"] as const;
export type BatchGroup = (typeof batchGroups)[number];

const batchFields = {
  show: oneOf(batchGroups),
  /** Message batch that is open. */
  open: matching(/^req_\w{1,96}$/),
  ...viewFields,
};
export const readBatchesSearch = makeSearchReader(batchFields);
export type BatchesSearch = SearchOf<typeof batchFields>;

export const objectKinds = [
  "file",
  "skill",
  "container",
  "thread",
] as const satisfies readonly StoredObjectKind[];

const objectFields = { kind: oneOf(objectKinds), ...viewFields };
export const readObjectsSearch = makeSearchReader(objectFields);
export type ObjectsSearch = SearchOf<typeof objectFields>;

import { messageBatchStatuses } from "@bursar/contract/admin/message-batches.ts";
import { expect, test } from "vitest";
import { listStatuses } from "./batch-words.ts";
import { batchGroups } from "./search.ts";

test("each status is in one group, and the list shows all without a group", () => {
  const grouped = batchGroups.flatMap((group) => listStatuses(group) ?? []);
  expect(grouped.toSorted()).toEqual([...messageBatchStatuses].toSorted());
  expect(listStatuses(undefined)).toBeUndefined();
});

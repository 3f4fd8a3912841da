import { listAlertDeliveries } from "@bursar/contract/admin/alert-channels.ts";
import { listOfficialUsers } from "@bursar/contract/admin/members.ts";
import { expect, test } from "vitest";
import { type PageRequest, toPage } from "./page-position.ts";
import { pagedList } from "./paged-list.ts";

const row = { id: "newest", createdAtMs: 7 };
const readPage = async (request: PageRequest) =>
  toPage([row, { id: "older", createdAtMs: 5 }], request, (row) => row);
const toWire = () => {
  throw new Error("the page is not shown");
};

const list = pagedList(
  listAlertDeliveries,
  async (_call: null, _input, request) => ({ ...(await readPage(request)), rows: [] }),
  toWire,
);
const ask = (page?: string, channel = "chan_1", statuses?: "sent"[]) =>
  list(null, {
    params: { alert_channel_id: channel },
    query: { limit: 1, page, statuses },
    body: undefined,
  });

test("continues a cursor of the same path and filters", async () => {
  const { next_page } = await ask();
  expect((await ask(next_page ?? "")).next_page).toBe(next_page);
});

test.for([
  ["path", "chan_2", undefined],
  ["filter", "chan_1", ["sent" as const]],
] as const)("refuses a cursor of another %s", async ([_, channel, statuses]) => {
  const { next_page } = await ask();
  await expect(ask(next_page ?? "", channel, statuses && [...statuses])).rejects.toThrow(
    "page: cursor does not match current query parameters",
  );
});

test("names the first and the last row of a page by ids", async () => {
  const byIds = pagedList(
    listOfficialUsers,
    async (_call: null) => ({
      ...(await readPage({ limit: 2, direction: "older", from: null })),
      rows: [],
    }),
    toWire,
  );
  const page = await byIds(null, { params: undefined, query: { limit: 2 }, body: undefined });
  expect(page).toMatchObject({ has_more: false, first_id: "newest", last_id: "older" });
});

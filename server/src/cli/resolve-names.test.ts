import { expect, test } from "vitest";
import type { RouteInput } from "./command-input.ts";
import { type ListAll, resolveNames } from "./resolve-names.ts";

const lists: Record<string, { id: string; name: string }[]> = {
  "/v1/admin/upstreams": [
    { id: "ups_1", name: "Main" },
    { id: "ups_2", name: "Reserve" },
    { id: "ups_3", name: "Twice" },
    { id: "ups_4", name: "twice " },
  ],
  "/v1/admin/workspaces?include_archived=true": [{ id: "wksp_1", name: "Research" }],
};
const listAll: ListAll = (target) => Promise.resolve(lists[target] ?? []);
const none: RouteInput = { params: {}, query: {}, body: undefined };
const resolve = (input: Partial<RouteInput>) => resolveNames({ ...none, ...input }, listAll);

test("names of upstreams become ids, and ids stay", async () => {
  const params = { workspace_id: "research", upstream_id: "main" };
  const body = { upstream_ids: ["Reserve", "ups_9", "Main"] };
  expect(await resolve({ params, body })).toMatchObject({
    params: { workspace_id: "wksp_1", upstream_id: "ups_1" },
    body: { upstream_ids: ["ups_2", "ups_9", "ups_1"] },
  });
});

test("a name without an upstream, or with two, is refused", async () => {
  const named = (upstream_id: string) => resolve({ params: { upstream_id } });
  await expect(named("Other")).rejects.toThrow("Upstream not found: Other");
  await expect(named("Twice")).rejects.toThrow("Use one of the ids ups_3, ups_4.");
});

test("the workspace of a provider stays as it is", async () => {
  const body = { upstream_workspace_id: "wrkspc_01AbCd" };
  expect(await resolve({ body })).toMatchObject({ body });
});

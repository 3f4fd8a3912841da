import type { neutralFeature } from "@bursar/contract/admin/neutral-features.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const FEATURES = "/v1/admin/neutral_features";
type Feature = z.output<typeof neutralFeature>;

const later = {
  kind: "field",
  name: "later",
  effect: "labels the request",
  source: "https://platform.claude.com/docs/en/api/messages",
};

test("lists own rows before the shipped ones, each with its source", async ({ h, org }) => {
  const set = await org.admin.post<Feature>(FEATURES, later);
  const today = new Date(h.clock.nowMs).toISOString();
  expect(set.body).toEqual({
    type: "neutral_feature",
    id: expect.stringMatching(/^feature_[0-9A-Za-z]{24}$/),
    ...later,
    since: today.slice(0, 10),
    is_in_prompt: true,
    origin: "organization",
    updated_at: today,
  });
  const { data } = (await org.admin.get<Listed<Feature>>(`${FEATURES}?limit=1000`)).body;
  expect(data[0]).toEqual(set.body);
  const shipped = data.slice(1);
  expect(shipped.length).toBeGreaterThan(30);
  for (const row of shipped) {
    expect(row).toMatchObject({ id: null, origin: "shipped", updated_at: null });
    expect(row.since).toMatch(/^2026-\d\d-\d\d$/);
    expect(row.source).not.toBe("");
  }
  expect(shipped.find(({ name }) => name === "bash_*")?.kind).toBe("tool");
});

test("pages list every row once, and the kind filters", async ({ org }) => {
  await org.admin.post(FEATURES, later);
  const all = (await org.admin.get<Listed<Feature>>(`${FEATURES}?limit=1000`)).body.data;
  const seen: string[] = [];
  let page = "";
  do {
    const { body } = await org.admin.get<Listed<Feature>>(`${FEATURES}?limit=7&page=${page}`);
    seen.push(...body.data.map(({ name }) => name));
    page = body.next_page ?? "";
  } while (page !== "");
  expect(seen).toEqual(all.map(({ name }) => name));
  const edits = (await org.admin.get<Listed<Feature>>(`${FEATURES}?kind=edit`)).body.data;
  expect(edits.map(({ name }) => name)).toEqual(["clear_thinking_*", "clear_tool_uses_*"]);
});

test("a set replaces the row of its kind and name, and the log has both states", async ({
  h,
  org,
}) => {
  const first = await org.admin.post<Feature>(FEATURES, later);
  const second = await org.admin.post<Feature>(FEATURES, { ...later, is_in_prompt: false });
  expect(second.body.id).toBe(first.body.id);
  const id = first.body.id ?? "";
  const gone = await org.admin.send({ method: "DELETE", url: `${FEATURES}/${id}` });
  expect(gone.body).toEqual({ id, type: "neutral_feature_deleted" });
  expect(await auditEventsOf(h.deps.database, id)).toMatchObject([
    { event: "neutral_feature.set", before: null, after: { ...later, is_in_prompt: true } },
    {
      event: "neutral_feature.set",
      before: { is_in_prompt: true },
      after: { is_in_prompt: false },
    },
    { event: "neutral_feature.deleted", before: later, after: null },
  ]);
  const again = await org.admin.send({ method: "DELETE", url: `${FEATURES}/${id}` });
  expect(again.status).toBe(404);
});

describe("a row is refused", () => {
  test.for([
    [{ name: "temperature" }, "this release already lists the field temperature"],
    [{ name: "fallbacks" }, "this release reads the field fallbacks"],
    [{ name: "fallbacks.model" }, "this release reads the field fallbacks.model"],
    [{ kind: "tool", name: "advisor_*" }, "this release reads the tool advisor_*"],
    [{ kind: "tool", name: "web_search_20300101" }, "this release reads the tool"],
    [{ kind: "block", name: "compaction" }, "this release reads the block"],
    [{ kind: "edit", name: "compact_*" }, "this release reads the edit"],
    [{ name: "*" }, "name: expected letters"],
    [{ name: "a b" }, "name: expected letters"],
    [{ kind: "model" }, "kind: expected one of"],
    [{ effect: "" }, "effect: "],
  ] as const)("with %j", async ([fields, message], { org }) => {
    const answer = await org.admin.post(FEATURES, { ...later, ...fields });
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
  });
});

test("keys of a workspace can read rows but cannot set them, and others' rows are hidden", async ({
  h,
  org,
}) => {
  const made = await org.admin.post<Feature>(FEATURES, later);
  const { id } = await org.admin.createWorkspace();
  const reader = await org.admin.createApiKey(id, { permissions: ["read"] });
  const admin = await org.admin.createApiKey(id, { permissions: ["admin"] });
  expect((await h.as(reader.key).get(FEATURES)).status).toBe(200);
  expect((await h.as(admin.key).post(FEATURES, later)).status).toBe(403);
  const other = await h.organization();
  const theirs = (await other.admin.get<Listed<Feature>>(FEATURES)).body.data;
  expect(theirs.every(({ origin }) => origin === "shipped")).toBe(true);
  const foreign = { method: "DELETE", url: `${FEATURES}/${made.body.id}` } as const;
  expect((await other.admin.send(foreign)).status).toBe(404);
});

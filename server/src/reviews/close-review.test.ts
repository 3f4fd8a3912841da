import { describe, expect } from "vitest";
import {
  type Item,
  makeReviews,
  REVIEWS,
  type Review,
  type Reviews,
} from "#test/harness/access-reviews.ts";
import type { TestMember } from "#test/harness/admin.ts";
import { test } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";

let workspaceId: string;
let admin: TestMember;
let r: Reviews;
test.beforeEach(async ({ h, org }) => {
  r = await makeReviews(h, org);
  ({ workspaceId, admin } = r);
});

describe("count of items that closing would remove", () => {
  test.for([
    ["keep", 1],
    ["remove", 3],
    ["as_recommended", 2],
  ] as const)("is reported for the default %s", async ([if_no_answer, toRemove], { org }) => {
    const [idle, unsure, gone] = [
      await r.createMember(),
      await r.createMember(),
      await r.createMember(),
    ];
    await r.setLastUse([idle.id], { grantedDaysAgo: 60, usedDaysAgo: 45 });
    const owner = await org.member({ role: "owner" });
    const review = await r.create({
      if_no_answer,
      scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
    });
    const items = await r.listItems(review);
    const of = (id: string) => items.find(({ member }) => member?.id === id) as Item;
    await r.decideOne(admin.client, review, of(unsure.id), "not_sure");
    await r.decideOne(admin.client, review, of(gone.id), "remove");
    expect((await r.reread(review)).progress.to_remove).toBe(toRemove);
    const closed = await r.close(review);
    expect(closed.body.progress).toMatchObject({ removed: toRemove, to_remove: toRemove });
    // An undecided Owner stays and is not counted.
    const people = await r.create({ if_no_answer, scope: { paths: ["organization_role"] } });
    const owners = (await r.listItems(people)).filter(({ role }) => role === "owner");
    expect(owners.map(({ member }) => member?.id)).toEqual([owner.id]);
    if (if_no_answer === "remove") {
      expect(people.progress.to_remove).toBe(people.progress.items - 1);
    }
  });
});

describe("closing", () => {
  test("applies each decision with its event, ends sessions and stops keys", async ({ h, org }) => {
    const gone = await r.createMember();
    const kept = await r.createMember();
    const ownKey = await org.admin.createApiKey(workspaceId, { owner_member_id: gone.id });
    const key = await org.admin.createApiKey(workspaceId, { name: "old" });
    const adminKey = await org.admin.createAdminKey();
    const review = await r.create({
      scope: { paths: ["organization_role", "workspace_role", "workspace_key", "admin_key"] },
    });
    const items = await r.listItems(review);
    const wanted = (item: Item) =>
      (item.path === "organization_role" && item.member?.id === gone.id) ||
      (item.path === "workspace_role" && item.member?.id === kept.id) ||
      item.key?.id === key.id ||
      item.key?.id === adminKey.id;
    const decisions = items
      .filter(wanted)
      .map(({ id }) => ({ item_id: id, decision: "remove", reason: "gone" }));
    expect(decisions.length).toBe(4);
    await r.decide(admin.client, review, { decisions });
    expect((await r.reread(review)).progress.to_remove).toBe(4);
    const events = await watchEvents(h.deps.database, org.id);
    const closed = await r.close(review, admin.client);
    expect([closed.status, closed.body.status]).toEqual([200, "closed"]);
    expect(closed.body.progress).toMatchObject({
      removed: 4,
      kept: items.length - 4,
      not_applied: 0,
    });
    expect(closed.body.ended_by).toEqual({ type: "user", id: admin.id });
    const happened = await events();
    expect(happened.map(({ event }) => event).sort()).toEqual([
      "access_review.closed",
      "admin_key.revoked",
      "api_key.updated",
      "member.deactivated",
      "workspace_member.removed",
    ]);
    for (const { event, actor_type, actor_id, after } of happened) {
      expect([actor_type, actor_id]).toEqual(["member", admin.id]);
      if (event === "access_review.closed") continue;
      expect(after).toMatchObject({
        access_review: { id: review.id, decided_by: admin.id, reason: "gone", if_no_answer: null },
      });
    }
    expect((await gone.client.get("/v1/admin/session")).status).toBe(401);
    expect((await kept.client.get(`/v1/admin/workspaces/${workspaceId}`)).status).toBe(404);
    expect((await h.as(adminKey.key).get("/v1/organizations/me")).status).toBe(401);
    const status = async (id: string) =>
      (await org.admin.get<{ status: string }>(`/v1/admin/api_keys/${id}`)).body.status;
    expect([await status(key.id), await status(ownKey.id)]).toEqual(["archived", "inactive"]);
  });

  test("changes nothing the second time, and allows no further decisions", async ({ h, org }) => {
    await r.createMember();
    const review = await r.create({ if_no_answer: "remove" });
    const first = await r.close(review);
    const events = await watchEvents(h.deps.database, org.id);
    expect((await r.close(review)).body).toEqual(first.body);
    expect(await events()).toEqual([]);
    const [item] = (await r.listItems(review)) as [Item];
    const refused = await r.decideOne(admin.client, review, item, "keep");
    expect([refused.status, refused.error.type]).toEqual([409, "conflict_error"]);
    expect((await org.admin.post(`${REVIEWS}/${review.id}`, { name: "New" })).status).toBe(409);
    expect((await org.admin.post(`${REVIEWS}/${review.id}/cancel`)).status).toBe(409);
  });

  test.each([
    ["keep", "kept", "kept"],
    ["remove", "removed", "removed"],
    ["as_recommended", "removed", "kept"],
  ])(
    "applies the default %s to undecided and unsure items",
    async (ifNoAnswer, idleResult, busyResult) => {
      const [idle, busy] = [await r.createMember(), await r.createMember()];
      await r.setLastUse([idle.id], { grantedDaysAgo: 40, usedDaysAgo: null });
      const review = await r.create({ if_no_answer: ifNoAnswer });
      const items = await r.listItems(review);
      const of = (id: string) => items.find(({ member }) => member?.id === id) as Item;
      await r.decideOne(admin.client, review, of(idle.id), "not_sure");
      await r.close(review);
      const results = Object.fromEntries(
        (await r.listItems(review)).map(({ member, result }) => [member?.id, result]),
      );
      expect(results).toEqual({ [idle.id]: idleResult, [busy.id]: busyResult });
    },
  );

  test("never removes the last Owner, an undecided Owner, or access that has changed", async ({
    h,
    org,
  }) => {
    const owner = await org.member({ role: "owner" });
    const second = await org.member({ role: "owner" });
    const developer = await r.createMember();
    const review = await r.create({
      scope: { paths: ["organization_role", "workspace_role"] },
      reviewer_ids: [owner.id, second.id],
      if_no_answer: "remove",
    });
    const items = await r.listItems(review);
    const ownerItem = items.find(({ member }) => member?.id === owner.id) as Item;
    await r.decideOne(second.client, review, ownerItem, "remove");
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}/members/${developer.id}`, {
      workspace_role: "workspace_user",
    });
    // The other Owner is demoted meanwhile.
    await h.deps.database
      .updateTable("member")
      .set({ role: "admin" })
      .where("id", "=", second.id)
      .execute();
    for (const { id } of [admin, developer]) {
      const item = items.find(
        ({ path, member }) => path === "organization_role" && member?.id === id,
      ) as Item;
      await r.decideOne(owner.client, review, item, "keep");
    }
    await r.close(review);
    const results = (await r.listItems(review)).map(({ path, member, result, result_message }) => [
      path,
      member?.id,
      result,
      result_message,
    ]);
    expect(results).toContainEqual([
      "organization_role",
      owner.id,
      "not_applied",
      "Could not be applied: this is the last active Owner of the organization. Make another member an Owner first.",
    ]);
    expect(results).toContainEqual([
      "organization_role",
      second.id,
      "not_applied",
      "Could not be applied: the role was Owner when it was reviewed and is Admin now. Review it again.",
    ]);
    expect(results.find(([path]) => path === "workspace_role")).toEqual([
      "workspace_role",
      developer.id,
      "not_applied",
      "Could not be applied: the role was Workspace Developer when it was reviewed and is Workspace User now. Review it again.",
    ]);
    expect((await owner.client.get("/v1/admin/session")).status).toBe(200);
  });

  test("keeps an undecided Owner", async ({ org }) => {
    const owner = await org.member({ role: "owner" });
    await org.member({ role: "owner" });
    const review = await r.create({
      scope: { paths: ["organization_role"] },
      reviewer_ids: [admin.id],
      if_no_answer: "remove",
    });
    await r.close(review);
    const item = (await r.listItems(review)).find(({ member }) => member?.id === owner.id);
    expect([item?.result, item?.result_message]).toEqual([
      "not_applied",
      "Could not be applied: an Owner is only removed by a decision, and this one has none.",
    ]);
  });

  test("reports access that had already ended", async ({ h, org }) => {
    const developer = await r.createMember();
    const key = await org.admin.createApiKey(workspaceId);
    const review = await r.create({
      scope: { paths: ["workspace_role", "workspace_key"] },
      if_no_answer: "remove",
    });
    await org.admin.remove(`/v1/admin/workspaces/${workspaceId}/members/${developer.id}`);
    await org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "archived" });
    const events = await watchEvents(h.deps.database, org.id);
    const closed = await r.close(review);
    expect(closed.body.progress).toMatchObject({ already_gone: 2, removed: 0 });
    expect((await events()).map(({ event }) => event)).toEqual(["access_review.closed"]);
  });

  test("removes no role of a group, and names the group that must change", async ({ org }) => {
    const people = [await r.createMember(), await r.createMember()];
    const groups = "/v1/admin/groups";
    const group = (await org.admin.post<{ id: string }>(groups, { name: "Search team" })).body.id;
    const role = { workspace_role: "workspace_developer" };
    await org.admin.post(`${groups}/${group}/workspaces/${workspaceId}`, role);
    for (const { id } of people) {
      await org.admin.post(`${groups}/${group}/members`, { member_id: id });
    }
    const scope = { paths: ["group_role"], workspace_ids: [workspaceId] };
    const review = await r.create({ scope });
    const items = await r.listItems(review);
    expect(items.map((item) => item.group)).toEqual([
      { id: group, name: "Search team" },
      { id: group, name: "Search team" },
    ]);
    for (const item of items) await r.decideOne(admin.client, review, item, "remove");
    expect((await r.reread(review)).progress).toMatchObject({ remove: 2, to_remove: 0 });
    await org.admin.remove(`${groups}/${group}/members/${people[0]?.id}`);
    const closed = await r.close(review);
    expect(closed.body.progress).toMatchObject({ already_gone: 1, not_applied: 1, removed: 0 });
    const results = await r.listItems(review);
    expect(results.find(({ result }) => result === "not_applied")?.result_message).toBe(
      "Could not be applied: the role comes from the group Search team. Remove the member from the group, or change the role of the group in the workspace.",
    );
  });

  test("applies every decision made before it and none made after it", async () => {
    for (let i = 0; i < 8; i++) await r.createMember();
    const review = await r.create();
    const items = await r.listItems(review);
    const answers = await Promise.all([
      ...items.slice(0, 4).map((item) => r.decideOne(admin.client, review, item, "remove")),
      r.close(review),
      ...items.slice(4).map((item) => r.decideOne(admin.client, review, item, "remove")),
    ]);
    expect(answers[4]?.status).toBe(200);
    const decided = new Map(
      [...answers.slice(0, 4), ...answers.slice(5)].map((answer, index) => [
        items[index]?.id,
        answer.status,
      ]),
    );
    expect([...decided.values()].every((status) => status === 200 || status === 409)).toBe(true);
    for (const item of await r.listItems(review)) {
      const inTime = decided.get(item.id) === 200;
      expect([item.id, item.decision, item.result]).toEqual([
        item.id,
        inTime ? "remove" : null,
        inTime ? "removed" : "kept",
      ]);
    }
  });

  test("applies each item once for concurrent calls", async ({ h, org }) => {
    for (let i = 0; i < 6; i++) await r.createMember();
    const review = await r.create({ if_no_answer: "remove" });
    const events = await watchEvents(h.deps.database, org.id);
    const answers = await Promise.all(Array.from({ length: 4 }, () => r.close(review)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await r.reread(review)).toMatchObject({ status: "closed", progress: { removed: 6 } });
    const happened = (await events()).map(({ event }) => event);
    expect(happened.sort()).toEqual([
      "access_review.closed",
      ...Array(6).fill("workspace_member.removed"),
    ]);
  });

  test("keeps one of two Owners who are both to be removed", async ({ h, org }) => {
    const [one, two] = [await org.member({ role: "owner" }), await org.member({ role: "owner" })];
    const scope = { scope: { paths: ["organization_role"] }, reviewer_ids: [one.id, two.id] };
    const [first, second] = [await r.create(scope), await r.create(scope)];
    for (const [review, by, about] of [
      [first, one, two],
      [second, two, one],
    ] as const) {
      const item = (await r.listItems(review)).find(
        ({ member }) => member?.id === about.id,
      ) as Item;
      await r.decideOne(by.client, review, item, "remove");
    }
    await Promise.all([r.close(first), r.close(second)]);
    const owners = await h.deps.database
      .selectFrom("member")
      .select("status")
      .where("organization_id", "=", org.id)
      .where("role", "=", "owner")
      .execute();
    expect(owners.map(({ status }) => status).sort()).toEqual(["active", "deactivated"]);
  });
});

describe("cancelling", () => {
  test("applies nothing", async ({ org }) => {
    const developer = await r.createMember();
    const review = await r.create({ if_no_answer: "remove", recurrence: "monthly" });
    const cancelled = await org.admin.post<Review>(`${REVIEWS}/${review.id}/cancel`);
    expect(cancelled.body).toMatchObject({ status: "cancelled", next_begins_at: null });
    expect((await r.close(review)).status).toBe(409);
    expect((await developer.client.get(`/v1/admin/workspaces/${workspaceId}`)).status).toBe(200);
    expect((await org.admin.post(`${REVIEWS}/${review.id}/cancel`)).status).toBe(200);
  });
});

import type {
  accessReview,
  accessReviewItem,
  decideAccessReviewItems,
  listAssignedAccessReviewItems,
  previewAccessReview,
} from "@bursar/contract/admin/access-reviews.ts";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import {
  type AdminHarness,
  type Client,
  type Listed,
  startAdmin,
  type TestMember,
  type TestOrganization,
} from "#test/harness/admin.ts";
import { auditEventsOf, watchEvents } from "#test/harness/audit-events.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";

type Review = z.output<typeof accessReview>;
type Item = z.output<typeof accessReviewItem>;
type AssignedItem = z.output<(typeof listAssignedAccessReviewItems)["response"]>["data"][number];
type Decided = z.output<(typeof decideAccessReviewItems)["response"]>;

const REVIEWS = "/v1/admin/access_reviews";
const DAY_MS = 86_400_000;

let h: AdminHarness;
let org: TestOrganization;
let workspaceId: string;
let admin: TestMember;

beforeAll(async () => {
  h = await startAdmin();
});
afterAll(async () => {
  await h.close();
});
beforeEach(async () => {
  org = await h.organization();
  ({ id: workspaceId } = await org.admin.createWorkspace());
  admin = await org.member({ role: "admin" });
});

const inDays = (days: number) => new Date(h.clock.nowMs + days * DAY_MS).toISOString();

async function create(fields: object = {}): Promise<Review> {
  const answer = await org.admin.post<Review>(REVIEWS, {
    name: "Autumn",
    scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
    reviewer_ids: [admin.id],
    due_at: inDays(14),
    ...fields,
  });
  expect([answer.status, answer.error.message]).toEqual([200, ""]);
  return answer.body;
}

const itemsOf = async (review: Review, query = "") =>
  (await org.admin.get<Listed<Item>>(`${REVIEWS}/${review.id}/items?limit=100${query}`)).body.data;
const reread = async (review: Review) =>
  (await org.admin.get<Review>(`${REVIEWS}/${review.id}`)).body;
const decide = (client: Client, review: Review, body: object) =>
  client.post<Decided>(`${REVIEWS}/${review.id}/decisions`, body);
const decideOne = (client: Client, review: Review, item: Item, decision: string, more = {}) =>
  decide(client, review, { decisions: [{ item_id: item.id, decision }], ...more });
const close = (review: Review, client: Client = org.admin) =>
  client.post<Review>(`${REVIEWS}/${review.id}/close`);

const inWorkspace = (role = "workspace_developer") =>
  org.member({ role: "user", workspaces: { [workspaceId]: role as "workspace_developer" } });

/** When the people were given their roles in the workspace, and were last at the console. */
async function setUse(
  memberIds: string[],
  of: { givenDaysAgo: number; usedDaysAgo: number | null },
): Promise<void> {
  const at = (days: number) => new Date(h.clock.nowMs - days * DAY_MS);
  const usedAt = of.usedDaysAgo === null ? null : at(of.usedDaysAgo);
  await sql`UPDATE workspace_member SET created_at = ${at(of.givenDaysAgo)} WHERE member_id = ANY(${memberIds})`.execute(
    h.deps.database,
  );
  await sql`UPDATE member SET last_active_at = ${usedAt} WHERE id = ANY(${memberIds})`.execute(
    h.deps.database,
  );
}

describe("starting a review", () => {
  test("takes down what is in the scope as it is, and nothing else", async () => {
    const developer = await inWorkspace();
    const elsewhere = await org.admin.createWorkspace();
    await org.member({ workspaces: { [elsewhere.id]: "workspace_user" } });
    const key = await org.admin.createApiKey(workspaceId, { name: "build" });
    await org.admin.createApiKey(elsewhere.id);
    const archived = await org.admin.createApiKey(workspaceId);
    await org.admin.post(`/v1/admin/api_keys/${archived.id}`, { status: "archived" });
    const paths = ["workspace_role", "workspace_key", "member_key"];
    const review = await create({ scope: { paths, workspace_ids: [workspaceId] } });
    expect(review).toMatchObject({
      type: "access_review",
      status: "open",
      is_overdue: false,
      if_no_answer: "keep",
      recurrence: "none",
      next_begins_at: null,
      reviewers: [{ id: admin.id, email: admin.email, can_decide: true }],
      progress: { items: 2, undecided: 2 },
    });
    const shown = (await itemsOf(review)).map((item) => [item.path, item.member?.id, item.key?.id]);
    expect(shown.sort()).toEqual(
      [
        ["workspace_key", undefined, key.id],
        ["workspace_role", developer.id, undefined],
      ].sort(),
    );
    // What comes later is not part of it.
    await inWorkspace();
    expect((await reread(review)).progress.items).toBe(2);
    const [event] = await auditEventsOf(h.deps.database, review.id);
    expect(event).toMatchObject({ event: "access_review.created", after: { items: 2 } });
  });

  test("recommends to remove what is idle, and says what is to be seen", async () => {
    const [idle, busy, fresh] = [
      await inWorkspace(),
      await inWorkspace(),
      await inWorkspace("workspace_admin"),
    ];
    await setUse([idle.id], { givenDaysAgo: 100, usedDaysAgo: null });
    await setUse([busy.id], { givenDaysAgo: 100, usedDaysAgo: 1 });
    await setUse([fresh.id], { givenDaysAgo: 0, usedDaysAgo: null });
    const found = Object.fromEntries(
      (await itemsOf(await create())).map((item) => [
        item.member?.id,
        [item.recommendation, ...item.signals],
      ]),
    );
    expect(found).toEqual({
      [idle.id]: ["remove", "never_used", "unused_90_days"],
      [busy.id]: ["keep"],
      [fresh.id]: ["keep", "never_used", "wide_permission"],
    });
  });

  test("refuses what could not be done", async () => {
    await inWorkspace();
    const user = await org.member();
    const other = await (await h.organization()).member({ role: "owner" });
    const body = {
      name: "No",
      scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
      reviewer_ids: [admin.id],
      due_at: inDays(14),
    };
    const refusals = [
      [{ reviewer_ids: [user.id] }, 400, `reviewer_ids: ${user.id} has no right`],
      [{ reviewer_ids: [other.id] }, 404, `Member not found: ${other.id}`],
      [{ reviewer_ids: [] }, 400, "reviewer_ids"],
      [{ due_at: inDays(-1) }, 400, "due_at: expected a time in the future"],
      [{ due_at: inDays(500) }, 400, "due_at"],
      [
        { scope: { paths: ["workspace_role"], workspace_ids: ["wksp_no"] } },
        404,
        "Workspace not found: wksp_no",
      ],
      [{ scope: { paths: ["member_key"] } }, 400, "nothing to review"],
      [{ scope: { paths: [] } }, 400, "scope.paths"],
    ] as const;
    for (const [fields, status, message] of refusals) {
      const answer = await org.admin.post(REVIEWS, { ...body, ...fields });
      expect([answer.status, answer.error.message]).toEqual([
        status,
        expect.stringContaining(message),
      ]);
    }
    expect((await org.admin.get<Listed<Review>>(REVIEWS)).body.data).toEqual([]);
  });

  test("asks each reviewer by mail, once", async () => {
    await inWorkspace();
    const second = await org.member({ role: "owner" });
    const review = await create();
    await org.admin.post(`${REVIEWS}/${review.id}`, { reviewer_ids: [admin.id, second.id] });
    await org.admin.post(`${REVIEWS}/${review.id}`, { name: "Renamed" });
    const { body } = await org.admin.get<Listed<{ to: string; subject: string }>>("/v1/admin/mail");
    expect(body.data.map(({ to }) => to).sort()).toEqual([admin.email, second.email].sort());
    expect(body.data[0]?.subject).toBe("You are asked to review access: Autumn");
  });
});

describe("deciding", () => {
  test("keeps decision, reason and who decided; it can be changed until the end", async () => {
    const developer = await inWorkspace();
    const review = await create();
    const [item] = (await itemsOf(review)) as [Item];
    const body = {
      decisions: [{ item_id: item.id, decision: "remove", reason: " left the team " }],
    };
    const answer = await decide(admin.client, review, body);
    expect(answer.body).toMatchObject({
      results: [{ item_id: item.id, outcome: "decided", message: null }],
      progress: { items: 1, undecided: 0, remove: 1 },
    });
    expect((await itemsOf(review))[0]).toMatchObject({
      member: { id: developer.id },
      decision: "remove",
      reason: "left the team",
      decided_by: { id: admin.id, email: admin.email },
      decided_at: new Date(h.clock.nowMs).toISOString(),
      is_self_review: false,
      result: null,
    });
    const again = await decide(admin.client, review, body);
    expect(again.body.results[0]?.outcome).toBe("unchanged");
    const changed = await decideOne(admin.client, review, item, "keep");
    expect(changed.body.results[0]?.outcome).toBe("decided");
    const events = await auditEventsOf(h.deps.database, review.id);
    expect(events.map(({ event, actor_id }) => [event, actor_id]).slice(1)).toEqual([
      ["access_review.decided", admin.id],
      ["access_review.decided", admin.id],
    ]);
  });

  test("of another reviewer is changed only on purpose", async () => {
    await inWorkspace();
    const second = await org.member({ role: "owner" });
    const review = await create({ reviewer_ids: [admin.id, second.id] });
    const [item] = (await itemsOf(review)) as [Item];
    await decideOne(admin.client, review, item, "keep");
    const outcome = async (decision: string, more = {}) =>
      (await decideOne(second.client, review, item, decision, more)).body.results[0]?.outcome;
    expect(await outcome("keep")).toBe("unchanged");
    expect(await outcome("remove")).toBe("already_decided");
    expect((await itemsOf(review))[0]?.decided_by?.id).toBe(admin.id);
    expect(await outcome("remove", { override: true })).toBe("decided");
    expect((await itemsOf(review))[0]).toMatchObject({
      decision: "remove",
      decided_by: { id: second.id },
    });
  });

  test("is for reviewers: to other people the review is not there, to administrators it is forbidden", async () => {
    const developer = await inWorkspace();
    const review = await create();
    const [item] = (await itemsOf(review)) as [Item];
    const outsider = await org.member({ role: "owner" });
    expect((await decideOne(developer.client, review, item, "keep")).status).toBe(404);
    expect((await decideOne(outsider.client, review, item, "keep")).status).toBe(403);
    expect((await decideOne(org.admin, review, item, "keep")).status).toBe(403);
    const other = await (await h.organization()).member({ role: "owner" });
    expect((await decideOne(other.client, review, item, "keep")).status).toBe(404);
    expect((await reread(review)).progress.undecided).toBe(1);
  });

  test("ends with the rights it rests on", async () => {
    await inWorkspace();
    const lead = await inWorkspace("workspace_admin");
    const review = await create({ reviewer_ids: [lead.id] });
    const [item] = (await itemsOf(review)).filter(({ member }) => member?.id !== lead.id) as [Item];
    expect((await decideOne(lead.client, review, item, "remove")).status).toBe(200);
    await setWorkspaceRole(h.deps.database, {
      workspaceId,
      memberId: lead.id,
      role: "workspace_developer",
    });
    const refused = await decideOne(lead.client, review, item, "keep");
    expect([refused.status, refused.error.type]).toEqual([403, "permission_error"]);
    expect((await reread(review)).reviewers).toMatchObject([{ id: lead.id, can_decide: false }]);
    // What was decided with the right stays.
    expect((await itemsOf(review, "&decisions=remove")).length).toBe(1);
  });

  test("is limited to what one may take away: no Admin decides about an Owner, no Workspace Admin about another workspace", async () => {
    const owner = await org.member({ role: "owner" });
    const elsewhere = await org.admin.createWorkspace();
    const lead = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const there = await org.member({ workspaces: { [elsewhere.id]: "workspace_user" } });
    const review = await create({
      scope: { paths: ["organization_role", "workspace_role"] },
      reviewer_ids: [admin.id, lead.id],
    });
    const items = await itemsOf(review);
    const of = (path: string, id: string) =>
      items.find((item) => item.path === path && item.member?.id === id) as Item;
    const outcome = async (client: Client, item: Item) =>
      (await decideOne(client, review, item, "remove")).body.results[0]?.outcome;
    expect(await outcome(admin.client, of("organization_role", owner.id))).toBe("not_allowed");
    expect(await outcome(lead.client, of("organization_role", admin.id))).toBe("not_allowed");
    expect(await outcome(lead.client, of("workspace_role", there.id))).toBe("not_allowed");
    expect(await outcome(admin.client, of("workspace_role", there.id))).toBe("decided");
    const assigned = async (client: Client) => {
      const url = `/v1/admin/assigned_access_review_items?limit=100&access_review_id=${review.id}`;
      return (await client.get<Listed<Item>>(url)).body.data.map(({ path, member }) => [
        path,
        member?.id,
      ]);
    };
    expect(await assigned(lead.client)).toEqual([["workspace_role", lead.id]]);
    expect((await assigned(admin.client)).length).toBe(items.length - 1);
    const listed = await lead.client.get<Listed<{ id: string; assigned: object }>>(
      "/v1/admin/assigned_access_reviews",
    );
    // The one that the lead could decide about is the lead's own, and the Admin is there.
    expect(listed.body.data).toMatchObject([
      { id: review.id, assigned: { items: 0, undecided: 0 } },
    ]);
    expect(
      (await there.client.get<Listed<object>>("/v1/admin/assigned_access_reviews")).body.data,
    ).toEqual([]);
  });

  test("about the own access is another reviewer's, and marked where there is none", async () => {
    const lead = await inWorkspace("workspace_admin");
    const [both, alone] = [
      await create({ reviewer_ids: [lead.id, admin.id] }),
      await create({ reviewer_ids: [lead.id] }),
    ];
    const [own] = (await itemsOf(both)) as [Item];
    const refused = await decideOne(lead.client, both, own, "keep");
    expect(refused.body.results).toEqual([
      {
        item_id: own.id,
        outcome: "needs_another_reviewer",
        message: "This is your own access: another reviewer decides about it.",
      },
    ]);
    const bulk = await decide(lead.client, both, { accept_recommendations: true });
    expect(bulk.body.results).toEqual([]);
    const asked = async () => {
      const { body } = await lead.client.get<Listed<AssignedItem>>(
        "/v1/admin/assigned_access_review_items",
      );
      const reviews = await lead.client.get<Listed<{ id: string; assigned: { items: number } }>>(
        "/v1/admin/assigned_access_reviews",
      );
      const items = new Map(
        body.data.map((item) => [
          item.access_review_id,
          [item.is_own, item.needs_another_reviewer],
        ]),
      );
      const counts = new Map(reviews.body.data.map(({ id, assigned }) => [id, assigned.items]));
      return [both, alone].map(({ id }) => [items.get(id), counts.get(id)]);
    };
    expect(await asked()).toEqual([
      [[true, true], 0],
      [[true, false], 1],
    ]);
    const [marked] = (await itemsOf(alone)) as [Item];
    expect((await decideOne(lead.client, alone, marked, "keep")).body.results[0]?.outcome).toBe(
      "decided",
    );
    expect((await itemsOf(alone))[0]?.is_self_review).toBe(true);
    // Once the other one has lost the right, nobody else is there.
    await org.operator.post(`/v1/admin/members/${admin.id}/deactivate`);
    expect((await asked())[0]).toEqual([[true, false], 1]);
    expect((await decideOne(lead.client, both, own, "keep")).body.results[0]?.outcome).toBe(
      "decided",
    );
  });

  test("takes every recommendation at once, of what nobody has decided about", async () => {
    const people = [];
    for (let i = 0; i < 5; i++) people.push(await inWorkspace());
    const review = await create({ inactive_days: 365 });
    const [first] = (await itemsOf(review)) as [Item];
    await decideOne(admin.client, review, first, "remove");
    const answer = await decide(admin.client, review, { accept_recommendations: true });
    expect(answer.body.results.map(({ outcome }) => outcome)).toEqual(Array(4).fill("decided"));
    expect(answer.body.progress).toMatchObject({ undecided: 0, remove: 1, keep: 4 });
  });

  test.each([
    [{}, "Expected either decisions"],
    [
      { decisions: [{ item_id: "x", decision: "keep" }], accept_recommendations: true },
      "Expected either",
    ],
    [{ decisions: [] }, "decisions"],
    [{ decisions: [{ item_id: "x", decision: "maybe" }] }, "decision"],
    [{ decisions: [{ item_id: "x", decision: "keep", reason: "x".repeat(501) }] }, "reason"],
    [
      {
        decisions: [
          { item_id: "x", decision: "keep" },
          { item_id: "x", decision: "remove" },
        ],
      },
      "more than once",
    ],
  ])("refuses %j", async (body, message) => {
    await inWorkspace();
    const review = await create();
    const answer = await decide(admin.client, review, body);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
  });

  test("about an entry of another review is not found", async () => {
    await inWorkspace();
    const [review, another] = [await create(), await create()];
    const [item] = (await itemsOf(another)) as [Item];
    const answer = await decideOne(admin.client, review, item, "remove");
    expect(answer.body.results[0]?.outcome).toBe("not_found");
    expect((await reread(another)).progress.undecided).toBe(1);
  });
});

describe("before it starts", () => {
  const preview = async (fields: object, client: Client = org.admin) =>
    client.post<z.output<(typeof previewAccessReview)["response"]>>(`${REVIEWS}/preview`, fields);

  test("is counted as it would be taken down, with what nobody of the reviewers may decide about", async () => {
    const idle = await inWorkspace();
    const lead = await inWorkspace("workspace_admin");
    await setUse([idle.id], { givenDaysAgo: 60, usedDaysAgo: 45 });
    await setUse([lead.id], { givenDaysAgo: 60, usedDaysAgo: 1 });
    await org.admin.createApiKey(workspaceId);
    const scope = {
      paths: ["organization_role", "workspace_role", "workspace_key"],
      workspace_ids: [workspaceId],
    };
    const counted = await preview({ scope, reviewer_ids: [lead.id] });
    const people = counted.body.paths.find(({ path }) => path === "organization_role");
    expect(counted.body.paths).toEqual([
      { path: "organization_role", ...people, without_reviewer: people?.items },
      { path: "workspace_role", items: 2, recommended_for_removal: 1, without_reviewer: 0 },
      { path: "workspace_key", items: 1, recommended_for_removal: 0, without_reviewer: 0 },
    ]);
    const review = await create({ scope, reviewer_ids: [lead.id] });
    expect(review.progress).toMatchObject({
      items: counted.body.items,
      recommended_for_removal: counted.body.recommended_for_removal,
    });
    const lenient = await preview({ scope, inactive_days: 46 });
    expect(lenient.body).toMatchObject({
      recommended_for_removal: 0,
      without_reviewer: counted.body.items,
    });
  });

  test("an unknown workspace is a 404, and who may not see reviews is refused", async () => {
    const scope = { paths: ["workspace_role"], workspace_ids: ["wksp_no"] };
    expect((await preview({ scope })).status).toBe(404);
    const lead = await inWorkspace("workspace_admin");
    expect((await preview({ scope }, lead.client)).status).toBe(403);
  });
});

describe("what closing would take away", () => {
  test.each([
    ["keep", 1],
    ["remove", 3],
    ["as_recommended", 2],
  ])("is told for no answer: %s", async (if_no_answer, toRemove) => {
    const [idle, unsure, gone] = [await inWorkspace(), await inWorkspace(), await inWorkspace()];
    await setUse([idle.id], { givenDaysAgo: 60, usedDaysAgo: 45 });
    const owner = await org.member({ role: "owner" });
    const review = await create({
      if_no_answer,
      scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
    });
    const items = await itemsOf(review);
    const of = (id: string) => items.find(({ member }) => member?.id === id) as Item;
    await decideOne(admin.client, review, of(unsure.id), "not_sure");
    await decideOne(admin.client, review, of(gone.id), "remove");
    expect((await reread(review)).progress.to_remove).toBe(toRemove);
    const closed = await close(review);
    expect(closed.body.progress).toMatchObject({ removed: toRemove, to_remove: toRemove });
    // An Owner nobody decided about stays, and is not counted.
    const people = await create({ if_no_answer, scope: { paths: ["organization_role"] } });
    const owners = (await itemsOf(people)).filter(({ role }) => role === "owner");
    expect(owners.map(({ member }) => member?.id)).toEqual([owner.id]);
    if (if_no_answer === "remove") {
      expect(people.progress.to_remove).toBe(people.progress.items - 1);
    }
  });
});

describe("closing", () => {
  test("carries out what was decided, each with its event, and sessions end and keys stop", async () => {
    const gone = await inWorkspace();
    const kept = await inWorkspace();
    const ownKey = await org.admin.createApiKey(workspaceId, { owner_member_id: gone.id });
    const key = await org.admin.createApiKey(workspaceId, { name: "old" });
    const adminKey = await org.admin.createAdminKey();
    const review = await create({
      scope: { paths: ["organization_role", "workspace_role", "workspace_key", "admin_key"] },
    });
    const items = await itemsOf(review);
    const wanted = (item: Item) =>
      (item.path === "organization_role" && item.member?.id === gone.id) ||
      (item.path === "workspace_role" && item.member?.id === kept.id) ||
      item.key?.id === key.id ||
      item.key?.id === adminKey.id;
    const decisions = items
      .filter(wanted)
      .map(({ id }) => ({ item_id: id, decision: "remove", reason: "gone" }));
    expect(decisions.length).toBe(4);
    await decide(admin.client, review, { decisions });
    expect((await reread(review)).progress.to_remove).toBe(4);
    const events = await watchEvents(h.deps.database, org.id);
    const closed = await close(review, admin.client);
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

  test("again changes nothing, and nothing is decided any more", async () => {
    await inWorkspace();
    const review = await create({ if_no_answer: "remove" });
    const first = await close(review);
    const events = await watchEvents(h.deps.database, org.id);
    expect((await close(review)).body).toEqual(first.body);
    expect(await events()).toEqual([]);
    const [item] = (await itemsOf(review)) as [Item];
    const refused = await decideOne(admin.client, review, item, "keep");
    expect([refused.status, refused.error.type]).toEqual([409, "conflict_error"]);
    expect((await org.admin.post(`${REVIEWS}/${review.id}`, { name: "New" })).status).toBe(409);
    expect((await org.admin.post(`${REVIEWS}/${review.id}/cancel`)).status).toBe(409);
  });

  test.each([
    ["keep", "kept", "kept"],
    ["remove", "removed", "removed"],
    ["as_recommended", "removed", "kept"],
  ])(
    "without an answer, or one that is not sure: %s",
    async (ifNoAnswer, idleResult, busyResult) => {
      const [idle, busy] = [await inWorkspace(), await inWorkspace()];
      await setUse([idle.id], { givenDaysAgo: 40, usedDaysAgo: null });
      const review = await create({ if_no_answer: ifNoAnswer });
      const items = await itemsOf(review);
      const of = (id: string) => items.find(({ member }) => member?.id === id) as Item;
      await decideOne(admin.client, review, of(idle.id), "not_sure");
      await close(review);
      const results = Object.fromEntries(
        (await itemsOf(review)).map(({ member, result }) => [member?.id, result]),
      );
      expect(results).toEqual({ [idle.id]: idleResult, [busy.id]: busyResult });
    },
  );

  test("never takes the last Owner, nor an Owner nobody decided about, nor access that is another one by now", async () => {
    const owner = await org.member({ role: "owner" });
    const second = await org.member({ role: "owner" });
    const developer = await inWorkspace();
    const review = await create({
      scope: { paths: ["organization_role", "workspace_role"] },
      reviewer_ids: [owner.id, second.id],
      if_no_answer: "remove",
    });
    const items = await itemsOf(review);
    const ownerItem = items.find(({ member }) => member?.id === owner.id) as Item;
    await decideOne(second.client, review, ownerItem, "remove");
    await org.operator.post(`/v1/admin/workspaces/${workspaceId}/members/${developer.id}`, {
      workspace_role: "workspace_user",
    });
    // Meanwhile the other one is an Owner no more.
    await h.deps.database
      .updateTable("member")
      .set({ role: "admin" })
      .where("id", "=", second.id)
      .execute();
    for (const { id } of [admin, developer]) {
      const item = items.find(
        ({ path, member }) => path === "organization_role" && member?.id === id,
      ) as Item;
      await decideOne(owner.client, review, item, "keep");
    }
    await close(review);
    const results = (await itemsOf(review)).map(({ path, member, result, result_message }) => [
      path,
      member?.id,
      result,
      result_message,
    ]);
    expect(results).toContainEqual([
      "organization_role",
      owner.id,
      "not_applied",
      "Could not be applied: this is the last active Owner of the organization: make somebody else an Owner first.",
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

  test("leaves an Owner whom nobody decided about", async () => {
    const owner = await org.member({ role: "owner" });
    await org.member({ role: "owner" });
    const review = await create({
      scope: { paths: ["organization_role"] },
      reviewer_ids: [admin.id],
      if_no_answer: "remove",
    });
    await close(review);
    const item = (await itemsOf(review)).find(({ member }) => member?.id === owner.id);
    expect([item?.result, item?.result_message]).toEqual([
      "not_applied",
      "Could not be applied: nobody decided to remove this Owner, and an Owner is never removed without a decision.",
    ]);
  });

  test("says what was gone already", async () => {
    const developer = await inWorkspace();
    const key = await org.admin.createApiKey(workspaceId);
    const review = await create({
      scope: { paths: ["workspace_role", "workspace_key"] },
      if_no_answer: "remove",
    });
    await org.admin.remove(`/v1/admin/workspaces/${workspaceId}/members/${developer.id}`);
    await org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "archived" });
    const events = await watchEvents(h.deps.database, org.id);
    const closed = await close(review);
    expect(closed.body.progress).toMatchObject({ already_gone: 2, removed: 0 });
    expect((await events()).map(({ event }) => event)).toEqual(["access_review.closed"]);
  });

  test("while reviewers decide: every decision counts that was taken before, and none after", async () => {
    for (let i = 0; i < 8; i++) await inWorkspace();
    const review = await create();
    const items = await itemsOf(review);
    const answers = await Promise.all([
      ...items.slice(0, 4).map((item) => decideOne(admin.client, review, item, "remove")),
      close(review),
      ...items.slice(4).map((item) => decideOne(admin.client, review, item, "remove")),
    ]);
    expect(answers[4]?.status).toBe(200);
    const decided = new Map(
      [...answers.slice(0, 4), ...answers.slice(5)].map((answer, index) => [
        items[index]?.id,
        answer.status,
      ]),
    );
    expect([...decided.values()].every((status) => status === 200 || status === 409)).toBe(true);
    for (const item of await itemsOf(review)) {
      const inTime = decided.get(item.id) === 200;
      expect([item.id, item.decision, item.result]).toEqual([
        item.id,
        inTime ? "remove" : null,
        inTime ? "removed" : "kept",
      ]);
    }
  });

  test("by several at once does everything once", async () => {
    for (let i = 0; i < 6; i++) await inWorkspace();
    const review = await create({ if_no_answer: "remove" });
    const events = await watchEvents(h.deps.database, org.id);
    const answers = await Promise.all(Array.from({ length: 4 }, () => close(review)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await reread(review)).toMatchObject({ status: "closed", progress: { removed: 6 } });
    const happened = (await events()).map(({ event }) => event);
    expect(happened.sort()).toEqual([
      "access_review.closed",
      ...Array(6).fill("workspace_member.removed"),
    ]);
  });

  test("of two Owners who were decided against at once leaves one", async () => {
    const [one, two] = [await org.member({ role: "owner" }), await org.member({ role: "owner" })];
    const scope = { scope: { paths: ["organization_role"] }, reviewer_ids: [one.id, two.id] };
    const [first, second] = [await create(scope), await create(scope)];
    for (const [review, by, about] of [
      [first, one, two],
      [second, two, one],
    ] as const) {
      const item = (await itemsOf(review)).find(({ member }) => member?.id === about.id) as Item;
      await decideOne(by.client, review, item, "remove");
    }
    await Promise.all([close(first), close(second)]);
    const owners = await h.deps.database
      .selectFrom("member")
      .select("status")
      .where("organization_id", "=", org.id)
      .where("role", "=", "owner")
      .execute();
    expect(owners.map(({ status }) => status).sort()).toEqual(["active", "deactivated"]);
  });
});

test("two reviewers at the same moment: one decision stands, the other hears of it", async () => {
  await inWorkspace();
  const second = await org.member({ role: "owner" });
  const review = await create({ reviewer_ids: [admin.id, second.id] });
  const [item] = (await itemsOf(review)) as [Item];
  const answers = await Promise.all([
    decideOne(admin.client, review, item, "keep"),
    decideOne(second.client, review, item, "remove"),
  ]);
  const outcomes = answers.map(({ body }) => body.results[0]?.outcome);
  expect([...outcomes].sort()).toEqual(["already_decided", "decided"]);
  const winner = outcomes[0] === "decided" ? admin : second;
  expect((await itemsOf(review))[0]?.decided_by?.id).toBe(winner.id);
});

describe("cancelling", () => {
  test("carries nothing out", async () => {
    const developer = await inWorkspace();
    const review = await create({ if_no_answer: "remove", recurrence: "monthly" });
    const cancelled = await org.admin.post<Review>(`${REVIEWS}/${review.id}/cancel`);
    expect(cancelled.body).toMatchObject({ status: "cancelled", next_begins_at: null });
    expect((await close(review)).status).toBe(409);
    expect((await developer.client.get(`/v1/admin/workspaces/${workspaceId}`)).status).toBe(200);
    expect((await org.admin.post(`${REVIEWS}/${review.id}/cancel`)).status).toBe(200);
  });
});

test("the list filters by status and by what is overdue", async () => {
  await inWorkspace();
  const [soon, later, over] = [await create({ due_at: inDays(1) }), await create(), await create()];
  await close(over);
  const list = async (query: string) =>
    (await org.admin.get<Listed<Review>>(`${REVIEWS}?${query}`)).body.data.map(({ id }) => id);
  const reset = h.clock.nowMs;
  h.clock.nowMs += 2 * DAY_MS;
  expect(await list("overdue=true")).toEqual([soon.id]);
  expect((await list("overdue=false")).sort()).toEqual([later.id, over.id].sort());
  expect(await list("statuses=closed")).toEqual([over.id]);
  expect((await reread(soon)).is_overdue).toBe(true);
  h.clock.nowMs = reset;
});

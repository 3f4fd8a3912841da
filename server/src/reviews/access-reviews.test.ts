import type {
  listAssignedAccessReviewItems,
  previewAccessReview,
} from "@bursar/contract/admin/access-reviews.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import {
  DAY_MS,
  type Item,
  makeReviews,
  REVIEWS,
  type Review,
  type Reviews,
} from "#test/harness/access-reviews.ts";
import type { Client, Listed, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";

type AssignedItem = z.output<(typeof listAssignedAccessReviewItems)["response"]>["data"][number];

const test = base.extend(
  "preview",
  ({ org }) =>
    async (fields: object, client: Client = org.admin) =>
      client.post<z.output<(typeof previewAccessReview)["response"]>>(`${REVIEWS}/preview`, fields),
);

let workspaceId: string;
let admin: TestMember;
let r: Reviews;
test.beforeEach(async ({ h, org }) => {
  r = await makeReviews(h, org);
  ({ workspaceId, admin } = r);
});

describe("starting a review", () => {
  test("records a snapshot of its scope only", async ({ h, org }) => {
    const developer = await r.createMember();
    const elsewhere = await org.admin.createWorkspace();
    await org.member({ workspaces: { [elsewhere.id]: "workspace_user" } });
    const key = await org.admin.createApiKey(workspaceId, { name: "build" });
    await org.admin.createApiKey(elsewhere.id);
    const archived = await org.admin.createApiKey(workspaceId);
    await org.admin.post(`/v1/admin/api_keys/${archived.id}`, { status: "archived" });
    const paths = ["workspace_role", "workspace_key", "member_key"];
    const review = await r.create({ scope: { paths, workspace_ids: [workspaceId] } });
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
    const shown = (await r.listItems(review)).map((item) => [
      item.path,
      item.member?.id,
      item.key?.id,
    ]);
    expect(shown.sort()).toEqual(
      [
        ["workspace_key", undefined, key.id],
        ["workspace_role", developer.id, undefined],
      ].sort(),
    );
    // Later access is not part of the review.
    await r.createMember();
    expect((await r.reread(review)).progress.items).toBe(2);
    const [event] = await auditEventsOf(h.deps.database, review.id);
    expect(event).toMatchObject({ event: "access_review.created", after: { items: 2 } });
  });

  test("recommends removal of idle access, with its signals", async () => {
    const [idle, busy, fresh] = [
      await r.createMember(),
      await r.createMember(),
      await r.createMember("workspace_admin"),
    ];
    await r.setLastUse([idle.id], { grantedDaysAgo: 100, usedDaysAgo: null });
    await r.setLastUse([busy.id], { grantedDaysAgo: 100, usedDaysAgo: 1 });
    await r.setLastUse([fresh.id], { grantedDaysAgo: 0, usedDaysAgo: null });
    const found = Object.fromEntries(
      (await r.listItems(await r.create())).map((item) => [
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

  test("refuses invalid reviewers, scopes and due times", async ({ h, org }) => {
    await r.createMember();
    const user = await org.member();
    const other = await (await h.organization()).member({ role: "owner" });
    const body = {
      name: "No",
      scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
      reviewer_ids: [admin.id],
      due_at: r.inDays(14),
    };
    const refusals = [
      [{ reviewer_ids: [user.id] }, 400, `reviewer_ids: ${user.id} has no right`],
      [{ reviewer_ids: [other.id] }, 404, `Member not found: ${other.id}`],
      [{ reviewer_ids: [] }, 400, "reviewer_ids"],
      [{ due_at: r.inDays(-1) }, 400, "due_at: expected a time in the future"],
      [{ due_at: r.inDays(500) }, 400, "due_at"],
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

  test("notifies each reviewer by mail once", async ({ org }) => {
    await r.createMember();
    const second = await org.member({ role: "owner" });
    const review = await r.create();
    await org.admin.post(`${REVIEWS}/${review.id}`, { reviewer_ids: [admin.id, second.id] });
    await org.admin.post(`${REVIEWS}/${review.id}`, { name: "Renamed" });
    const { body } = await org.admin.get<Listed<{ to: string; subject: string }>>("/v1/admin/mail");
    expect(body.data.map(({ to }) => to).sort()).toEqual([admin.email, second.email].sort());
    expect(body.data[0]?.subject).toBe("You are asked to review access: Autumn");
  });
});

describe("deciding", () => {
  test("stores decision, reason and decider, and allows changes until the end", async ({ h }) => {
    const developer = await r.createMember();
    const review = await r.create();
    const [item] = (await r.listItems(review)) as [Item];
    const body = {
      decisions: [{ item_id: item.id, decision: "remove", reason: " left the team " }],
    };
    const answer = await r.decide(admin.client, review, body);
    expect(answer.body).toMatchObject({
      results: [{ item_id: item.id, outcome: "decided", message: null }],
      progress: { items: 1, undecided: 0, remove: 1 },
    });
    expect((await r.listItems(review))[0]).toMatchObject({
      member: { id: developer.id },
      decision: "remove",
      reason: "left the team",
      decided_by: { id: admin.id, email: admin.email },
      decided_at: new Date(h.clock.nowMs).toISOString(),
      is_self_review: false,
      result: null,
    });
    const again = await r.decide(admin.client, review, body);
    expect(again.body.results[0]?.outcome).toBe("unchanged");
    const changed = await r.decideOne(admin.client, review, item, "keep");
    expect(changed.body.results[0]?.outcome).toBe("decided");
    const events = await auditEventsOf(h.deps.database, review.id);
    expect(events.map(({ event, actor_id }) => [event, actor_id]).slice(1)).toEqual([
      ["access_review.decided", admin.id],
      ["access_review.decided", admin.id],
    ]);
  });

  test("overrides another reviewer's decision only on request", async ({ org }) => {
    await r.createMember();
    const second = await org.member({ role: "owner" });
    const review = await r.create({ reviewer_ids: [admin.id, second.id] });
    const [item] = (await r.listItems(review)) as [Item];
    await r.decideOne(admin.client, review, item, "keep");
    const outcome = async (decision: string, more = {}) =>
      (await r.decideOne(second.client, review, item, decision, more)).body.results[0]?.outcome;
    expect(await outcome("keep")).toBe("unchanged");
    expect(await outcome("remove")).toBe("already_decided");
    expect((await r.listItems(review))[0]?.decided_by?.id).toBe(admin.id);
    expect(await outcome("remove", { override: true })).toBe("decided");
    expect((await r.listItems(review))[0]).toMatchObject({
      decision: "remove",
      decided_by: { id: second.id },
    });
  });

  test("is a 404 for members without the review, and a 403 for administrators", async ({
    h,
    org,
  }) => {
    const developer = await r.createMember();
    const review = await r.create();
    const [item] = (await r.listItems(review)) as [Item];
    const outsider = await org.member({ role: "owner" });
    expect((await r.decideOne(developer.client, review, item, "keep")).status).toBe(404);
    expect((await r.decideOne(outsider.client, review, item, "keep")).status).toBe(403);
    expect((await r.decideOne(org.admin, review, item, "keep")).status).toBe(403);
    const other = await (await h.organization()).member({ role: "owner" });
    expect((await r.decideOne(other.client, review, item, "keep")).status).toBe(404);
    expect((await r.reread(review)).progress.undecided).toBe(1);
  });

  test("is refused after a loss of rights", async ({ h }) => {
    await r.createMember();
    const lead = await r.createMember("workspace_admin");
    const review = await r.create({ reviewer_ids: [lead.id] });
    const [item] = (await r.listItems(review)).filter(({ member }) => member?.id !== lead.id) as [
      Item,
    ];
    expect((await r.decideOne(lead.client, review, item, "remove")).status).toBe(200);
    await setWorkspaceRole(h.deps, {
      workspaceId,
      memberId: lead.id,
      role: "workspace_developer",
    });
    const refused = await r.decideOne(lead.client, review, item, "keep");
    expect([refused.status, refused.error.type]).toEqual([403, "permission_error"]);
    expect((await r.reread(review)).reviewers).toMatchObject([{ id: lead.id, can_decide: false }]);
    // Earlier decisions stay.
    expect((await r.listItems(review, "&decisions=remove")).length).toBe(1);
  });

  test("is limited by rights: an Admin cannot decide about an Owner, nor a Workspace Admin about another workspace", async ({
    org,
  }) => {
    const owner = await org.member({ role: "owner" });
    const elsewhere = await org.admin.createWorkspace();
    const lead = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const there = await org.member({ workspaces: { [elsewhere.id]: "workspace_user" } });
    const review = await r.create({
      scope: { paths: ["organization_role", "workspace_role"] },
      reviewer_ids: [admin.id, lead.id],
    });
    const items = await r.listItems(review);
    const of = (path: string, id: string) =>
      items.find((item) => item.path === path && item.member?.id === id) as Item;
    const outcome = async (client: Client, item: Item) =>
      (await r.decideOne(client, review, item, "remove")).body.results[0]?.outcome;
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
    // The lead's only item is the lead's own access, which the Admin can decide about.
    expect(listed.body.data).toMatchObject([
      { id: review.id, assigned: { items: 0, undecided: 0 } },
    ]);
    expect(
      (await there.client.get<Listed<object>>("/v1/admin/assigned_access_reviews")).body.data,
    ).toEqual([]);
  });

  test("about the own access needs another reviewer, and is marked if there is none", async ({
    org,
  }) => {
    const lead = await r.createMember("workspace_admin");
    const [both, alone] = [
      await r.create({ reviewer_ids: [lead.id, admin.id] }),
      await r.create({ reviewer_ids: [lead.id] }),
    ];
    const [own] = (await r.listItems(both)) as [Item];
    const refused = await r.decideOne(lead.client, both, own, "keep");
    expect(refused.body.results).toEqual([
      {
        item_id: own.id,
        outcome: "needs_another_reviewer",
        message: "This is your own access. Another reviewer must decide about it.",
      },
    ]);
    const bulk = await r.decide(lead.client, both, { accept_recommendations: true });
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
    const [marked] = (await r.listItems(alone)) as [Item];
    expect((await r.decideOne(lead.client, alone, marked, "keep")).body.results[0]?.outcome).toBe(
      "decided",
    );
    expect((await r.listItems(alone))[0]?.is_self_review).toBe(true);
    // No other reviewer remains after the other one has lost the right.
    await org.operator.post(`/v1/admin/members/${admin.id}/deactivate`);
    expect((await asked())[0]).toEqual([[true, false], 1]);
    expect((await r.decideOne(lead.client, both, own, "keep")).body.results[0]?.outcome).toBe(
      "decided",
    );
  });

  test("accepts all recommendations of undecided items at once", async () => {
    const people = [];
    for (let i = 0; i < 5; i++) people.push(await r.createMember());
    const review = await r.create({ inactive_days: 365 });
    const [first] = (await r.listItems(review)) as [Item];
    await r.decideOne(admin.client, review, first, "remove");
    const answer = await r.decide(admin.client, review, { accept_recommendations: true });
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
    await r.createMember();
    const review = await r.create();
    const answer = await r.decide(admin.client, review, body);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
  });

  test("about an entry of another review is not found", async () => {
    await r.createMember();
    const [review, another] = [await r.create(), await r.create()];
    const [item] = (await r.listItems(another)) as [Item];
    const answer = await r.decideOne(admin.client, review, item, "remove");
    expect(answer.body.results[0]?.outcome).toBe("not_found");
    expect((await r.reread(another)).progress.undecided).toBe(1);
  });
});

describe("preview", () => {
  test("counts the items of the review, and those that no reviewer may decide about", async ({
    org,
    preview,
  }) => {
    const idle = await r.createMember();
    const lead = await r.createMember("workspace_admin");
    await r.setLastUse([idle.id], { grantedDaysAgo: 60, usedDaysAgo: 45 });
    await r.setLastUse([lead.id], { grantedDaysAgo: 60, usedDaysAgo: 1 });
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
    const review = await r.create({ scope, reviewer_ids: [lead.id] });
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

  test("returns a 404 for an unknown workspace, and refuses callers without the right to see reviews", async ({
    preview,
  }) => {
    const scope = { paths: ["workspace_role"], workspace_ids: ["wksp_no"] };
    expect((await preview({ scope })).status).toBe(404);
    const lead = await r.createMember("workspace_admin");
    expect((await preview({ scope }, lead.client)).status).toBe(403);
  });
});

test("keeps one of two concurrent decisions, and reports the conflict to the other reviewer", async ({
  org,
}) => {
  await r.createMember();
  const second = await org.member({ role: "owner" });
  const review = await r.create({ reviewer_ids: [admin.id, second.id] });
  const [item] = (await r.listItems(review)) as [Item];
  const answers = await Promise.all([
    r.decideOne(admin.client, review, item, "keep"),
    r.decideOne(second.client, review, item, "remove"),
  ]);
  const outcomes = answers.map(({ body }) => body.results[0]?.outcome);
  expect([...outcomes].sort()).toEqual(["already_decided", "decided"]);
  const winner = outcomes[0] === "decided" ? admin : second;
  expect((await r.listItems(review))[0]?.decided_by?.id).toBe(winner.id);
});

test("filters the list by status and overdue reviews", async ({ h, org }) => {
  await r.createMember();
  const [soon, later, over] = [
    await r.create({ due_at: r.inDays(1) }),
    await r.create(),
    await r.create(),
  ];
  await r.close(over);
  const list = async (query: string) =>
    (await org.admin.get<Listed<Review>>(`${REVIEWS}?${query}`)).body.data.map(({ id }) => id);
  const reset = h.clock.nowMs;
  h.clock.nowMs += 2 * DAY_MS;
  expect(await list("overdue=true")).toEqual([soon.id]);
  expect((await list("overdue=false")).sort()).toEqual([later.id, over.id].sort());
  expect(await list("statuses=closed")).toEqual([over.id]);
  expect((await r.reread(soon)).is_overdue).toBe(true);
  h.clock.nowMs = reset;
});

import type { accessReview } from "@bursar/contract/admin/access-reviews.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { applyClosedReview, maintainReviews } from "./upkeep.ts";

type Review = z.output<typeof accessReview>;

const REVIEWS = "/v1/admin/access_reviews";
const DAY_MS = 86_400_000;

const test = base.extend("reviews", ({ h, org, workspaceId }) => {
  const addPerson = () => org.member({ workspaces: { [workspaceId]: "workspace_user" } });

  const keep = () => maintainReviews(h.deps);

  async function create(fields: object = {}): Promise<Review> {
    const answer = await org.operator.post<Review>(REVIEWS, {
      name: "Monthly",
      scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
      reviewer_ids: [admin.id],
      due_at: inDays(14),
      ...fields,
    });
    expect(answer.error.message).toBe("");
    return answer.body;
  }

  const list = async () =>
    (await org.operator.get<Listed<Review>>(`${REVIEWS}?limit=100`)).body.data;

  const mailOf = async (address: string) => {
    const { body } = await org.operator.get<Listed<{ to: string; subject: string }>>(
      "/v1/admin/mail?limit=100",
    );
    return body.data
      .filter(({ to }) => to === address)
      .map(({ subject }) => subject)
      .reverse();
  };

  return { addPerson, keep, create, list, mailOf };
});

let admin: TestMember;
let startMs: number;

test.beforeAll(async ({ h }) => {
  startMs = h.clock.nowMs;
});
test.beforeEach(async ({ h, org }) => {
  h.clock.nowMs = startMs;
  // Jobs cover every organization, so reviews of other tests are cancelled here.
  await sql`UPDATE access_review SET recurrence = 'none', status = 'cancelled',
    ended_by_type = 'test', ended_by_id = 'test', ended_at = now() WHERE status <> 'cancelled'`.execute(
    h.deps.database,
  );
  admin = await org.member({ role: "admin" });
});

const inDays = (days: number) => new Date(startMs + days * DAY_MS).toISOString();

describe("reminders", () => {
  test("arrive once each, a week and a day before and once after the due time, in repeated runs", async ({
    h,
    reviews,
  }) => {
    await reviews.addPerson();
    await reviews.create();
    for (const days of [1, 7, 7.5, 13, 14, 15, 30]) {
      h.clock.nowMs = startMs + days * DAY_MS;
      await Promise.all([reviews.keep(), reviews.keep()]);
      await reviews.keep();
    }
    expect(await reviews.mailOf(admin.email)).toEqual([
      "You are asked to review access: Monthly",
      "Access review: one week left: Monthly",
      "Access review: one day left: Monthly",
      "Access review: overdue: Monthly",
    ]);
  });

  test("go only to reviewers with open decisions and rights", async ({ h, org, reviews }) => {
    const done = await org.member({ role: "owner" });
    const demoted = await org.member({ role: "admin" });
    await reviews.addPerson();
    const review = await reviews.create({ reviewer_ids: [done.id, demoted.id] });
    await org.operator.post(`/v1/admin/members/${demoted.id}`, { role: "developer" });
    await done.client.post(`${REVIEWS}/${review.id}/decisions`, { accept_recommendations: true });
    h.clock.nowMs = startMs + 15 * DAY_MS;
    await reviews.keep();
    for (const { email } of [done, demoted]) {
      expect(await reviews.mailOf(email)).toEqual(["You are asked to review access: Monthly"]);
    }
  });
});

describe("automatic closing", () => {
  test("happens once, the set number of days after the due time, and is applied", async ({
    h,
    org,
    workspaceId,
    reviews,
  }) => {
    await reviews.addPerson();
    await reviews.addPerson();
    const review = await reviews.create({ if_no_answer: "remove", auto_close_days: 3 });
    await reviews.create({ name: "By hand", if_no_answer: "remove" });
    const events = await watchEvents(h.deps.database, org.id);
    h.clock.nowMs = startMs + 17 * DAY_MS - 1;
    await reviews.keep();
    expect((await reviews.list()).map(({ status }) => status)).toEqual(["open", "open"]);
    h.clock.nowMs = startMs + 17 * DAY_MS;
    await Promise.all([reviews.keep(), reviews.keep(), reviews.keep()]);
    await reviews.keep();
    expect((await reviews.list()).find(({ id }) => id === review.id)).toMatchObject({
      status: "closed",
      ended_by: { type: "system", id: "access_reviews" },
      progress: { removed: 2 },
    });
    expect((await events()).map(({ event, actor_type }) => [event, actor_type]).sort()).toEqual([
      ["access_review.closed", "system"],
      ["workspace_member.removed", "system"],
      ["workspace_member.removed", "system"],
    ]);
    const left = await org.operator.get<Listed<{ member_id: string }>>(
      `/v1/admin/workspaces/${workspaceId}/members`,
    );
    expect(left.body.data.map(({ member_id }) => member_id)).toEqual([admin.id]);
  });

  test("continues after a node was killed in the middle", async ({
    h,
    org,
    workspaceId,
    reviews,
  }) => {
    for (let i = 0; i < 4; i++) await reviews.addPerson();
    const review = await reviews.create({ if_no_answer: "remove" });
    await org.operator.post(`${REVIEWS}/${review.id}/close`);
    // Simulates a node that applied only two of the items.
    await sql`UPDATE access_review SET status = 'applying' WHERE id = ${review.id}`.execute(
      h.deps.database,
    );
    const left = await sql<{ member_id: string }>`
      UPDATE access_review_item SET result = NULL, applied_at = NULL
      WHERE access_review_id = ${review.id} AND position < 2 RETURNING member_id`.execute(
      h.deps.database,
    );
    for (const { member_id } of left.rows) {
      await sql`INSERT INTO workspace_member (workspace_id, member_id, role)
        VALUES (${workspaceId}, ${member_id}, 'workspace_user')`.execute(h.deps.database);
    }
    const events = await watchEvents(h.deps.database, org.id);
    const of = { organizationId: org.id, id: review.id };
    await Promise.all([
      applyClosedReview(h.deps, of),
      applyClosedReview(h.deps, of),
      reviews.keep(),
    ]);
    expect((await reviews.list())[0]).toMatchObject({ status: "closed", progress: { removed: 4 } });
    expect((await events()).length).toBe(2);
  });

  test("is queued with the close, so that it needs no further call", async ({
    h,
    org,
    reviews,
  }) => {
    await reviews.addPerson();
    const review = await reviews.create({ if_no_answer: "remove" });
    await org.operator.post(`${REVIEWS}/${review.id}/close`);
    const { rows } = await sql<{ task_identifier: string }>`
      SELECT task_identifier FROM graphile_worker.jobs WHERE key = ${`access_review:${review.id}`}`.execute(
      h.deps.database,
    );
    expect(rows).toEqual([{ task_identifier: "apply_access_review" }]);
  });
});

describe("a series", () => {
  test("continues once each month, with the current members and access", async ({ h, reviews }) => {
    await reviews.addPerson();
    const first = await reviews.create({ recurrence: "monthly", due_at: inDays(10) });
    expect(first.next_begins_at).toBe("2026-12-20T12:00:00.000Z");
    h.clock.nowMs = Date.parse("2026-12-20T11:59:59Z");
    await reviews.keep();
    expect((await reviews.list()).length).toBe(1);
    await reviews.addPerson();
    h.clock.nowMs = Date.parse("2026-12-20T12:03:00Z");
    await Promise.all([reviews.keep(), reviews.keep(), reviews.keep()]);
    await reviews.keep();
    const [second, ...others] = (await reviews.list()) as [Review];
    expect(others.map(({ id }) => id)).toEqual([first.id]);
    expect(second).toMatchObject({
      name: "Monthly",
      status: "open",
      recurrence: "monthly",
      previous_review_id: first.id,
      due_at: "2026-12-30T12:03:00.000Z",
      next_begins_at: "2027-01-20T12:00:00.000Z",
      created_by: { type: "system", id: "access_reviews" },
      reviewers: [{ id: admin.id }],
      progress: { items: 2, undecided: 2 },
    });
  });

  test("skips missed times", async ({ h, reviews }) => {
    await reviews.addPerson();
    await reviews.create({ recurrence: "monthly" });
    h.clock.nowMs = Date.parse("2027-03-05T00:00:00Z");
    await reviews.keep();
    await reviews.keep();
    const shown = await reviews.list();
    expect(shown.length).toBe(2);
    expect(shown[0]?.next_begins_at).toBe("2027-03-20T12:00:00.000Z");
  });

  test("is assigned to the Owners if no reviewer has rights any more", async ({
    h,
    org,
    reviews,
  }) => {
    const owner = await org.member({ role: "owner" });
    await reviews.addPerson();
    await reviews.create({ recurrence: "quarterly" });
    await org.operator.post(`/v1/admin/members/${admin.id}/deactivate`);
    h.clock.nowMs = Date.parse("2027-02-20T12:00:00Z");
    await reviews.keep();
    expect((await reviews.list())[0]?.reviewers.map(({ id }) => id)).toEqual([owner.id]);
  });

  test("ends when it is cancelled or set to no recurrence, and continues when its review is closed", async ({
    h,
    org,
    reviews,
  }) => {
    await reviews.addPerson();
    const [cancelled, ended, closed] = [
      await reviews.create({ name: "Cancelled", recurrence: "monthly" }),
      await reviews.create({ name: "Ended", recurrence: "monthly" }),
      await reviews.create({ name: "Closed", recurrence: "monthly" }),
    ];
    await org.operator.post(`${REVIEWS}/${cancelled.id}/cancel`);
    for (const { id } of [ended, closed]) await org.operator.post(`${REVIEWS}/${id}/close`);
    const change = await org.operator.post<Review>(`${REVIEWS}/${ended.id}`, {
      recurrence: "none",
    });
    expect([change.status, change.body.next_begins_at]).toEqual([200, null]);
    h.clock.nowMs = Date.parse("2026-12-21T00:00:00Z");
    await reviews.keep();
    expect((await reviews.list()).map(({ name, status }) => [name, status]).sort()).toEqual([
      ["Cancelled", "cancelled"],
      ["Closed", "closed"],
      ["Closed", "open"],
      ["Ended", "closed"],
    ]);
  });

  test("waits while its scope is empty, and does not block others", async ({
    h,
    org,
    workspaceId,
    reviews,
  }) => {
    const person = await reviews.addPerson();
    await reviews.create({ name: "Empty", recurrence: "monthly" });
    const key = { paths: ["admin_key"], workspace_ids: null };
    await reviews.create({ name: "Keys", scope: key, recurrence: "monthly" });
    await org.operator.remove(`/v1/admin/workspaces/${workspaceId}/members/${person.id}`);
    h.clock.nowMs = Date.parse("2026-12-21T00:00:00Z");
    await reviews.keep();
    expect((await reviews.list()).map(({ name }) => name).sort()).toEqual([
      "Empty",
      "Keys",
      "Keys",
    ]);
  });
});

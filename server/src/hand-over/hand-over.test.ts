import type { OwnedThing } from "@bursar/contract/admin/owned-things.ts";
import { describe, expect } from "vitest";
import { maintainReviews } from "#src/reviews/upkeep.ts";
import { DAY_MS, makeReviews, REVIEWS, type Review } from "#test/harness/access-reviews.ts";
import type { Client, Listed, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";

const MEMBERS = "/v1/admin/members";
const CHANNELS = "/v1/admin/alert_channels";

interface HandOver {
  things: OwnedThing[];
}
interface Channel {
  id: string;
  version: number;
  recipients: { addresses: string[] };
}

const test = base.extend("company", async ({ h, org }) => {
  const reviews = await makeReviews(h, org);

  const createChannel = async (...addresses: string[]) => {
    const target = { kind: "email", recipients: { addresses } };
    return (await org.admin.post<Channel>(CHANNELS, { name: "On call", target })).body;
  };

  /** An admin with a review, a channel, an API key and an admin key. */
  const createBusyAdmin = async () => {
    const person = await org.member({ role: "admin", name: "Lea Leaver" });
    const reviewer_ids = [person.id, reviews.admin.id];
    await reviews.createMember();
    const review = await reviews.create({ reviewer_ids });
    const channel = await createChannel("team@example.com", person.email);
    const apiKey = await person.client.createApiKey(reviews.workspaceId, { name: "CI" });
    const adminKey = await person.client.createAdminKey({ name: "Terraform" });
    return { person, review, channel, apiKey, adminKey };
  };

  const listOwned = async (memberId: string, client: Client = org.admin) => {
    const { body } = await client.get<{ data: OwnedThing[] }>(`${MEMBERS}/${memberId}/owned`);
    return body.data.map(({ kind, duty, id }) => [kind, duty, id]);
  };

  const handOver = (
    from: { id: string },
    to: { id: string },
    { kinds, client = org.admin }: { kinds?: string[]; client?: Client } = {},
  ) =>
    client.post<HandOver>(`${MEMBERS}/${from.id}/hand_over`, {
      new_owner_id: to.id,
      ...(kinds && { kinds }),
    });

  const readChannel = async (id: string) =>
    (await org.admin.get<Channel>(`${CHANNELS}/${id}`)).body;
  const listReviewers = async (review: Review) =>
    (await reviews.reread(review)).reviewers.map(({ id }) => id).sort();

  return {
    reviews,
    createChannel,
    createBusyAdmin,
    listOwned,
    handOver,
    readChannel,
    listReviewers,
  };
});

let successor: TestMember;
test.beforeEach(async ({ org }) => {
  successor = await org.member({ role: "admin", name: "Sue Successor" });
});

describe("the list of a member's things", () => {
  test("has reviews, channels and keys, also after a deactivation and a removal", async ({
    org,
    company,
  }) => {
    const { person, review, channel, apiKey, adminKey } = await company.createBusyAdmin();
    const expected = [
      ["access_review", "reviewer", review.id],
      ["admin_key", "contact", adminKey.id],
      ["alert_channel", "recipient", channel.id],
      ["api_key", "contact", apiKey.id],
    ];
    expect(await company.listOwned(person.id)).toEqual(expected);
    await org.admin.post(`${MEMBERS}/${person.id}/deactivate`);
    expect(await company.listOwned(person.id)).toEqual(expected);
    await org.admin.remove(`${MEMBERS}/${person.id}`);
    expect(await company.listOwned(person.id)).toEqual(expected);
    const { reviewers } = await company.reviews.reread(review);
    expect(reviewers.find(({ id }) => id === person.id)?.can_decide).toBe(false);
  });

  test("omits ended things, and those with another owner", async ({ org, company }) => {
    const { person, review, channel, apiKey, adminKey } = await company.createBusyAdmin();
    await person.client.createApiKey(company.reviews.workspaceId, { owner_member_id: person.id });
    await org.admin.post(`${REVIEWS}/${review.id}/cancel`);
    await org.admin.remove(`${CHANNELS}/${channel.id}`);
    await org.admin.post(`/v1/admin/api_keys/${apiKey.id}`, { status: "archived" });
    await org.admin.post(`/v1/admin/admin_keys/${adminKey.id}/revoke`);
    expect(await company.listOwned(person.id)).toEqual([]);
  });

  test("omits the address of a removed member that a new member has", async ({ org, company }) => {
    const person = await org.member({ email: "again@example.com" });
    const channel = await company.createChannel(person.email);
    await org.admin.remove(`${MEMBERS}/${person.id}`);
    expect(await company.listOwned(person.id)).toEqual([
      ["alert_channel", "recipient", channel.id],
    ]);
    await org.member({ email: person.email });
    expect(await company.listOwned(person.id)).toEqual([]);
  });

  test("names members who left something behind", async ({ org, company }) => {
    const { person } = await company.createBusyAdmin();
    const listLeft = async () =>
      (await org.admin.get<{ data: object[] }>("/v1/admin/left_behind")).body.data;
    expect(await listLeft()).toEqual([]);
    await org.admin.post(`${MEMBERS}/${person.id}/deactivate`);
    expect(await listLeft()).toEqual([
      {
        type: "left_behind",
        member_id: person.id,
        name: "Lea Leaver",
        email: person.email,
        status: "deactivated",
        things: 4,
      },
    ]);
    await company.handOver(person, successor);
    expect(await listLeft()).toEqual([]);
  });
});

describe("a hand-over", () => {
  test("makes the new owner responsible for everything, with one event that names each thing", async ({
    h,
    org,
    company,
  }) => {
    const { person, review, channel, apiKey, adminKey } = await company.createBusyAdmin();
    await org.admin.post(`${MEMBERS}/${person.id}/deactivate`);
    const listEvents = await watchEvents(h.deps.database, org.id);
    const { status, body } = await company.handOver(person, successor);
    expect([status, body.things.length]).toEqual([200, 4]);
    const events = await listEvents();
    expect(events.map(({ event }) => event)).toEqual(["member.handed_over"]);
    expect(events[0]?.after).toEqual({
      owner_id: successor.id,
      email: successor.email,
      things: body.things.map(({ kind, duty, id, name }) => ({ kind, duty, id, name })),
    });

    expect(await company.listReviewers(review)).toEqual(
      [successor.id, company.reviews.admin.id].sort(),
    );
    expect(await company.readChannel(channel.id)).toMatchObject({
      version: 2,
      recipients: { addresses: ["team@example.com", successor.email] },
    });
    const read = async (path: string) =>
      (await org.admin.get<{ contact_member_id: string; created_by: object }>(path)).body;
    for (const path of [`/v1/admin/api_keys/${apiKey.id}`, `/v1/admin/admin_keys/${adminKey.id}`]) {
      expect(await read(path)).toMatchObject({
        contact_member_id: successor.id,
        created_by: { type: "user", id: person.id },
      });
    }
    const mail = await org.operator.get<Listed<{ to: string }>>("/v1/admin/mail");
    expect(mail.body.data.filter(({ to }) => to === successor.email)).toHaveLength(1);

    expect(await company.listOwned(person.id)).toEqual([]);
    expect((await company.listOwned(successor.id)).length).toBe(4);
    expect((await company.handOver(person, successor)).body.things).toEqual([]);
    expect(await listEvents()).toHaveLength(1);
  });

  test("takes only the chosen kinds", async ({ company }) => {
    const { person, channel } = await company.createBusyAdmin();
    const { body } = await company.handOver(person, successor, { kinds: ["alert_channel"] });
    expect(body.things.map(({ id }) => id)).toEqual([channel.id]);
    expect((await company.listOwned(person.id)).length).toBe(3);
  });

  test("changes nothing if the new owner lacks a right for one thing", async ({ org, company }) => {
    const { person, review, channel } = await company.createBusyAdmin();
    const { workspaceId } = company.reviews;
    const developer = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    for (const [kinds, resource] of [
      [undefined, "admin_key"],
      [["alert_channel", "access_review"], "access_review"],
    ] as const) {
      const refused = await company.handOver(person, developer, kinds && { kinds: [...kinds] });
      expect(refused.status).toBe(409);
      expect(refused.error.details).toMatchObject({
        error_code: "new_owner_lacks_right",
        resource,
      });
    }
    expect(await company.listReviewers(review)).toContain(person.id);
    expect((await company.readChannel(channel.id)).version).toBe(1);
    const taken = await company.handOver(person, developer, {
      kinds: ["alert_channel", "api_key"],
    });
    expect([taken.status, taken.body.things.length]).toEqual([200, 2]);
  });

  test("makes no member the only reviewer of their own access", async ({ org, company }) => {
    const { workspaceId, reread } = company.reviews;
    const wanda = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const person = await org.member({ role: "admin" });
    const review = await company.reviews.create({ reviewer_ids: [person.id] });
    const refused = await company.handOver(person, wanda);
    expect([refused.status, refused.error.details]).toMatchObject([
      409,
      { error_code: "new_owner_is_reviewed", resource: "access_review" },
    ]);
    await org.admin.post(`${REVIEWS}/${review.id}`, { reviewer_ids: [person.id, successor.id] });
    expect((await company.handOver(person, wanda)).status).toBe(200);
    expect((await reread(review)).reviewers.map(({ id }) => id).sort()).toEqual(
      [wanda.id, successor.id].sort(),
    );
  });

  test("of an ended review of a series makes the new owner the next reviewer", async ({
    h,
    org,
    company,
  }) => {
    const person = await org.member({ role: "admin" });
    await company.reviews.createMember();
    const review = await company.reviews.create({
      reviewer_ids: [person.id],
      recurrence: "monthly",
    });
    await company.reviews.close(review);
    expect(await company.listOwned(person.id)).toEqual([
      ["access_review", "next_reviewer", review.id],
    ]);
    expect((await company.handOver(person, successor)).status).toBe(200);
    expect(await company.listReviewers(review)).toEqual([person.id]);
    expect(await company.listOwned(person.id)).toEqual([]);
    h.clock.nowMs += 32 * DAY_MS;
    await maintainReviews(h.deps);
    const { body } = await org.admin.get<Listed<Review>>(`${REVIEWS}?statuses=open`);
    expect(body.data.map(({ reviewers }) => reviewers.map(({ id }) => id))).toEqual([
      [successor.id],
    ]);
  });
});

describe("a refused hand-over", () => {
  test("names its reason: same, unknown, inactive and higher members", async ({ org, company }) => {
    const { person } = await company.createBusyAdmin();
    const gone = await org.member({ role: "admin" });
    await org.admin.post(`${MEMBERS}/${gone.id}/deactivate`);
    const owner = await org.member({ role: "owner" });
    const unknown = { id: "user_unknown" };
    for (const [from, to, status, code] of [
      [person, person, 400, "invalid_fields"],
      [unknown, successor, 404, "resource_not_found"],
      [person, unknown, 404, "resource_not_found"],
      [person, gone, 409, "new_owner_inactive"],
      [owner, successor, 403, "role_too_high"],
    ] as const) {
      const refused = await company.handOver(from, to);
      expect([refused.status, refused.error.details?.error_code]).toEqual([status, code]);
    }
  });

  test("is that of a kind which the caller cannot change, and such kinds are not listed", async ({
    h,
    org,
    company,
  }) => {
    const { workspaceId } = company.reviews;
    const person = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    await person.client.createApiKey(workspaceId);
    const channel = await company.createChannel(person.email);
    expect((await company.listOwned(person.id)).length).toBe(2);
    const { key } = await org.admin.createAdminKey({ scopes: ["members", "alerts"] });
    const client = h.as(key);
    expect(await company.listOwned(person.id, client)).toEqual([
      ["alert_channel", "recipient", channel.id],
    ]);
    const refused = await company.handOver(person, successor, { client, kinds: ["api_key"] });
    expect(refused.status).toBe(403);
    const taken = await company.handOver(person, successor, { client });
    expect(taken.body.things.map(({ id }) => id)).toEqual([channel.id]);
  });
});

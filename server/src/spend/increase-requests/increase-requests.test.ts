import type { increaseRequest } from "@bursar/contract/admin/spend-limit-increase-requests.ts";
import type { spendLimit } from "@bursar/contract/admin/spend-limits.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { type Client, type Listed, PUBLIC_URL, type TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf, watchEvents } from "#test/harness/audit-events.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";

const REQUESTS = "/v1/admin/spend_limit_increase_requests";
type Request = z.output<typeof increaseRequest>;
type Limit = z.output<typeof spendLimit>;

const test = base.extend("company", ({ h, org }) => {
  async function setLimit(scope: object, limit_usd: number, fields: object = {}): Promise<Limit> {
    const body = { scope, period: "monthly", limit_usd, ...fields };
    return (await org.admin.post<Limit>("/v1/admin/spend_limits", body)).body;
  }

  function createRequest(client: Client = requester.client, fields: object = {}) {
    h.clock.nowMs++;
    const body = { scope: workspace(), amount_usd: 200, reason: "A larger evaluation.", ...fields };
    return client.post<Request>(REQUESTS, body);
  }

  async function pendingId(client?: Client, fields?: object): Promise<string> {
    const { status, body } = await createRequest(client, fields);
    expect(status).toBe(200);
    return body.id;
  }

  async function limitsNow(): Promise<Limit[]> {
    return (await org.admin.get<Listed<Limit>>("/v1/admin/spend_limits")).body.data;
  }

  /** Messages about the request, oldest first, without withdrawn ones. */
  async function listMail(id: string) {
    const rows = await h.deps.database
      .selectFrom("mail")
      .select(["id", "to_address", "subject", "status"])
      .where("about_id", "=", id)
      .orderBy("created_at")
      .orderBy("to_address")
      .execute();
    return rows.filter(({ status }) => status === "queued");
  }

  async function textOf(mailId: string): Promise<string> {
    const mail = await org.operator.get<{ body: { text: string } }>(`/v1/admin/mail/${mailId}`);
    return mail.body.body.text;
  }

  return { setLimit, createRequest, pendingId, limitsNow, listMail, textOf };
});

let workspaceId: string;
let apiKeyId: string;
let requester: TestMember;
let approver: TestMember;
test.beforeEach(async ({ org, company }) => {
  workspaceId = (await org.admin.createWorkspace({ name: "Research" })).id;
  apiKeyId = (await org.admin.createApiKey(workspaceId, { name: "CI" })).id;
  requester = await org.member({
    name: "Rita",
    workspaces: { [workspaceId]: "workspace_developer" },
  });
  approver = await org.member({ name: "Abe", role: "admin" });
  await company.setLimit(workspace(), 100);
});

const workspace = (id = workspaceId) => ({ type: "workspace", workspace_id: id });
const key = (id = apiKeyId) => ({ type: "api_key", api_key_id: id });

const approve = (id: string, body: object = {}, client: Client = approver.client) =>
  client.post<Request>(`${REQUESTS}/${id}/approve`, body);
const deny = (id: string, body: object = {}, client: Client = approver.client) =>
  client.post<Request>(`${REQUESTS}/${id}/deny`, body);
const withdraw = (id: string, client: Client = requester.client) =>
  client.post<Request>(`${REQUESTS}/${id}/withdraw`);
const get = (id: string, client: Client = approver.client) =>
  client.get<Request>(`${REQUESTS}/${id}`);

describe("permission to request an increase", () => {
  test("a member of the workspace sees the limit, and by role the spend", async ({
    h,
    company,
  }) => {
    const answer = await company.createRequest();
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^slir_[0-9A-Za-z]{24}$/),
      type: "increase_request",
      requester: { type: "user", id: requester.id, name: "Rita", email: requester.email },
      scope: workspace(),
      scope_name: "Research",
      period: "monthly",
      limit_when_asked_usd: "100.00",
      amount_usd: "200.00",
      reason: "A larger evaluation.",
      limit_usd: "100.00",
      spent_usd: "0.00",
      held_usd: "0.00",
      status: "pending",
      approved_usd: null,
      answer: null,
      resolved_by: null,
      is_own: true,
      can_resolve: false,
      created_at: new Date(h.clock.nowMs).toISOString(),
      resolved_at: null,
    });
    expect(await auditEventsOf(h.deps.database, answer.body.id)).toMatchObject([
      {
        event: "increase_request.created",
        workspace_id: workspaceId,
        before: null,
        after: { scope: workspace(), period: "monthly", amount_usd: "200.00", status: "pending" },
      },
    ]);
    const shown = { ...answer.body, is_own: false, can_resolve: true };
    expect((await get(answer.body.id)).body).toEqual(shown);
  });

  test("a request does not show the spend without permission to see it", async ({
    org,
    company,
  }) => {
    const user = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
    const { body } = await company.createRequest(user.client);
    expect([body.limit_usd, body.spent_usd, body.held_usd]).toEqual(["100.00", null, null]);
    await company.setLimit({ type: "organization" }, 500);
    const fields = { scope: { type: "organization" }, amount_usd: 600 };
    const ofAll = (await company.createRequest(requester.client, fields)).body;
    expect([ofAll.limit_usd, ofAll.spent_usd, ofAll.held_usd]).toEqual(["500.00", null, null]);
  });

  test("only members of a workspace can request one for the organization", async ({
    h,
    org,
    company,
  }) => {
    await company.setLimit({ type: "organization" }, 500);
    const fields = { scope: { type: "organization" }, amount_usd: 600 };
    expect((await company.createRequest(requester.client, fields)).status).toBe(200);
    const outsider = await org.member();
    expect((await company.createRequest(outsider.client, fields)).status).toBe(403);
    const { key: secret } = await org.admin.createApiKey(workspaceId, { permissions: ["admin"] });
    expect((await company.createRequest(h.as(secret), fields)).status).toBe(403);
  });

  test("a key can request one for itself and its workspace only", async ({ h, org, company }) => {
    await company.setLimit(key(), 10);
    const own = await org.admin.createApiKey(workspaceId, { permissions: ["write"] });
    await company.setLimit(key(own.id), 10);
    const client = h.as(own.key);
    const requested = await company.createRequest(client, { scope: key(own.id) });
    expect(requested.body.requester).toEqual({
      type: "api_key",
      id: own.id,
      name: "Key",
      email: null,
    });
    expect((await company.createRequest(client)).status).toBe(200);
    const other = await company.createRequest(client, { scope: key() });
    const missing = await company.createRequest(client, { scope: key("apikey_none") });
    expect([other.status, other.error]).toEqual([404, missing.error]);
    const reader = await org.admin.createApiKey(workspaceId, { permissions: ["read"] });
    expect((await company.createRequest(h.as(reader.key))).status).toBe(403);
  });

  test("a member cannot request one for another workspace", async ({ org, company }) => {
    const elsewhere = await org.admin.createWorkspace();
    await company.setLimit(workspace(elsewhere.id), 10);
    const { status } = await company.createRequest(requester.client, {
      scope: workspace(elsewhere.id),
    });
    expect(status).toBe(404);
  });
});

describe("a request", () => {
  test("is refused without a limit or for an amount that is not higher", async ({ company }) => {
    expect(await company.createRequest(requester.client, { amount_usd: 100 })).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("more than the current limit of $100.00") },
    });
    expect(await company.createRequest(requester.client, { period: "daily" })).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("no daily spend limit") },
    });
  });

  test("is refused for an archived workspace or key", async ({ org, company }) => {
    await company.setLimit(key(), 10);
    await org.admin.post(`/v1/admin/api_keys/${apiKeyId}`, { status: "archived" });
    expect((await company.createRequest(requester.client, { scope: key() })).status).toBe(400);
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect((await company.createRequest()).status).toBe(400);
  });

  test("updates the pending request without more mail", async ({ h, company }) => {
    const id = await company.pendingId();
    const mails = await company.listMail(id);
    expect((await company.createRequest()).body.id).toBe(id);
    const changed = await company.createRequest(requester.client, { amount_usd: 300 });
    expect(changed.body).toMatchObject({ id, amount_usd: "300.00" });
    expect(await company.listMail(id)).toEqual(mails);
    expect((await auditEventsOf(h.deps.database, id)).length).toBe(2);
    await withdraw(id);
    expect(await company.pendingId()).not.toBe(id);
  });

  test("is created once by two concurrent calls", async ({ company }) => {
    const answers = await Promise.all(
      [1, 2, 3].map((i) => company.createRequest(undefined, { amount_usd: 200 + i })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  test("is refused after twenty requests in a day", async ({ h, company }) => {
    for (let i = 0; i < 20; i++) await withdraw(await company.pendingId());
    expect(await company.createRequest()).toMatchObject({
      status: 429,
      error: { type: "rate_limit_error" },
    });
    h.clock.nowMs += 86_400_001;
    expect((await company.createRequest()).status).toBe(200);
  });
});

describe("messages", () => {
  test("go to all members who can set the limit, except the requester", async ({
    org,
    company,
  }) => {
    const there = await org.member({ workspaces: { [workspaceId]: "workspace_admin" } });
    const billing = await org.member({ role: "billing" });
    await org.member({ role: "developer" });
    const id = await company.pendingId(there.client);
    const mails = await company.listMail(id);
    expect(mails.map(({ to_address }) => to_address)).toEqual(
      [approver.email, billing.email].sort(),
    );
    const text = await company.textOf(mails[0]?.id ?? "");
    expect(text).toContain("The monthly limit of the workspace Research is $100.00.");
    expect(text).toContain("requests $200.00");
    expect(text).toContain(`${PUBLIC_URL}/increase-requests/${id}`);
  });

  test("report the decision to the requester, unless it is silent", async ({ org, company }) => {
    const id = await company.pendingId();
    await approve(id, { amount_usd: 150, answer: "For this month." });
    const [told, ...others] = await company.listMail(id);
    expect(others).toEqual([]);
    expect(told).toMatchObject({
      to_address: requester.email,
      subject: "Your increase request was approved",
    });
    const text = await company.textOf(told?.id ?? "");
    expect(text).toContain("is now $150.00.");
    expect(text).toContain("For this month.");
    const silent = await company.pendingId();
    const url = `/v1/organizations/spend_limit_increase_requests/${silent}/deny`;
    await org.admin.post(url, { suppress_notification: true });
    expect(await company.listMail(silent)).not.toMatchObject([{ to_address: requester.email }]);
  });

  test("go to the owner of the requesting key, and to no one for a workspace's key", async ({
    h,
    org,
    company,
  }) => {
    const personal = await requester.client.createApiKey(workspaceId, {
      permissions: ["write"],
      owner_member_id: requester.id,
    });
    const shared = await org.admin.createApiKey(workspaceId, { permissions: ["write"] });
    for (const [secret, told] of [
      [personal.key, [requester.email]],
      [shared.key, []],
    ] as const) {
      const id = await company.pendingId(h.as(secret));
      await deny(id);
      expect((await company.listMail(id)).map(({ to_address }) => to_address)).toEqual(told);
    }
  });
});

describe("an approval", () => {
  test("sets the limit and resolves the request, with both events, and keeps the enforcement", async ({
    h,
    org,
    company,
  }) => {
    await company.setLimit(workspace(), 100, { enforcement: "soft" });
    const id = await company.pendingId();
    const events = await watchEvents(h.deps.database, org.id);
    const answer = await approve(id, { answer: "Yes." });
    expect(answer.body).toMatchObject({
      status: "approved",
      approved_usd: "200.00",
      limit_usd: "200.00",
      limit_when_asked_usd: "100.00",
      answer: "Yes.",
      resolved_by: { type: "user", id: approver.id, name: "Abe" },
      can_resolve: false,
      resolved_at: new Date(h.clock.nowMs).toISOString(),
    });
    expect(await company.limitsNow()).toMatchObject([{ limit_usd: 200, enforcement: "soft" }]);
    expect(await events()).toMatchObject([
      { event: "spend_limit.set", before: { limit_usd: "100.00" }, after: { limit_usd: "200.00" } },
      {
        event: "increase_request.approved",
        before: { status: "pending" },
        after: { status: "approved", approved_usd: "200.00", is_self_approved: false },
      },
    ]);
    // The requester sees the name of the approver, without the address.
    const seen = await get(id, requester.client);
    expect(seen.body.resolved_by).toEqual({
      type: "user",
      id: approver.id,
      name: "Abe",
      email: null,
    });
  });

  test("of the operator's own request is recorded as such", async ({ h, org, company }) => {
    const id = await company.pendingId(org.operator);
    expect((await get(id, org.operator)).body.can_resolve).toBe(true);
    await approve(id, {}, org.operator);
    expect((await auditEventsOf(h.deps.database, id)).at(-1)).toMatchObject({
      event: "increase_request.approved",
      after: { is_self_approved: true },
    });
    const own = await company.pendingId(requester.client, { amount_usd: 300 });
    expect((await approve(own, {}, requester.client)).status).toBe(403);
  });

  test("does not lower a limit that was raised since, and does not create a deleted one", async ({
    org,
    company,
  }) => {
    const id = await company.pendingId();
    const { id: limitId } = await company.setLimit(workspace(), 250);
    expect(await approve(id)).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("The limit is $250.00 now") },
    });
    await org.admin.remove(`/v1/admin/spend_limits/${limitId}`);
    expect((await get(id)).body.limit_usd).toBeNull();
    expect(await approve(id)).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("The limit was deleted") },
    });
    expect((await get(id)).body.status).toBe("pending");
    // A limit is identified by scope and period, so the approval raises the new limit.
    await company.setLimit(workspace(), 120);
    expect((await approve(id)).status).toBe(200);
    expect(await company.limitsNow()).toMatchObject([{ limit_usd: 200 }]);
  });

  test("happens once of concurrent decisions", async ({ org, company }) => {
    const second = await org.member({ role: "owner" });
    for (let round = 0; round < 5; round++) {
      const [limit] = await company.limitsNow();
      const amount_usd = (limit?.limit_usd ?? 0) + 100;
      const id = await company.pendingId(requester.client, { amount_usd });
      const answers = await Promise.all([
        approve(id),
        deny(id, {}, second.client),
        approve(id, { amount_usd: amount_usd + 50 }, second.client),
        withdraw(id),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
      const { body } = await get(id);
      const won = answers.find(({ status }) => status === 200)?.body;
      expect(body.status).toBe(won?.status);
      const expected = body.status === "approved" ? Number(body.approved_usd) : limit?.limit_usd;
      expect(await company.limitsNow()).toMatchObject([{ limit_usd: expected }]);
    }
  });
});

describe("a decided request", () => {
  test("can be denied again without effect, but not approved or withdrawn", async ({
    h,
    company,
  }) => {
    const id = await company.pendingId();
    const first = await deny(id, { answer: "No." });
    expect(first.body).toMatchObject({ status: "denied", answer: "No.", approved_usd: null });
    expect((await deny(id)).body).toEqual(first.body);
    expect((await approve(id)).status).toBe(400);
    expect((await withdraw(id)).status).toBe(400);
    expect((await auditEventsOf(h.deps.database, id)).length).toBe(2);
  });

  test("cannot be denied or approved after an approval", async ({ company }) => {
    const id = await company.pendingId();
    await approve(id);
    expect((await deny(id)).status).toBe(400);
    expect((await approve(id)).status).toBe(400);
  });

  test("can be withdrawn repeatedly by its requester only", async ({ company }) => {
    const id = await company.pendingId();
    expect((await withdraw(id, approver.client)).status).toBe(403);
    const first = await withdraw(id);
    expect(first.body.status).toBe("withdrawn");
    expect((await withdraw(id)).body).toEqual(first.body);
    expect((await deny(id)).status).toBe(400);
  });
});

describe("a request whose workspace or requester has changed", () => {
  test("can be denied but not approved in an archived workspace", async ({ org, company }) => {
    const id = await company.pendingId();
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect((await approve(id)).status).toBe(400);
    expect((await deny(id)).status).toBe(200);
  });

  test("can be decided without mail after its requester was removed", async ({ org, company }) => {
    const id = await company.pendingId();
    await org.operator.post(`/v1/admin/members/${requester.id}/remove`, {});
    await org.operator.remove(`/v1/admin/members/${requester.id}`);
    const answer = await approve(id);
    expect(answer.body).toMatchObject({
      status: "approved",
      requester: { id: requester.id, email: null },
    });
    expect(await company.listMail(id)).toEqual([]);
  });

  test("is visible to a requester who left the workspace, without limit and spend", async ({
    h,
    company,
  }) => {
    const id = await company.pendingId();
    await setWorkspaceRole(h.deps, {
      workspaceId,
      memberId: requester.id,
      role: null,
    });
    expect((await get(id, requester.client)).body).toMatchObject({
      limit_when_asked_usd: "100.00",
      limit_usd: null,
      spent_usd: null,
    });
  });
});

describe("the list", () => {
  const ids = async (client: Client, query = "") =>
    (await client.get<Listed<Request>>(`${REQUESTS}${query}`)).body.data.map(({ id }) => id);

  test("has the caller's own requests and those that the caller can decide, newest first", async ({
    org,
    company,
  }) => {
    const elsewhere = await org.admin.createWorkspace();
    await company.setLimit(workspace(elsewhere.id), 10);
    const other = await org.member({ workspaces: { [elsewhere.id]: "workspace_user" } });
    const mine = await company.pendingId();
    const theirs = await company.pendingId(other.client, { scope: workspace(elsewhere.id) });
    const leader = await org.member({ workspaces: { [elsewhere.id]: "workspace_admin" } });
    expect(await ids(requester.client)).toEqual([mine]);
    expect(await ids(leader.client)).toEqual([theirs]);
    expect(await ids(approver.client)).toEqual([theirs, mine]);
    expect(await ids(approver.client, `?workspace_id=${workspaceId}`)).toEqual([mine]);
    const missing = await get("slir_none", leader.client);
    expect((await get(mine, leader.client)).error).toEqual(missing.error);
    expect(missing.status).toBe(404);
    expect((await approve(mine, {}, leader.client)).status).toBe(404);
  });

  test("filters by status, and continues from a cursor", async ({ company }) => {
    const made = [];
    for (let i = 0; i < 3; i++) {
      const id = await company.pendingId();
      made.unshift(id);
      if (i < 2) await deny(id);
    }
    expect(await ids(approver.client, "?statuses=denied")).toEqual(made.slice(1));
    const first = await approver.client.get<Listed<Request>>(`${REQUESTS}?limit=2`);
    expect(first.body.data.map(({ id }) => id)).toEqual(made.slice(0, 2));
    expect(await ids(approver.client, `?limit=2&page=${first.body.next_page}`)).toEqual(
      made.slice(2),
    );
  });
});

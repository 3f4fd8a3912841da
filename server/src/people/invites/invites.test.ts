import { afterAll, describe, expect } from "vitest";
import { type RunningJobs, runJobs } from "#src/jobs/run-jobs.ts";
import { mailSchedule, makeMailJobs } from "#src/mail/mail-jobs.ts";
import { makeSmtpTransport } from "#src/mail/smtp.ts";
import { type Listed, PUBLIC_URL } from "#test/harness/admin.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import {
  INVITES,
  type Invite,
  newEmail,
  OFFICIAL,
  type Results,
  test,
  tokenOf,
} from "#test/harness/invites.ts";
import { type MailServer, startMailServer } from "#test/harness/mail-server.ts";

const DAY_MS = 86_400_000;

describe("creating", () => {
  test("returns an invite and its link, and sends its message", async ({ h, org, invites }) => {
    const workspace = await org.admin.createWorkspace({ name: "Research" });
    const workspaces = [{ workspace_id: workspace.id, workspace_role: "Developer" }];
    const answer = await invites.send(
      { emails: ["Ann@Example.com"], role: "Developer", workspaces },
      org.operator,
    );
    const [result] = answer.body.results;
    const { id } = result?.invite ?? { id: "" };
    expect(result).toEqual({
      email: "Ann@Example.com",
      result: "invited",
      reason: null,
      link: expect.stringMatching(/^https:\/\/bursar\.example\.com\/invite#token=[0-9A-Za-z]{43}$/),
      invite: {
        id: expect.stringMatching(/^invite_[0-9A-Za-z]{24}$/),
        type: "invite",
        email: "ann@example.com",
        role: "developer",
        status: "pending",
        workspaces: [{ workspace_id: workspace.id, workspace_role: "workspace_developer" }],
        groups: [],
        invited_by: { type: "local_operator", id: "1000" },
        invited_at: new Date(h.clock.nowMs).toISOString(),
        expires_at: new Date(h.clock.nowMs + 21 * DAY_MS).toISOString(),
        accepted_at: null,
        revoked_at: null,
        member_id: null,
      },
    });
    const token = tokenOf(result?.link ?? "");
    const read = await org.admin.get(`${INVITES}/${id}`);
    expect(read.body).toEqual(result?.invite);
    expect(read.text).not.toContain(token);
    const mail = await org.admin.get<Listed<{ id: string; to: string }>>("/v1/admin/mail");
    expect(mail.body.data.map(({ to }) => to)).toEqual(["ann@example.com"]);
    const message = await org.operator.get<{ body: { text: string; html: string } }>(
      `/v1/admin/mail/${mail.body.data[0]?.id}`,
    );
    expect(message.body.body.text).toContain(`${PUBLIC_URL}/invite#token=${token}`);
    expect(message.body.body.text).toContain("Analytical Engines");
    expect(message.body.body.text).toContain("Research");
    const [event] = await auditEventsOf(h.deps.database, id);
    expect(event).toMatchObject({ event: "invite.created", before: null });
    expect(JSON.stringify(event)).not.toContain(token);
  });

  test("returns one result for each of up to fifty addresses, in order", async ({
    org,
    invites,
  }) => {
    const member = await org.member({ email: "member@example.com" });
    const before = await invites.inviteOne({ emails: ["waiting@example.com"] });
    const many = Array.from({ length: 40 }, (_, i) => `bulk-${i}@example.com`);
    const emails = [
      ...many,
      "BULK-3@example.com",
      " New@Example.com ",
      "Member@example.com",
      "WAITING@example.com",
      "no address",
      "a@b@example.com",
      "ünï@example.com",
      "ann@MÜNCHEN.de",
      "x\r\nbcc: eve@example.com",
      "",
    ];
    const answer = await invites.send({ emails }, org.operator);
    const shown = answer.body.results.map(({ email, result, invite: made }) => [
      email,
      result,
      made?.email ?? null,
    ]);
    expect(shown.slice(0, 40)).toEqual(many.map((email) => [email, "invited", email]));
    expect(shown.slice(40)).toEqual([
      ["BULK-3@example.com", "already_invited", null],
      [" New@Example.com ", "invited", "new@example.com"],
      ["Member@example.com", "already_member", null],
      ["WAITING@example.com", "already_invited", "waiting@example.com"],
      ["no address", "invalid", null],
      ["a@b@example.com", "invalid", null],
      ["ünï@example.com", "invalid", null],
      ["ann@MÜNCHEN.de", "invited", "ann@xn--mnchen-3ya.de"],
      ["x\r\nbcc: eve@example.com", "invalid", null],
      ["", "invalid", null],
    ]);
    for (const { result, reason, link } of answer.body.results) {
      expect([reason === null, link !== null]).toEqual([
        result === "invited",
        result === "invited",
      ]);
    }
    // Only new invites have an event.
    const { rows } = await invites.listEvents();
    expect(rows.filter(({ event }) => event === "invite.created").length).toBe(43);
    expect((await org.admin.get(`/v1/admin/members/${member.id}`)).status).toBe(200);
    expect((await invites.lookUp(before.token)).status).toBe(200);
    expect((await invites.send({ emails: Array(51).fill("a@example.com") })).status).toBe(400);
    expect((await invites.send({ emails: [] })).status).toBe(400);
  });

  test("returns the same links and creates nothing for a repeated Idempotency-Key", async ({
    org,
    invites,
  }) => {
    const payload = { emails: [newEmail(), newEmail()], role: "user" };
    const headers = { "idempotency-key": "once" };
    const call = () => org.admin.send<Results>({ method: "POST", url: INVITES, headers, payload });
    const [first, again] = [await call(), await call()];
    expect(first.body.results.map(({ result }) => result)).toEqual(["invited", "invited"]);
    expect(again.body).toEqual(first.body);
    expect((await org.admin.get<Listed<Invite>>(INVITES)).body.data.length).toBe(2);
    const { rows } = await invites.listEvents();
    expect(rows.filter(({ event }) => event === "invite.created").length).toBe(2);
  });

  test("writes no event if no address can be invited", async ({ invites }) => {
    expect((await invites.send({ emails: ["not-an-address"] })).status).toBe(200);
    expect((await invites.listEvents()).rows.map(({ event }) => event)).not.toContain(
      "invite.created",
    );
  });

  test("creates one invite for concurrent calls with one address", async ({ invites }) => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => invites.send({ emails: ["once@example.com", newEmail()] })),
    );
    const results = answers.map(({ body }) => body.results[0]?.result).sort();
    expect(results).toEqual([...Array(4).fill("already_invited"), "invited"]);
    expect(answers.every(({ body }) => body.results[1]?.result === "invited")).toBe(true);
  });

  test("creates nothing if a workspace is invalid", async ({ h, org, invites }) => {
    const theirs = await (await h.organization()).admin.createWorkspace();
    const archived = await org.admin.createWorkspace();
    await org.admin.post(`/v1/admin/workspaces/${archived.id}/archive`);
    const mine = await org.admin.createWorkspace();
    const role = "workspace_user";
    for (const [ids, status] of [
      [[theirs.id], 404],
      [["wksp_unknown"], 404],
      [[archived.id], 400],
      [[mine.id, mine.id], 400],
    ] as const) {
      const workspaces = ids.map((workspace_id) => ({ workspace_id, workspace_role: role }));
      expect((await invites.send({ emails: [newEmail()], workspaces })).status).toBe(status);
    }
    const workspaces = [{ workspace_id: mine.id, workspace_role: role }];
    const asAdmin = await invites.send({ emails: [newEmail()], role: "admin", workspaces });
    expect(asAdmin.status).toBe(400);
    expect((await org.admin.get<Listed<Invite>>(INVITES)).body.data).toEqual([]);
    expect((await org.admin.get<Listed<unknown>>("/v1/admin/mail")).body.data).toEqual([]);
  });

  test("refuses a role above the caller's, and requires step-up for admin", async ({
    org,
    invites,
  }) => {
    const admin = await org.member({ role: "admin" });
    const unconfirmed = await org.member({ role: "admin", steppedUpAtMs: null });
    for (const client of [admin.client, org.admin]) {
      const refused = await invites.send({ emails: [newEmail()], role: "owner" }, client);
      expect([refused.status, refused.error.type]).toEqual([403, "permission_error"]);
    }
    const asked = await invites.send({ emails: [newEmail()], role: "Admin" }, unconfirmed.client);
    expect([asked.status, asked.headers["bursar-step-up"]]).toEqual([403, "required"]);
    expect((await invites.send({ emails: [newEmail()] }, unconfirmed.client)).status).toBe(200);
    expect((await invites.send({ emails: [newEmail()], role: "Admin" }, admin.client)).status).toBe(
      200,
    );
    const toAdmin = await invites.inviteOne({ role: "admin" }, admin.client);
    const resent = await unconfirmed.client.post(`${INVITES}/${toAdmin.id}/resend`);
    expect([resent.status, resent.headers["bursar-step-up"]]).toEqual([403, "required"]);
    expect((await invites.lookUp(toAdmin.token)).status).toBe(200);
    const owner = await org.member({ role: "owner" });
    const toOwner = await invites.inviteOne({ role: "owner" }, owner.client);
    for (const attempt of [
      await admin.client.post(`${INVITES}/${toOwner.id}/resend`),
      await admin.client.remove(`${INVITES}/${toOwner.id}`),
      await org.admin.remove(`${OFFICIAL}/${toOwner.id}`),
    ]) {
      expect(attempt.status).toBe(403);
    }
  });
});

describe("a resent invite", () => {
  test("has a new link and three more weeks, without the old link and message", async ({
    h,
    org,
    invites,
  }) => {
    const made = await invites.inviteOne();
    h.clock.nowMs += 30 * DAY_MS;
    expect((await org.admin.get<Invite>(`${INVITES}/${made.id}`)).body.status).toBe("expired");
    const resend = `${INVITES}/${made.id}/resend`;
    const again = await org.operator.post<Invite & { link: string }>(resend);
    expect(again.body).toMatchObject({
      id: made.id,
      status: "pending",
      expires_at: new Date(h.clock.nowMs + 21 * DAY_MS).toISOString(),
    });
    expect((await invites.lookUp(made.token)).status).toBe(404);
    expect((await invites.lookUp(tokenOf(again.body.link))).status).toBe(200);
    const mail = await org.admin.get<Listed<{ status: string }>>("/v1/admin/mail");
    expect(mail.body.data.map(({ status }) => status)).toEqual(["queued", "withdrawn"]);
    const events = await auditEventsOf(h.deps.database, made.id);
    expect(events.map(({ event }) => event)).toEqual(["invite.created", "invite.resent"]);
  });

  test("cannot be accepted, revoked or replaced", async ({ h, org, invites }) => {
    const accepted = await invites.inviteOne();
    await invites.accept(accepted.token);
    const revoked = await invites.inviteOne();
    await org.admin.remove(`${INVITES}/${revoked.id}`);
    for (const { id } of [accepted, revoked]) {
      expect((await org.admin.post(`${INVITES}/${id}/resend`)).status).toBe(400);
      expect((await org.admin.remove(`${INVITES}/${id}`)).status).toBe(400);
    }
    const old = await invites.inviteOne();
    h.clock.nowMs += 22 * DAY_MS;
    const newer = await invites.inviteOne({ emails: [old.email] });
    expect((await org.admin.post(`${INVITES}/${old.id}/resend`)).status).toBe(409);
    const listed = await org.admin.get<Listed<Invite>>(`${INVITES}?statuses=pending,expired`);
    expect(listed.body.data.map(({ id, status }) => [id, status])).toEqual([
      [newer.id, "pending"],
      [old.id, "expired"],
    ]);
  });
});

describe("the lists", () => {
  test("filter by status, show revoked ones on request only, and never in the official shape", async ({
    org,
    invites,
  }) => {
    const pending = await invites.inviteOne();
    const revoked = await invites.inviteOne();
    await org.admin.remove(`${INVITES}/${revoked.id}`);
    const accepted = await invites.inviteOne();
    await invites.accept(accepted.token);
    const ids = async (url: string) => {
      const { body } = await org.admin.get<Listed<{ id: string }>>(url);
      return new Set(body.data.map(({ id }) => id));
    };
    expect(await ids(INVITES)).toEqual(new Set([pending.id, accepted.id]));
    expect(await ids(`${INVITES}?statuses=revoked`)).toEqual(new Set([revoked.id]));
    expect(await ids(`${INVITES}?statuses=pending,revoked`)).toEqual(
      new Set([pending.id, revoked.id]),
    );
    expect(await ids(OFFICIAL)).toEqual(new Set([pending.id, accepted.id]));
    expect(await ids(`${OFFICIAL}?statuses[]=accepted`)).toEqual(new Set([accepted.id]));
    const upper = encodeURIComponent(pending.email.toUpperCase());
    expect(await ids(`${OFFICIAL}?email=${upper}`)).toEqual(new Set([pending.id]));
    expect(await ids(`${OFFICIAL}?email=%25`)).toEqual(new Set());
    expect((await org.admin.get(`${OFFICIAL}/${revoked.id}`)).status).toBe(404);
    expect((await org.admin.remove(`${OFFICIAL}/${revoked.id}`)).status).toBe(404);
    expect((await org.admin.get(`${OFFICIAL}?statuses[]=revoked`)).status).toBe(400);
  });
});

describe("the official shape", () => {
  test("creates an invite, or refuses with an official code", async ({ h, org }) => {
    const email = newEmail();
    const made = await org.admin.post<{ id: string }>(OFFICIAL, { email, role: "developer" });
    expect(made.body).toEqual({
      id: expect.stringMatching(/^invite_/),
      type: "invite",
      email,
      role: "developer",
      status: "pending",
      invited_at: new Date(h.clock.nowMs).toISOString(),
      expires_at: new Date(h.clock.nowMs + 21 * DAY_MS).toISOString(),
      accepted_at: null,
      rbac_group_ids: [],
    });
    const member = await org.member();
    for (const [body, code] of [
      [{ email: email.toUpperCase(), role: "user" }, "invite_already_exists"],
      [{ email: member.email, role: "user" }, "already_member"],
    ] as const) {
      const refused = await org.admin.post(OFFICIAL, body);
      expect(refused.status).toBe(400);
      expect(refused.body).toMatchObject({
        error: { type: "invalid_request_error", details: { error_code: code } },
      });
    }
    for (const body of [
      { email: newEmail(), role: "admin" },
      { email: newEmail(), role: "owner" },
      { email: "not-an-address", role: "user" },
      { email: newEmail() },
    ]) {
      expect((await org.admin.post(OFFICIAL, body)).status).toBe(400);
    }
    const deleted = await org.admin.remove(`${OFFICIAL}/${made.body.id}`);
    expect(deleted.body).toEqual({ id: made.body.id, type: "invite_deleted" });
  });
});

describe("the message", () => {
  let server: MailServer;
  let jobs: RunningJobs;

  test.beforeAll(async ({ h }) => {
    server = await startMailServer();
    const { database, sealingKey, logger } = h.deps;
    const transport = makeSmtpTransport({ url: server.url, from: "Bursar <bursar@example.com>" });
    jobs = runJobs({
      connectionString: h.connectionString,
      jobs: makeMailJobs({ database, sealingKey, transport, logger }),
      schedule: mailSchedule,
      logger,
    });
  });
  afterAll(async () => {
    await jobs.stop();
    await server.close();
  });

  test("arrives by mail with a link that grants role and workspace", async ({ h, invites }) => {
    const named = await h.organization('Ada & "Charles" <b>Ltd</b>');
    const workspace = await named.admin.createWorkspace({ name: "<Research>" });
    const workspaces = [{ workspace_id: workspace.id, workspace_role: "workspace_admin" }];
    const email = newEmail();
    await invites.send({ emails: [email], workspaces }, named.admin);
    const mail = await server.messageTo(email);
    expect(mail.subject).toBe('You are invited to Ada & "Charles" <b>Ltd</b>');
    expect(mail.html).toContain("Ada &amp; &quot;Charles&quot; &lt;b&gt;Ltd&lt;/b&gt;");
    expect(mail.html).toContain("&lt;Research&gt;");
    expect(mail.html).not.toContain("<b>Ltd");
    const [link = ""] = /https:\S+/.exec(mail.text ?? "") ?? [];
    expect(mail.html).toContain(`href="${link}"`);
    const { member_id: id } = (await invites.accept(tokenOf(link))).body;
    const member = await named.admin.get(`/v1/admin/members/${id}`);
    expect(member.body).toMatchObject({
      email,
      role: "user",
      workspaces: [{ workspace_id: workspace.id, workspace_role: "workspace_admin" }],
    });
    // Log lines do not repeat a link that was sent by mail.
    expect(h.logs.join("")).not.toContain(tokenOf(link));
  });
});

import { describe, expect } from "vitest";
import type { Listed } from "#test/harness/admin.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { INVITES, type Invite, newEmail, PASSWORD, test } from "#test/harness/invites.ts";

const DAY_MS = 86_400_000;

describe("accepting", () => {
  test("creates the member with role and workspaces in one transaction, and signs in", async ({
    h,
    org,
    invites,
  }) => {
    const workspace = await org.admin.createWorkspace({ name: "Research" });
    const closed = await org.admin.createWorkspace({ name: "Closed" });
    const workspaces = [workspace, closed].map(({ id }) => ({
      workspace_id: id,
      workspace_role: "workspace_developer",
    }));
    const made = await invites.inviteOne({
      emails: ["Ann2@example.com"],
      role: "developer",
      workspaces,
    });
    await org.admin.post(`/v1/admin/workspaces/${closed.id}/archive`);
    expect((await invites.lookUp(made.token)).body).toMatchObject({
      type: "offered_invite",
      organization_name: "Analytical Engines",
      email: "ann2@example.com",
      role: "developer",
      workspaces: [{ name: "Research", workspace_role: "workspace_developer" }],
      expires_at: made.expires_at,
    });
    const accepted = await invites.accept(made.token);
    expect([accepted.status, accepted.body]).toEqual([
      200,
      { type: "signed_in", member_id: expect.stringMatching(/^user_/) },
    ]);
    const cookies = [accepted.headers["set-cookie"] ?? ""].flat();
    expect(cookies.some((line) => /HttpOnly/i.test(line) && /SameSite=Strict/i.test(line))).toBe(
      true,
    );
    const { member_id: id } = accepted.body;
    const member = await org.admin.get(`/v1/admin/members/${id}`);
    expect(member.body).toMatchObject({
      email: "ann2@example.com",
      name: "Ann Smith",
      role: "developer",
      status: "active",
      workspaces: [{ workspace_id: workspace.id, workspace_role: "workspace_developer" }],
    });
    expect((await org.admin.get<Invite>(`${INVITES}/${made.id}`)).body).toMatchObject({
      status: "accepted",
      accepted_at: new Date(h.clock.nowMs).toISOString(),
      member_id: id,
    });
    const events = await auditEventsOf(h.deps.database, made.id);
    expect(events.map(({ event, actor_type, actor_id }) => [event, actor_type, actor_id])).toEqual([
      ["invite.created", "local_operator", "1000"],
      ["invite.accepted", "member", id],
    ]);
    expect(JSON.stringify(events)).not.toContain(PASSWORD);
  });

  test("succeeds once", async ({ invites }) => {
    const { token } = await invites.inviteOne();
    expect((await invites.accept(token)).status).toBe(200);
    for (const again of [await invites.accept(token), await invites.lookUp(token)]) {
      expect(again.status).toBe(400);
      expect(again.error.message).toContain("already accepted");
    }
  });

  test("creates one member for concurrent calls", async ({ org, invites }) => {
    const { token, email } = await invites.inviteOne();
    const answers = await Promise.all(Array.from({ length: 4 }, () => invites.accept(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
    const url = `/v1/admin/members?search=${encodeURIComponent(email)}`;
    expect((await org.admin.get<Listed<unknown>>(url)).body.data.length).toBe(1);
  });

  test("reports the reason for an expired, revoked, altered or replaced link", async ({
    h,
    org,
    invites,
  }) => {
    const revoked = await invites.inviteOne();
    await org.admin.remove(`${INVITES}/${revoked.id}`);
    const replaced = await invites.inviteOne();
    await org.admin.post(`${INVITES}/${replaced.id}/resend`);
    const expired = await invites.inviteOne();
    const altered = `${expired.token.slice(0, -1)}${expired.token.endsWith("x") ? "y" : "x"}`;
    h.clock.nowMs += 21 * DAY_MS;
    for (const [token, status, words] of [
      [revoked.token, 400, "was revoked"],
      [replaced.token, 404, "a newer link has replaced it"],
      [altered, 404, "is incomplete"],
      ["x", 404, "is incomplete"],
      [expired.token, 400, `expired at ${new Date(h.clock.nowMs).toISOString()}`],
    ] as const) {
      for (const answer of [await invites.lookUp(token), await invites.accept(token)]) {
        expect([answer.status, answer.error.message]).toEqual([
          status,
          expect.stringContaining(words),
        ]);
      }
    }
  });

  test("requires a password that is hard to guess, and a name of one line", async ({ invites }) => {
    const { token } = await invites.inviteOne();
    for (const fields of [
      { password: "short" },
      { password: "password-password" },
      { name: "Ann\r\nBcc: eve@example.com" },
      { name: "" },
      { role: "owner" },
      { email: "other@example.com" },
    ]) {
      expect([fields, (await invites.accept(token, fields)).status]).toEqual([fields, 400]);
    }
    expect((await invites.accept(token)).status).toBe(200);
  });

  test("is refused if the address is a member elsewhere on this server", async ({ h, invites }) => {
    const elsewhere = await h.organization();
    const { email } = await elsewhere.member({ email: newEmail() });
    const { token } = await invites.inviteOne({ emails: [email] });
    const refused = await invites.accept(token);
    expect([refused.status, refused.error.type]).toEqual([409, "conflict_error"]);
    expect((await invites.lookUp(token)).status).toBe(200);
  });

  test("creates a new member for the address of a removed one", async ({ h, org, invites }) => {
    const { email, token } = await invites.inviteOne();
    const first = (await invites.accept(token)).body.member_id;
    await org.admin.remove(`/v1/admin/members/${first}`);
    h.clock.nowMs++;
    const again = await invites.inviteOne({ emails: [email] });
    const second = (await invites.accept(again.token)).body.member_id;
    expect(second).not.toBe(first);
    const { body } = await org.admin.get<Listed<{ id: string; status: string }>>(
      `/v1/admin/members?statuses=active,removed&search=${encodeURIComponent(email)}`,
    );
    expect(body.data.map(({ id, status }) => [id, status])).toEqual([
      [second, "active"],
      [first, "removed"],
    ]);
  });

  test("rejects a request from another origin", async ({ h, invites }) => {
    const { token } = await invites.inviteOne();
    const foreign = await h.as(null).send({
      method: "POST",
      url: `${INVITES}/accept`,
      headers: { host: "localhost:8484", origin: "https://evil.example", "x-bursar-console": "1" },
      payload: { token, name: "Eve", password: PASSWORD },
    });
    expect(foreign.status).toBe(403);
    expect((await invites.lookUp(token)).status).toBe(200);
  });

  test("requires the token, which no table stores", async ({ h, invites }) => {
    const { token, id } = await invites.inviteOne();
    const row = await h.deps.database
      .selectFrom("invite")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(token);
    for (const stored of [
      Buffer.from(row.token_hash).toString("hex"),
      Buffer.from(row.token_hash).toString("base64url"),
      id,
    ]) {
      expect((await invites.lookUp(stored)).status).toBe(404);
    }
  });
});

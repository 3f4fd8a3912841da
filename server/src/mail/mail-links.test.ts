import type { mailWithBody } from "@bursar/contract/admin/mail.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { HIDDEN_LINK } from "./hide-links.rule.ts";

// A link in a message grants access to its recipient. Without a mail server the messages wait in the server.

const MAIL = "/v1/admin/mail";
const RESET = "/v1/admin/password_reset";
const NEW_PASSWORD = "another good sentence to keep";

type Mail = z.output<typeof mailWithBody>;

const test = base
  .extend("owner", ({ org }) => org.member({ role: "owner", steppedUpAtMs: null }))
  .extend("mail", ({ h, org }) => {
    const findNewest = async (email: string): Promise<string> => {
      const { body } = await org.operator.get<Listed<{ id: string; to: string }>>(MAIL);
      return body.data.find(({ to }) => to === email)?.id ?? "";
    };

    /** Requests a reset link as a stranger. Returns the id of the message. */
    async function requestReset({ email }: TestMember): Promise<string> {
      await h.visitor.post(RESET, { email });
      await h.deps.background.waitUntilIdle();
      return findNewest(email);
    }

    const read = (client: Client, id: string) => client.get<Mail>(`${MAIL}/${id}`);
    return { findNewest, requestReset, read };
  });

const readToken = (text: string) => /#token=(\S+)/.exec(text)?.[1];

test("an unlocked screen of an owner gives no way to a new password or an admin key", async ({
  h,
  owner,
  mail,
}) => {
  const id = await mail.requestReset(owner);
  const answer = await mail.read(owner.client, id);
  expect([answer.status, answer.error.details?.error_code]).toEqual([403, "step_up_required"]);
  expect(answer.text).not.toContain("#token=");
  const created = await owner.client.post("/v1/admin/admin_keys", { name: "Mine" });
  expect(created.error.details?.error_code).toBe("step_up_required");
  const signIn = { email: owner.email, password: MEMBER_PASSWORD };
  expect((await h.visitor.post("/v1/admin/sign_in", signIn)).status).toBe(200);
});

describe("a message with a link", () => {
  test("shows no link to admin keys, admins and other owners", async ({ org, owner, mail }) => {
    const id = await mail.requestReset(owner);
    const others = [await org.member({ role: "owner" }), await org.member({ role: "admin" })];
    for (const client of [org.admin, ...others.map((other) => other.client)]) {
      const { body, text } = await mail.read(client, id);
      expect(body.access_links).toBe("hidden");
      expect(body.body?.text).toContain(HIDDEN_LINK);
      expect(body.body?.text).toContain(`A new password was requested for ${owner.email}.`);
      expect(text).not.toContain("token");
    }
  });

  test("shows its link to the operator, and to the recipient after a step-up", async ({
    h,
    org,
    owner,
    mail,
  }) => {
    const id = await mail.requestReset(owner);
    await owner.client.post("/v1/admin/step_up", { password: MEMBER_PASSWORD });
    for (const client of [org.operator, owner.client]) {
      const { body } = await mail.read(client, id);
      expect(body.access_links).toBe("shown");
      expect(readToken(body.body?.text ?? "")).toMatch(/./);
    }
    const { body } = await mail.read(org.operator, id);
    const token = readToken(body.body?.text ?? "");
    const reset = { token, password: NEW_PASSWORD };
    expect((await h.visitor.post(`${RESET}/confirm`, reset)).status).toBe(200);
    expect((await owner.client.get("/v1/admin/session")).status).toBe(401);
  });

  test("leaves an event with its recipient and kind each time that it is read", async ({
    h,
    org,
    owner,
    mail,
  }) => {
    const events = await watchEvents(h.deps.database, org.id);
    const id = await mail.requestReset(owner);
    await mail.read(org.admin, id);
    await mail.read(org.operator, id);
    await mail.read(owner.client, id);
    const reads = (await events()).filter(({ event }) => event === "mail.read");
    const after = { to: owner.email, kind: "password_reset" };
    expect(reads.map((each) => [each.actor_type, each.subject_type, each.after])).toEqual([
      ["admin_key", "mail", { ...after, access_links: "hidden" }],
      ["local_operator", "mail", { ...after, access_links: "shown" }],
    ]);
  });
});

describe("an invite", () => {
  const invite = { emails: ["new@example.com"], role: "developer" };
  type Created = { results: { link: string | null; invite: { id: string } }[] };

  test("shows its link once to the member who invites, and to no admin key", async ({
    org,
    mail,
  }) => {
    const { client } = await org.member({ role: "admin" });
    const made = await client.post<Created>("/v1/admin/invites", invite);
    expect(made.body.results[0]?.link).toContain("#token=");
    const { text } = await mail.read(client, await mail.findNewest("new@example.com"));
    expect(text).not.toContain("token");
    const resend = `/v1/admin/invites/${made.body.results[0]?.invite.id}/resend`;
    expect((await org.admin.post<{ link: string | null }>(resend)).body.link).toBeNull();
    const other = { ...invite, emails: ["other@example.com"] };
    const byKey = await org.admin.post<Created>("/v1/admin/invites", other);
    expect(byKey.body.results[0]?.link).toBeNull();
    expect(byKey.text).not.toContain("token");
  });
});

import type { createdScimToken, scimToken } from "@bursar/contract/admin/scim-tokens.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { hashSecret } from "#src/domain/key-format.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { newDirectory } from "#test/harness/route-samples/subjects.ts";

type Token = z.output<typeof scimToken>;
type NewToken = z.output<typeof createdScimToken>;

const test = base.extend("tokens", async ({ org }) => {
  const { body } = await org.operator.post<{ id: string }>("/v1/admin/directories", newDirectory());
  return `/v1/admin/directories/${body.id}/scim_tokens`;
});

describe("a SCIM token", () => {
  test("is shown once, and stored as a hash", async ({ h, org, tokens }) => {
    const made = (await org.operator.post<NewToken>(tokens)).body;
    expect(made.token).toMatch(/^bursar-scim-\w{49}$/);
    const row = await h.deps.database
      .selectFrom("scim_token")
      .selectAll()
      .where("id", "=", made.id)
      .executeTakeFirstOrThrow();
    expect(Buffer.from(row.secret_hash)).toEqual(hashSecret(made.token));
    const listed = await org.operator.get<Listed<Token>>(tokens);
    const events = await auditEventsOf(h.deps.database, made.id);
    expect(listed.body.data).toMatchObject([{ id: made.id, status: "active", last_used_at: null }]);
    expect(JSON.stringify([listed, events, h.logs])).not.toContain(made.token);
    expect(events.map(({ event }) => event)).toEqual(["scim_token.created"]);
  });

  test("stays valid for the grace period of a rotation", async ({ h, org, tokens }) => {
    const made = (await org.operator.post<NewToken>(tokens)).body;
    const next = await org.operator.post<NewToken>(`${tokens}/${made.id}/rotate`, {
      grace_period_seconds: 60,
    });
    expect(next.body.id).not.toBe(made.id);
    const statuses = async () =>
      (await org.operator.get<Listed<Token>>(tokens)).body.data.map(({ id, status }) => [
        id === made.id ? "old" : "new",
        status,
      ]);
    expect(await statuses()).toContainEqual(["old", "active"]);
    h.clock.nowMs += 60_000;
    expect(await statuses()).toContainEqual(["old", "expired"]);
    expect(await statuses()).toContainEqual(["new", "active"]);
    const again = await org.operator.post(`${tokens}/${made.id}/rotate`, {});
    expect([again.status, again.error.details?.error_code]).toEqual([400, "scim_token_ended"]);
  });

  test("stays revoked", async ({ org, tokens }) => {
    const made = (await org.operator.post<NewToken>(tokens)).body;
    const revoke = () => org.operator.post<Token>(`${tokens}/${made.id}/revoke`);
    const first = (await revoke()).body;
    expect(first.status).toBe("revoked");
    expect((await revoke()).body).toEqual(first);
  });

  test("is managed by owners, in their organization only", async ({ h, org, tokens }) => {
    const admin = await org.member({ role: "admin" });
    const owner = await org.member({ role: "owner" });
    expect((await admin.client.post(tokens)).status).toBe(403);
    expect((await org.admin.post(tokens)).status).toBe(403);
    const made = (await owner.client.post<NewToken>(tokens)).body;
    const other = await h.organization();
    expect((await other.operator.get(tokens)).status).toBe(404);
    expect((await other.operator.post(`${tokens}/${made.id}/revoke`)).status).toBe(404);
  });

  test("has no right in the Admin API", async ({ h, org, tokens }) => {
    const made = (await org.operator.post<NewToken>(tokens)).body;
    const refused = await h.as(made.token).get("/v1/admin/members");
    expect([refused.status, refused.error.details?.error_code]).toEqual([401, "api_key_invalid"]);
  });

  test("has at most nine others beside it", async ({ org, tokens }) => {
    for (let i = 0; i < 10; i++) await org.operator.post(tokens);
    const refused = await org.operator.post(tokens);
    expect([refused.status, refused.error.details?.error_code]).toEqual([409, "too_many_secrets"]);
  });
});

import { describe, expect } from "vitest";
import {
  type Client,
  type CreatedApiKey,
  PUBLIC_URL,
  type TestMember,
} from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { revealSecret } from "#test/harness/reveal-secret.ts";
import { deleteExpiredSecrets } from "./waiting-secrets.sql.ts";

// The use of a personal key is in its owner's name, so only the owner has its secret.

const WAITING = "/v1/admin/waiting_secrets";
const DAY_MS = 86_400_000;
const SECRET = /sk-ant-api03-\w{20,}/;

const test = base
  .extend("workspaceId", async ({ org }) => (await org.operator.createWorkspace()).id)
  .extend("ada", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_developer" } }),
  )
  .extend("others", async ({ h, org, workspaceId }): Promise<[string, Client][]> => {
    const { key } = await org.operator.createApiKey(workspaceId, { permissions: ["admin"] });
    const workspaces = { [workspaceId]: "workspace_admin" } as const;
    return [
      ["an admin", (await org.member({ role: "admin" })).client],
      ["a workspace admin", (await org.member({ workspaces })).client],
      ["an admin key", org.admin],
      ["an API key with the permission admin", h.as(key)],
      ["the operator", org.operator],
    ];
  });

const createFor = (client: Client, workspaceId: string, owner: TestMember) =>
  client.post<CreatedApiKey>("/v1/admin/api_keys", {
    name: "Hers",
    workspace_id: workspaceId,
    owner_member_id: owner.id,
  });

const isWorking = async (client: Client) =>
  (await client.get("/v1/admin/model_prices")).status === 200;

test("no creator of a personal key gets its secret, and the owner gets it", async ({
  h,
  workspaceId,
  ada,
  others,
}) => {
  for (const [name, client] of others) {
    const made = await createFor(client, workspaceId, ada);
    expect([name, made.status, made.body.key]).toEqual([name, 200, null]);
    expect(made.body.waiting_secret?.expires_at).toBe(
      new Date(h.clock.nowMs + 7 * DAY_MS).toISOString(),
    );
    expect(made.text).not.toMatch(SECRET);
    expect((await client.get(`/v1/admin/api_keys/${made.body.id}`)).text).not.toMatch(SECRET);
    expect(await isWorking(h.as(await revealSecret(ada.client)))).toBe(true);
  }
});

test("no one who rotates a personal key gets its new secret", async ({
  h,
  workspaceId,
  ada,
  others,
}) => {
  const own = await createFor(ada.client, workspaceId, ada);
  expect([own.body.key, own.body.waiting_secret]).toEqual([expect.stringMatching(SECRET), null]);
  for (const [name, client] of others) {
    const url = `/v1/admin/api_keys/${own.body.id}/rotate`;
    const rotated = await client.post<CreatedApiKey>(url, {
      grace_period_seconds: 60,
      cut_off_previous: true,
    });
    expect([name, rotated.status, rotated.body.key]).toEqual([name, 200, null]);
    expect(rotated.text).not.toMatch(SECRET);
  }
  // Only the newest secret waits.
  const listed = await ada.client.get<{ data: { reason: string }[] }>(WAITING);
  expect(listed.body.data.map(({ reason }) => reason)).toEqual(["rotated"]);
  expect(await isWorking(h.as(await revealSecret(ada.client)))).toBe(true);
});

describe("a waiting secret", () => {
  test("is shown once, after a step-up, with an event and without a trace", async ({
    h,
    org,
    workspaceId,
  }) => {
    const owner = await org.member({
      workspaces: { [workspaceId]: "workspace_developer" },
      steppedUpAtMs: null,
    });
    const made = await createFor(org.admin, workspaceId, owner);
    const url = `${WAITING}/${made.body.waiting_secret?.id}/reveal`;
    const early = await owner.client.post(url);
    expect(early.error.details?.error_code).toBe("step_up_required");
    await owner.client.post("/v1/admin/step_up", { password: MEMBER_PASSWORD });
    const shown = await owner.client.post<{ key: string }>(url);
    expect([shown.status, shown.body.key]).toEqual([200, expect.stringMatching(SECRET)]);
    expect((await owner.client.post(url)).status).toBe(404);
    const events = await auditEventsOf(h.deps.database, made.body.id);
    expect(events.map(({ event, actor_id }) => [event, actor_id])).toEqual([
      ["api_key.created", expect.any(String)],
      ["api_key.secret_shown", owner.id],
    ]);
    expect(JSON.stringify(events)).not.toContain(shown.body.key);
    const left = await h.deps.database
      .selectFrom("waiting_secret")
      .select("id")
      .where("organization_id", "=", org.id)
      .execute();
    expect(left).toEqual([]);
  });

  test("exists for no one else", async ({ org, workspaceId, ada, others }) => {
    const made = await createFor(org.admin, workspaceId, ada);
    const url = `${WAITING}/${made.body.waiting_secret?.id}/reveal`;
    const owner = await org.member({ role: "owner" });
    expect((await owner.client.get<{ data: unknown[] }>(WAITING)).body.data).toEqual([]);
    expect((await owner.client.post(url)).status).toBe(404);
    for (const [, client] of others) {
      expect([403, 404]).toContain((await client.post(url)).status);
    }
    expect(await revealSecret(ada.client)).toMatch(SECRET);
  });

  test("ends after seven days, and with its key", async ({ h, org, workspaceId, ada }) => {
    const archived = await createFor(org.admin, workspaceId, ada);
    await org.admin.post(`/v1/admin/api_keys/${archived.body.id}`, { status: "archived" });
    const old = await createFor(org.admin, workspaceId, ada);
    const list = async () =>
      (await ada.client.get<{ data: { api_key_id: string }[] }>(WAITING)).body.data;
    expect((await list()).map(({ api_key_id }) => api_key_id)).toEqual([old.body.id]);
    h.clock.nowMs += 7 * DAY_MS;
    const signedIn = await org.member({ workspaces: {} });
    expect((await signedIn.client.get<{ data: unknown[] }>(WAITING)).body.data).toEqual([]);
    const url = `${WAITING}/${old.body.waiting_secret?.id}/reveal`;
    expect((await ada.client.post(url)).status).not.toBe(200);
    await deleteExpiredSecrets(h.deps.database, new Date(h.clock.nowMs));
    const left = await h.deps.database.selectFrom("waiting_secret").select("id").execute();
    expect(left).toEqual([]);
  });

  test("ends with another secret of the key, and with its owner", async ({
    org,
    workspaceId,
    ada,
  }) => {
    const first = await createFor(org.admin, workspaceId, ada);
    const reveal = (made: typeof first) =>
      ada.client.post(`${WAITING}/${made.body.waiting_secret?.id}/reveal`);
    const url = `/v1/admin/api_keys/${first.body.id}/rotate`;
    const second = await org.admin.post<CreatedApiKey>(url, {});
    expect((await reveal(first)).status).toBe(404);
    await org.admin.post(`/v1/admin/members/${ada.id}/deactivate`);
    expect((await reveal(second)).status).toBe(401);
  });

  test("is announced to the owner without a link that grants access", async ({
    org,
    workspaceId,
    ada,
  }) => {
    const made = await createFor(org.admin, workspaceId, ada);
    expect(made.body.waiting_secret?.url).toBe(
      `${PUBLIC_URL}/waiting-secrets/${made.body.waiting_secret?.id}`,
    );
    const mail = await org.admin.get<{ data: { id: string; to: string }[] }>("/v1/admin/mail");
    expect(mail.body.data[0]?.to).toBe(ada.email);
    const read = await org.admin.get<{ access_links: string; body: { text: string } }>(
      `/v1/admin/mail/${mail.body.data[0]?.id}`,
    );
    expect(read.body.access_links).toBe("none");
    expect(read.body.body.text).toContain(made.body.waiting_secret?.url);
    expect(read.text).not.toMatch(SECRET);
  });

  test("does not stop others from disabling the key", async ({ org, workspaceId, ada, others }) => {
    for (const [name, client] of others) {
      const made = await createFor(org.operator, workspaceId, ada);
      const url = `/v1/admin/api_keys/${made.body.id}`;
      const answer = await client.post<{ status: string }>(url, { status: "inactive" });
      expect([name, answer.body.status]).toEqual([name, "inactive"]);
    }
  });
});

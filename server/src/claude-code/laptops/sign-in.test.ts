import type { laptop as laptopShape } from "@bursar/contract/admin/laptops.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { ApiError } from "#src/domain/api-error.ts";
import { authenticateLaptop } from "#src/key-lookup/authenticate-laptop.ts";
import { type Client, type Listed, PUBLIC_URL, type TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { pollTokens, postForm, type StartedSignIn, type Tokens } from "#test/harness/oauth.ts";
import { nextAddress } from "#test/harness/route-samples/subjects.ts";

type Laptop = z.output<typeof laptopShape>;
const CODES = "/v1/admin/device_authorizations";

/** Calls from a new address, because wrong codes of one address are limited. */
function call<Body>(client: Client, method: "GET" | "POST", path: string, payload?: object) {
  const url = `${CODES}/${path}`;
  const remoteAddress = nextAddress();
  return client.send<Body>({ method, url, remoteAddress, ...(payload && { payload }) });
}

const test = base
  .extend("member", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_developer" } }),
  )
  .extend("start", ({ h }) => async () => {
    const remoteAddress = nextAddress();
    const fields = { surface: "claude_code", unknown: "field" };
    const started = await postForm<StartedSignIn>(h, "device_authorization", fields, {
      remoteAddress,
    });
    expect(started.status).toBe(200);
    return { ...started.body, remoteAddress };
  })
  .extend("approve", ({ workspaceId }) => async (client: Client, code: string, body = {}) => {
    const looked = await call(client, "GET", code);
    if (looked.status !== 200) return looked;
    return call<Laptop>(client, "POST", `${code}/approve`, { workspace_id: workspaceId, ...body });
  })
  .extend("signIn", ({ h, start, approve }) => async ({ client }: TestMember): Promise<Tokens> => {
    const { user_code, device_code } = await start();
    expect((await approve(client, user_code)).status).toBe(200);
    const answer = await pollTokens(h, device_code);
    expect(answer.status).toBe(200);
    return answer.body;
  });

test("describes its endpoints on its own origin, without a client id", async ({ h }) => {
  const url = "/.well-known/oauth-authorization-server";
  expect((await h.visitor.get(url)).body).toEqual({
    issuer: PUBLIC_URL,
    device_authorization_endpoint: `${PUBLIC_URL}/oauth/device_authorization`,
    token_endpoint: `${PUBLIC_URL}/oauth/token`,
    revocation_endpoint: `${PUBLIC_URL}/oauth/revoke`,
    grant_types_supported: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ["none"],
    gateway_protocol_version: 1,
  });
});

describe("a sign-in", () => {
  test("gives the client tokens once its member has approved it, and only once", async ({
    h,
    org,
    workspaceId,
    member,
    start,
    approve,
  }) => {
    const started = await start();
    expect(started).toMatchObject({
      verification_uri: `${PUBLIC_URL}/device`,
      verification_uri_complete: `${PUBLIC_URL}/device?code=${started.user_code}`,
      expires_in: 600,
      interval: 5,
    });
    const pending = await pollTokens(h, started.device_code);
    expect([pending.status, pending.body.error]).toEqual([400, "authorization_pending"]);
    const tooSoon = await pollTokens(h, started.device_code);
    expect([tooSoon.status, tooSoon.body.error]).toEqual([400, "slow_down"]);

    const listEvents = await watchEvents(h.deps.database, org.id);
    const lowerCase = started.user_code.replace("-", "").toLowerCase();
    const shown = await call(member.client, "GET", lowerCase);
    expect(shown.body).toMatchObject({
      user_code: started.user_code,
      client_version: "2.1.332",
      ip_address: started.remoteAddress,
    });
    const { body: laptop } = await approve(member.client, started.user_code, { name: "Work" });
    expect(laptop).toMatchObject({
      name: "Work",
      member: { id: member.id },
      workspace_id: workspaceId,
      status: "active",
    });
    const events = (await listEvents()).map(({ event, actor_id }) => [event, actor_id]);
    expect(events).toEqual([
      ["api_key.created", member.id],
      ["laptop.created", member.id],
    ]);

    const other = await start();
    await approve(member.client, other.user_code);
    const directory = { name: "Acme", issuer: "https://id.example.com" };
    const { body } = await org.operator.post<{ id: string }>("/v1/admin/directories", directory);
    await org.linkDirectory(member.id, body.id);
    const answer = await pollTokens(h, other.device_code);
    expect(answer).toMatchObject({
      status: 200,
      body: { token_type: "Bearer", expires_in: 3600, email: member.email },
      headers: { "cache-control": "no-store" },
    });
    const { claims, key } = await authenticateLaptop(h.deps, answer.body.access_token, null);
    expect(claims).toMatchObject({ organizationId: org.id, memberId: member.id });
    expect(key).toMatchObject({ workspaceId, ownerMemberId: member.id, permission: "write" });
  });

  test("cannot be redeemed twice, or without the device code", async ({
    h,
    member,
    start,
    approve,
  }) => {
    const { user_code, device_code } = await start();
    await approve(member.client, user_code);
    const first = await pollTokens(h, device_code);
    expect(first.status).toBe(200);
    // No directory has verified the address.
    expect(first.body.email).toBeUndefined();
    for (const code of [device_code, "", user_code, "A".repeat(43)]) {
      const refused = await pollTokens(h, code);
      expect(refused.status).toBe(400);
      expect(refused.body.access_token).toBeUndefined();
    }
  });

  test("ends for its client when the member denies it, or after ten minutes", async ({
    h,
    member,
    start,
    approve,
  }) => {
    const denied = await start();
    await call(member.client, "GET", denied.user_code);
    const answer = await call(member.client, "POST", `${denied.user_code}/deny`);
    expect(answer.status).toBe(200);
    expect((await pollTokens(h, denied.device_code)).body.error).toBe("access_denied");
    expect((await approve(member.client, denied.user_code)).status).toBe(404);

    const [late, approved] = [await start(), await start()];
    const { body: laptop } = await approve(member.client, approved.user_code);
    const before = h.clock.nowMs;
    h.clock.nowMs += 600_000;
    expect((await approve(member.client, late.user_code)).status).toBe(404);
    expect((await pollTokens(h, late.device_code)).body.error).toBe("expired_token");
    // Its client never asked for the tokens.
    expect((await pollTokens(h, approved.device_code)).body.error).toBe("expired_token");
    const { data } = (await member.client.get<Listed<Laptop>>("/v1/admin/my_laptops")).body;
    expect(data).toMatchObject([{ id: (laptop as Laptop).id, status: "ended" }]);
    h.clock.nowMs = before;
  });

  test("is bound to the session that looked its code up first", async ({
    org,
    workspaceId,
    member,
    start,
    approve,
  }) => {
    const { user_code } = await start();
    const other = await org.member();
    // A code that the session never opened cannot be approved either.
    const body = { workspace_id: workspaceId };
    const unopened = await call(member.client, "POST", `${user_code}/approve`, body);
    expect(unopened.status).toBe(404);
    expect((await call(other.client, "GET", user_code)).status).toBe(200);
    expect((await approve(member.client, user_code)).status).toBe(404);
    expect((await call(member.client, "POST", `${user_code}/deny`)).status).toBe(404);
  });

  test("follows the rules for personal keys of its workspace", async ({
    h,
    org,
    workspaceId,
    start,
    approve,
    signIn,
  }) => {
    const { client, ...ada } = await org.member({
      workspaces: { [workspaceId]: "workspace_user" },
    });
    const attempt = async (of: Client) => approve(of, (await start()).user_code);
    expect((await attempt(client)).status).toBe(403);
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}`, {
      personal_keys: "everyone",
      personal_key_models: ["claude-haiku-*"],
      personal_key_lifetime_days: 10,
      personal_keys_per_member: 1,
    });
    // A Claude Code key is none of the counted keys.
    await client.post("/v1/admin/personal_keys", { name: "Mine", workspace_id: workspaceId });
    const { body: laptop } = (await attempt(client)) as { body: Laptop };
    const end = new Date(h.clock.nowMs + 10 * 86_400_000).toISOString();
    const tokens = await signIn({ ...ada, client });
    const { key } = await authenticateLaptop(h.deps, tokens.access_token, null);
    expect(key?.allowedModels).toEqual(["claude-haiku-*"]);
    expect(key?.secretValidUntilMs).toBe(Date.parse(end));
    expect(key?.id).toBe(laptop.api_key_id);
    // Another member joins the workspace with the approval.
    const stranger = await org.member();
    expect((await attempt(stranger.client)).status).toBe(200);
    // An Admin disables the key, and its member cannot get around it.
    await org.admin.post(`/v1/admin/api_keys/${laptop.api_key_id}`, { status: "inactive" });
    const refused = await attempt(client);
    expect(refused.error.details?.error_code).toBe("restricted_by_higher_rank");
  });

  test("needs a step-up", async ({ org, workspaceId, start, approve }) => {
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const { client } = await org.member({ workspaces, steppedUpAtMs: null });
    const { user_code } = await start();
    expect((await approve(client, user_code)).error.details?.error_code).toBe("step_up_required");
  });
});

describe("limits", () => {
  test("wrong codes are limited by address and by member, right ones are not", async ({
    org,
    member,
    start,
  }) => {
    const look = async (client: Client, code: string, remoteAddress: string) =>
      (await client.send({ method: "GET", url: `${CODES}/${code}`, remoteAddress })).status;
    const address = nextAddress();
    for (let count = 0; count < 12; count++) {
      expect(await look(member.client, (await start()).user_code, address)).toBe(200);
    }
    for (let count = 0; count < 10; count++) {
      expect(await look(member.client, "BBBB-BBBB", nextAddress())).toBe(404);
    }
    const { user_code } = await start();
    expect(await look(member.client, user_code, nextAddress())).toBe(429);
    const other = await org.member();
    const guesses: number[] = [];
    for (let count = 0; count < 11; count++) {
      const client = count % 2 === 0 ? other.client : (await org.member()).client;
      guesses.push(await look(client, "BBBB-BBBB", address));
    }
    expect(guesses).toEqual([...Array<number>(10).fill(404), 429]);
  });

  test("an address starts 30 sign-ins in ten minutes", async ({ h }) => {
    const remoteAddress = nextAddress();
    const start = () => postForm(h, "device_authorization", {}, { remoteAddress });
    const statuses: number[] = [];
    for (let count = 0; count < 31; count++) statuses.push((await start()).status);
    expect(statuses).toEqual([...Array<number>(30).fill(200), 429]);
    const refused = await start();
    expect(refused).toMatchObject({
      body: { error: "slow_down" },
      headers: { "retry-after": "20" },
    });
  });
});

test("a request that is no form of OAuth gets an error of OAuth", async ({ h }) => {
  const send = (path: string, fields: Record<string, string>) =>
    postForm<{ error: string }>(h, path, fields);
  expect((await send("token", {})).body.error).toBe("unsupported_grant_type");
  const password = await send("token", { grant_type: "password" });
  expect([password.status, password.body.error]).toEqual([400, "unsupported_grant_type"]);
  const missing = await send("token", { grant_type: "refresh_token" });
  expect([missing.status, missing.body.error]).toEqual([400, "invalid_request"]);
  const json = await h.app.inject({ method: "POST", url: "/oauth/token", payload: { a: 1 } });
  expect([json.statusCode, json.json().error]).toEqual([400, "invalid_request"]);
});

test("a member lists, renames and ends own laptops, and an Admin ends any", async ({
  h,
  org,
  member,
  signIn,
}) => {
  const tokens = await signIn(member);
  // Lists run newest first.
  h.clock.nowMs += 1;
  const second = await signIn(member);
  const codeOf = async (token: string) => {
    try {
      await authenticateLaptop(h.deps, token, null);
      return "active";
    } catch (error) {
      return error instanceof ApiError ? error.code : String(error);
    }
  };
  const list = async (client: Client, url: string) =>
    (await client.get<Listed<Laptop>>(url)).body.data;
  const [newest, oldest] = await list(member.client, "/v1/admin/my_laptops");
  const renamed = await member.client.post<Laptop>(`/v1/admin/my_laptops/${newest?.id}`, {
    name: "Desk",
  });
  expect(renamed.body.name).toBe("Desk");
  const other = await org.member();
  for (const method of ["DELETE", "POST"] as const) {
    const url = `/v1/admin/my_laptops/${newest?.id}`;
    const payload = method === "POST" ? { name: "Mine" } : undefined;
    const answer = await other.client.send({ method, url, ...(payload && { payload }) });
    expect(answer.status).toBe(404);
  }
  await member.client.remove(`/v1/admin/my_laptops/${oldest?.id}`);
  expect([await codeOf(tokens.access_token), await codeOf(second.access_token)]).toEqual([
    "laptop_ended",
    "active",
  ]);
  const admin = await org.member({ role: "admin" });
  const ended = await admin.client.remove<Laptop>(`/v1/admin/laptops/${newest?.id}`);
  expect(ended.body).toMatchObject({ status: "ended", end_reason: "ended_by_admin" });
  expect(await codeOf(second.access_token)).toBe("laptop_ended");
  expect(await list(org.admin, `/v1/admin/laptops?member_id=${member.id}&status=active`)).toEqual(
    [],
  );
  const all = await list(org.admin, `/v1/admin/laptops?status=ended`);
  expect(all.map(({ end_reason }) => end_reason)).toEqual(["ended_by_admin", "ended"]);
});

test("the client shows the notice of the company at the next sign-in", async ({ h, start }) => {
  const path = "/v1/admin/organization";
  expect(await start()).not.toHaveProperty("login_notice");
  const login_notice = "Activity is recorded. Questions: it@example.com";
  const set = await h.operator.post(path, { login_notice: ` ${login_notice}\t` });
  expect(set.body).toMatchObject({ login_notice });
  expect(await start()).toMatchObject({ login_notice });
  for (const refused of ["x".repeat(501), "two\nlines", "\u001b[31mred", " "]) {
    const answer = await h.operator.post(path, { login_notice: refused });
    expect(answer.error.details?.fields?.map((field) => field.path)).toEqual(["login_notice"]);
  }
  await h.operator.post(path, { billing_group_tag: null });
  expect(await start()).toMatchObject({ login_notice });
  await h.operator.post(path, { login_notice: null });
  expect(await start()).not.toHaveProperty("login_notice");
});

import type { directory } from "@bursar/contract/admin/directories.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { makeGuardedClient } from "#src/lib/guarded-client.ts";
import { unseal } from "#src/lib/seal.ts";
import { type AdminHarness, startAdmin, type TestOrganization } from "#test/harness/admin.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { type Receiver, startReceiver } from "#test/harness/receiver.ts";
import { directorySealContext } from "./directory-secret.ts";

type Directory = z.output<typeof directory>;
const DIRECTORIES = "/v1/admin/directories";
const SECRET = "the-secret-of-the-client";

let h: AdminHarness;
let provider: Receiver;
let org: TestOrganization;
beforeAll(async () => {
  provider = await startReceiver();
  h = await startAdmin({ client: makeGuardedClient({ allowed: ["127.0.0.1"] }) });
});
afterAll(async () => {
  await provider.close();
  await h.close();
});
beforeEach(async () => {
  org = await h.organization();
});

const create = (fields: object = {}) =>
  org.operator.post<Directory>(DIRECTORIES, {
    name: "Okta",
    issuer: "https://example.okta.com",
    ...fields,
  });

describe("a directory", () => {
  test("keeps its client secret sealed, and shows it in no response and no event", async () => {
    const made = await create({ client_id: "bursar", client_secret: SECRET });
    expect(made.body).toMatchObject({ has_client_secret: true, is_enabled: false });
    expect(made.body.redirect_uri).toBe(
      `https://bursar.example.com/login/callback/${made.body.id}`,
    );
    const row = await h.deps.database
      .selectFrom("directory")
      .select("client_secret_sealed")
      .where("id", "=", made.body.id)
      .executeTakeFirstOrThrow();
    const context = directorySealContext(made.body.id, made.body.issuer);
    expect(unseal(h.deps.sealingKey, row.client_secret_sealed ?? Buffer.of(), context)).toBe(
      SECRET,
    );
    const events = await auditEventsOf(h.deps.database, made.body.id);
    expect(JSON.stringify([made, events, h.logs])).not.toContain(SECRET);
    expect(events.map(({ event }) => event)).toContain("directory.created");
  });

  test("is enabled only with a client id", async () => {
    const { id } = (await create()).body;
    const refused = await org.operator.post(`${DIRECTORIES}/${id}`, { is_enabled: true });
    expect([refused.status, refused.error.details?.fields]).toMatchObject([
      400,
      [{ path: "client_id" }],
    ]);
    const enabled = await org.operator.post<Directory>(`${DIRECTORIES}/${id}`, {
      client_id: "bursar",
      is_enabled: true,
      allowed_domains: ["Example.com", "a.example.com", "example.com"],
    });
    expect(enabled.body).toMatchObject({
      is_enabled: true,
      allowed_domains: ["a.example.com", "example.com"],
    });
  });

  test("gives no role of an owner", async () => {
    expect((await create({ default_role: "owner" })).status).toBe(400);
  });

  test("is changed by owners only", async () => {
    const { id } = (await create()).body;
    const admin = await org.member({ role: "admin" });
    expect((await admin.client.get(DIRECTORIES)).status).toBe(200);
    expect((await admin.client.post(`${DIRECTORIES}/${id}`, { name: "Mine" })).status).toBe(403);
    expect((await org.admin.post(`${DIRECTORIES}/${id}`, { name: "Mine" })).status).toBe(403);
  });

  test("has an issuer of its own in the organization", async () => {
    await create();
    const again = await create();
    expect([again.status, again.error.details?.error_code]).toEqual([409, "already_exists"]);
  });

  test.each([
    "https://login.microsoftonline.com/{tenantid}/v2.0",
    "https://example.okta.com/.well-known/openid-configuration",
    "https://example.okta.com?x=1",
    "https://10.0.0.1",
    "https://169.254.169.254",
    "https://me:secret@example.okta.com",
    "not a url",
  ])("refuses the issuer %s", async (issuer) => {
    const refused = await create({ issuer });
    expect([refused.status, refused.error.details?.fields]).toMatchObject([
      400,
      [{ path: "issuer" }],
    ]);
  });
});

describe("a test of a directory", () => {
  const documentOf = (fields: object = {}) => ({
    issuer: provider.origin,
    authorization_endpoint: `${provider.origin}/auth`,
    token_endpoint: `${provider.origin}/token`,
    jwks_uri: `${provider.origin}/keys`,
    id_token_signing_alg_values_supported: ["HS256", "none", "RS256"],
    ...fields,
  });

  async function testWith(fields: object, keys: unknown = { keys: [{ kty: "RSA" }] }) {
    provider.answer = (response, { path }) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(path === "/keys" ? keys : documentOf(fields)));
    };
    const { id } = (await create({ issuer: provider.origin })).body;
    return (await org.operator.post<Record<string, unknown>>(`${DIRECTORIES}/${id}/test`)).body;
  }

  test("names the algorithms that both support", async () => {
    expect(await testWith({ authorization_response_iss_parameter_supported: true })).toEqual({
      type: "directory_test",
      is_usable: true,
      fault: null,
      authorization_endpoint: `${provider.origin}/auth`,
      token_endpoint: `${provider.origin}/token`,
      signing_algorithms: ["RS256"],
      signing_keys: 1,
      has_issuer_parameter: true,
      has_back_channel_logout: false,
    });
  });

  test.each([
    [{ issuer: "https://other.example.com" }, "calls itself https://other.example.com"],
    [{ token_endpoint: "https://10.0.0.1/token" }, "token_endpoint is invalid"],
    [{ authorization_endpoint: "javascript:alert(1)" }, "authorization_endpoint is invalid"],
    [{ id_token_signing_alg_values_supported: ["HS256", "none"] }, "no algorithm of this server"],
    [{ code_challenge_methods_supported: ["plain"] }, "PKCE with S256"],
    [{ jwks_uri: 5 }, "the field jwks_uri is absent or invalid"],
    [{ padding: "x".repeat(300_000) }, "larger than 262144 bytes"],
  ])("reports %j", async (fields, fault) => {
    expect(await testWith(fields)).toMatchObject({
      is_usable: false,
      fault: expect.stringContaining(fault),
    });
  });

  test("reports a provider without keys", async () => {
    expect(await testWith({}, { keys: [] })).toMatchObject({ is_usable: false, signing_keys: 0 });
  });

  test("follows no redirect", async () => {
    provider.answer = (response) => {
      response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
    };
    const { id } = (await create({ issuer: provider.origin })).body;
    const { body } = await org.operator.post<{ fault: string }>(`${DIRECTORIES}/${id}/test`);
    expect(body.fault).toContain("got 302");
  });
});

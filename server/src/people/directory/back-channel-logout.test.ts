import { createHmac, randomUUID } from "node:crypto";
import { exportSPKI, importJWK } from "jose";
import { beforeEach, describe, expect, test } from "vitest";
import { watchEvents } from "#test/harness/audit-events.ts";
import type { Browser } from "#test/harness/browser.ts";
import {
  begin,
  browse,
  change,
  complete,
  createDirectory,
  directoryId,
  h,
  newPerson,
  org,
  prepareDirectory,
  provider,
  signIn,
} from "#test/harness/directory-sign-in.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  startTestProvider,
  type TestProvider,
} from "#test/harness/oidc-provider.ts";
import { ME } from "#test/harness/sign-in.ts";

prepareDirectory();

const EVENT = "http://schemas.openid.net/event/backchannel-logout";
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
let person: ReturnType<typeof newPerson>;
let browser: Browser;
let lastAddress = 0;
beforeEach(async () => {
  person = newPerson({ sid: "session-1" });
  ({ browser } = await signIn(person));
});

interface TokenChange {
  header?: object;
  claims?: Record<string, unknown>;
}

async function makeParts(of: TestProvider, { header, claims }: TokenChange = {}) {
  const { kid } = (await of.publicKey()) as { kid: string };
  const now = Math.floor(h.clock.nowMs / 1000);
  const all: Record<string, unknown> = {
    ...{ iss: of.issuer, aud: CLIENT_ID, iat: now, exp: now + 120, jti: randomUUID() },
    ...{ events: { [EVENT]: {} }, sub: person.sub, ...claims },
  };
  const stated = Object.entries(all).filter(([, value]) => value !== undefined);
  return {
    header: { alg: "ES256", kid, typ: "logout+jwt", ...header },
    claims: Object.fromEntries(stated),
  };
}

const makeToken = async (change?: TokenChange, of = provider) =>
  of.sign(await makeParts(of, change));

async function send(token: string, { id = directoryId, address = "" } = {}) {
  const answer = await h.app.inject({
    method: "POST",
    url: `/v1/admin/directory_logout/${id}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams({ logout_token: token }).toString(),
    remoteAddress: address || `198.51.100.${++lastAddress % 250}`,
  });
  const body = (answer.body === "" ? {} : JSON.parse(answer.body)) as {
    error?: { details?: { error_code?: string } };
  };
  return { status: answer.statusCode, code: body.error?.details?.error_code, answer };
}

const isSignedIn = async (of: Browser) => (await of.get(ME)).status === 200;

describe("a logout at the provider", () => {
  test("by its subject ends each session of the person, and is audited", async () => {
    const second = await signIn({ ...person, sid: "session-2" });
    const stranger = await signIn(newPerson());
    const readEvents = await watchEvents(h.deps.database, org.id);
    const { status, answer } = await send(await makeToken());
    expect([status, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(await isSignedIn(browser)).toBe(false);
    expect(await isSignedIn(second.browser)).toBe(false);
    expect(await isSignedIn(stranger.browser)).toBe(true);
    expect(await readEvents()).toMatchObject([
      {
        event: "directory.signed_out",
        actor_type: "directory",
        actor_id: directoryId,
        subject_type: "member",
        after: { directory_id: directoryId, ended_sessions: 2 },
      },
    ]);
  });

  test("by its session ends that session only, with and without a subject", async () => {
    const second = await signIn({ ...person, sid: "session-2" });
    await send(await makeToken({ claims: { sid: "session-1" } }));
    expect([await isSignedIn(browser), await isSignedIn(second.browser)]).toEqual([false, true]);
    await send(await makeToken({ claims: { sid: "session-2", sub: undefined } }));
    expect(await isSignedIn(second.browser)).toBe(false);
  });

  test("ends a session whose provider named no session at sign-in", async () => {
    const other = newPerson();
    const { browser: unnamed } = await signIn(other);
    await send(await makeToken({ claims: { sub: other.sub, sid: "session-9" } }));
    expect(await isSignedIn(unnamed)).toBe(false);
  });

  test("works for a disabled directory, and without a session there", async () => {
    await change({ is_enabled: false });
    expect((await send(await makeToken())).status).toBe(200);
    expect(await isSignedIn(browser)).toBe(false);
    expect((await send(await makeToken())).status).toBe(200);
  });

  test("is verified with a key that the provider publishes later", async () => {
    await send(await makeToken({ claims: { sub: "another person" } }));
    await provider.rotate();
    // Strangers cannot make the server read the keys each time.
    expect((await send(await makeToken())).status).toBe(400);
    h.clock.nowMs += 31_000;
    expect((await send(await makeToken())).status).toBe(200);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

describe("a logout token is refused:", () => {
  const lies: [string, TokenChange][] = [
    ["another audience", { claims: { aud: "another" } }],
    ["another issuer", { claims: { iss: "https://other.example.com" } }],
    ["a nonce", { claims: { nonce: "any" } }],
    ["no event", { claims: { events: undefined } }],
    ["another event", { claims: { events: { "https://example.com/other": {} } } }],
    ["an event that is no object", { claims: { events: { [EVENT]: true } } }],
    ["no id", { claims: { jti: undefined } }],
    ["no time", { claims: { iat: undefined } }],
    ["an old one", { claims: { iat: 1_700_000_000, exp: undefined } }],
    ["an expired one", { claims: { exp: 1_700_000_000 } }],
    ["a time in the future", { claims: { iat: 4_000_000_000, exp: undefined } }],
    ["no subject and no session", { claims: { sub: undefined } }],
    ["a subject that is no text", { claims: { sub: 7 } }],
    ["a session that no database stores", { claims: { sid: "a\0b" } }],
    ["the type of another token", { header: { typ: "at+jwt" } }],
  ];
  test.each(lies)("%s", async (_, lie) => {
    const { status, code } = await send(await makeToken(lie));
    expect([status, code]).toEqual([400, "directory_logout_invalid"]);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test("the algorithm none, HMAC with a public value, and another key", async () => {
    const { header, claims } = await makeParts(provider);
    const none = `${encode({ alg: "none" })}.${encode(claims)}.`;
    const key = await importJWK(await provider.publicKey(), "ES256", { extractable: true });
    const pem = key instanceof Uint8Array ? "" : await exportSPKI(key);
    const hmac = (secret: string) => {
      const content = `${encode({ ...header, alg: "HS256" })}.${encode(claims)}`;
      return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
    };
    const signOld = await provider.rotate();
    const unpublished = await signOld({ header, claims });
    for (const token of [none, hmac(pem), hmac(CLIENT_SECRET), unpublished, "x", "a.b.c"]) {
      expect((await send(token)).code).toBe("directory_logout_invalid");
    }
    expect(await isSignedIn(browser)).toBe(true);
  });

  test("a second use", async () => {
    const token = await makeToken();
    expect((await send(token)).status).toBe(200);
    const again = await signIn(person);
    expect((await send(token)).code).toBe("directory_logout_invalid");
    expect(await isSignedIn(again.browser)).toBe(true);
  });

  test("one of another directory, and its session of the same name", async () => {
    const other = await startTestProvider(() => h.clock.nowMs);
    const otherId = await createDirectory(other);
    const theirs = browse();
    const named = { ...newPerson(), sub: person.sub, sid: "session-1" };
    await complete(theirs, other.authorize(await begin(theirs, otherId), named), otherId);
    expect(await isSignedIn(theirs)).toBe(true);
    const token = await makeToken({ claims: { sid: "session-1" } });
    expect((await send(token, { id: otherId })).status).toBe(400);
    expect((await send(token)).status).toBe(200);
    expect([await isSignedIn(browser), await isSignedIn(theirs)]).toEqual([false, true]);
    await other.close();
  });

  test("an unknown directory, another content type, and a form without a token", async () => {
    expect((await send(await makeToken(), { id: "dir_01unknown" })).status).toBe(404);
    expect((await send(await makeToken(), { id: "%00" })).status).toBe(400);
    const url = `/v1/admin/directory_logout/${directoryId}`;
    const json = await h.app.inject({ method: "POST", url, payload: { logout_token: "x" } });
    expect(json.statusCode).toBe(400);
    expect((await send("")).code).toBe("directory_logout_invalid");
  });
});

test("invalid tokens of one address are limited, and valid ones are not counted", async () => {
  const address = "192.0.2.77";
  for (let i = 0; i < 3; i++) await send(await makeToken(), { address });
  let last = 400;
  let sent = 0;
  while (last === 400 && sent < 105) {
    last = (await send("x", { address })).status;
    sent++;
  }
  expect([last, sent]).toEqual([429, 101]);
});

import { createHmac } from "node:crypto";
import { exportSPKI, importJWK } from "jose";
import { describe, expect, test } from "vitest";
import {
  begin,
  browse,
  complete,
  countRows,
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
  CLIENT_SECRET,
  startTestProvider,
  type TestProvider,
  type TokenParts,
} from "#test/harness/oidc-provider.ts";
import { SIGN_IN } from "#test/harness/sign-in.ts";

prepareDirectory();

const codeOf = (answer: { error: { details?: { error_code?: string } } }) =>
  answer.error.details?.error_code;

/** Expects a refusal that changes nothing and whose texts have no secret. */
async function expectRefused(
  attack: () => Promise<{ status: number; text: string } & Parameters<typeof codeOf>[0]>,
  code = "directory_sign_in_failed",
): Promise<void> {
  const before = await countRows();
  const answer = await attack();
  expect(codeOf(answer)).toBe(code);
  await h.deps.background.waitUntilIdle();
  expect(await countRows()).toEqual(before);
  const shown = answer.text + h.logs.join("\n");
  for (const secret of [CLIENT_SECRET, ...provider.secrets]) {
    if (secret !== "") expect(shown).not.toContain(secret);
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs with HMAC, as an attacker does who knows the public key. */
function signHmac(key: string, { header, claims }: TokenParts): string {
  const content = `${encode({ ...header, alg: "HS256" })}.${encode(claims)}`;
  return `${content}.${createHmac("sha256", key).update(content).digest("base64url")}`;
}

describe("a token is refused:", () => {
  const lies: [string, (lying: TestProvider) => void | Promise<void>][] = [
    ["another nonce", (p) => (p.change = ({ claims }) => (claims["nonce"] = "other"))],
    ["no nonce", (p) => (p.change = ({ claims }) => delete claims["nonce"])],
    ["another audience", (p) => (p.change = ({ claims }) => (claims["aud"] = "other"))],
    [
      "an audience among others, for another party",
      (p) => {
        p.change = ({ claims }) => Object.assign(claims, { aud: ["bursar", "x"], azp: "x" });
      },
    ],
    ["another issuer", (p) => (p.change = ({ claims }) => (claims["iss"] = "https://x.example"))],
    ["no issuer", (p) => (p.change = ({ claims }) => delete claims["iss"])],
    [
      "expired",
      (p) => {
        p.change = ({ claims }) => (claims["exp"] = Math.floor(h.clock.nowMs / 1000) - 60);
      },
    ],
    ["no end", (p) => (p.change = ({ claims }) => delete claims["exp"])],
    [
      "a subject that no database stores",
      (p) => {
        p.change = ({ claims }) => (claims["sub"] = "a\0b");
      },
    ],
    ["no subject", (p) => (p.change = ({ claims }) => delete claims["sub"])],
    [
      "the algorithm none",
      (p) => {
        p.sign = async ({ claims }) => `${encode({ alg: "none" })}.${encode(claims)}.`;
      },
    ],
    [
      "HMAC with the public key",
      async (p) => {
        const key = await importJWK(await p.publicKey(), "ES256", { extractable: true });
        const pem = key instanceof Uint8Array ? "" : await exportSPKI(key);
        p.sign = async (token) => signHmac(pem, token);
      },
    ],
    [
      "HMAC with the client secret",
      (p) => {
        p.sign = async (token) => signHmac(CLIENT_SECRET, token);
      },
    ],
    [
      "a key that the provider no longer publishes",
      async (p) => {
        p.sign = await p.rotate();
      },
    ],
    [
      "an unpublished key with the id of a published one",
      async (p) => {
        const sign = await p.rotate();
        const { kid } = (await p.publicKey()) as { kid: string };
        p.sign = ({ header, claims }) => sign({ header: { ...header, kid }, claims });
      },
    ],
    [
      "changed after it was signed",
      (p) => {
        const sign = p.sign;
        p.sign = async (token) => {
          const [header, , signature] = (await sign(token)).split(".");
          return `${header}.${encode({ ...token.claims, sub: "owner" })}.${signature}`;
        };
      },
    ],
    [
      "no token",
      (p) => {
        p.sign = async () => "";
      },
    ],
  ];
  test.each(lies)("%s", async (_, lie) => {
    await lie(provider);
    await expectRefused(async () => (await signIn(newPerson())).answer);
    provider.reset();
    expect((await signIn(newPerson())).answer.status).toBe(200);
  });
});

describe("a response is refused:", () => {
  const changed = (response: string, change: (query: URLSearchParams) => void) => {
    const query = new URLSearchParams(response);
    change(query);
    return query.toString();
  };

  test.each([
    ["another state", (query: URLSearchParams) => query.set("state", "other")],
    ["no state", (query: URLSearchParams) => query.delete("state")],
    ["a second state", (query: URLSearchParams) => query.append("state", "other")],
    ["another code", (query: URLSearchParams) => query.set("code", "other")],
    ["no code", (query: URLSearchParams) => query.delete("code")],
    ["a second code", (query: URLSearchParams) => query.append("code", "other")],
    ["another issuer", (query: URLSearchParams) => query.set("iss", "https://x.example")],
    ["no issuer of a provider that names itself", (query: URLSearchParams) => query.delete("iss")],
    ["a refusal of the provider", (query: URLSearchParams) => query.set("error", "access_denied")],
  ])("%s", async (_, change) => {
    const browser = browse();
    const response = provider.authorize(await begin(browser), newPerson());
    await expectRefused(() => complete(browser, changed(response, change)));
  });

  test("a foreign response does not end the sign-in of the browser", async () => {
    const browser = browse();
    const response = provider.authorize(await begin(browser), newPerson());
    await expectRefused(() => complete(browser, "code=x&state=y"));
    expect((await complete(browser, response)).status).toBe(200);
  });

  test("in another browser", async () => {
    const response = provider.authorize(await begin(browse()), newPerson());
    await expectRefused(() => complete(browse(), response), "sign_in_expired");
    const other = browse();
    await begin(other);
    await expectRefused(() => complete(other, response));
  });

  test("a second time", async () => {
    const browser = browse();
    const response = provider.authorize(await begin(browser), newPerson());
    const cookies = new Map(browser.cookies);
    expect((await complete(browser, response)).status).toBe(200);
    for (const [name, value] of cookies) browser.cookies.set(name, value);
    await expectRefused(() => complete(browser, response), "sign_in_expired");
  });

  test("after ten minutes", async () => {
    const browser = browse();
    const response = provider.authorize(await begin(browser), newPerson());
    h.clock.nowMs += 600_000;
    await expectRefused(() => complete(browser, response), "sign_in_expired");
  });

  test("a code of another sign-in, whose verifier the browser lacks", async () => {
    const [mine, stolen] = [browse(), browse()];
    const victim = provider.authorize(await begin(stolen), newPerson());
    const code = new URLSearchParams(victim).get("code") ?? "";
    const response = provider.authorize(await begin(mine), newPerson());
    await expectRefused(() =>
      complete(
        mine,
        changed(response, (query) => query.set("code", code)),
      ),
    );
  });
});

test("a response of one provider is none of another", async () => {
  const other = await startTestProvider(() => h.clock.nowMs);
  other.metadata = { authorization_response_iss_parameter_supported: false };
  const otherId = await createDirectory(other);
  const browser = browse();
  const url = await begin(browser, otherId);
  // The other provider sends the browser on to the honest one, with its own state.
  const response = new URLSearchParams(provider.authorize(url, newPerson()));
  // At the honest provider's address of return.
  await expectRefused(() => complete(browser, response.toString(), directoryId), "sign_in_expired");
  // At the other's.
  await expectRefused(() => complete(browser, response.toString(), otherId));
  response.delete("iss");
  const again = browse();
  const second = new URLSearchParams(provider.authorize(await begin(again, otherId), newPerson()));
  second.delete("iss");
  await expectRefused(() => complete(again, second.toString(), otherId));
  await other.close();
});

test("a token of one provider is none of another, also with its keys", async () => {
  const other = await startTestProvider(() => h.clock.nowMs);
  provider.change = ({ claims }) => (claims["iss"] = other.issuer);
  await expectRefused(async () => (await signIn(newPerson())).answer);
  await other.close();
});

test("the cookie is for this host and its own pages, and the database has only its hash", async () => {
  const browser = browse();
  await begin(browser);
  const [cookie] = browser.lastSetCookies;
  expect(cookie?.name).toBe("__Host-bursar_directory");
  expect(cookie?.attributes).toEqual([
    "HttpOnly",
    "Max-Age=600",
    "Path=/",
    "SameSite=Strict",
    "Secure",
  ]);
  const rows = await h.deps.database.selectFrom("directory_sign_in").selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(cookie?.value);
});

test("a sign-in begins at the public address only, from the console's own pages", async () => {
  const { openBrowser } = await import("#test/harness/browser.ts");
  const path = `${SIGN_IN}/directories/${directoryId}`;
  const local = await openBrowser(h.app, { origin: "http://localhost:8484" }).post(path, {});
  expect([local.status, codeOf(local)]).toEqual([403, "foreign_origin"]);
  const foreign = await openBrowser(h.app, { origin: "https://evil.example" }).post(path, {});
  expect([foreign.status, codeOf(foreign)]).toEqual([403, "foreign_origin"]);
});

test("attempts of one address are limited, and successful ones are not counted", async () => {
  const browser = browse();
  for (let i = 0; i < 3; i++) await signIn(newPerson(), browser);
  let last = 200;
  for (let i = 0; i < 101 && last === 200; i++) {
    last = (await browser.post(`${SIGN_IN}/directories/${directoryId}`, {})).status;
  }
  expect(last).toBe(429);
});

test("a provider that fails is a 503 without its secrets", async () => {
  const failing = await startTestProvider(() => h.clock.nowMs);
  const id = await createDirectory(failing);
  await failing.close();
  const answer = await browse().post(`${SIGN_IN}/directories/${id}`, {});
  expect([answer.status, codeOf(answer)]).toEqual([503, "directory_unavailable"]);
  expect(org.id).toBeDefined();
});

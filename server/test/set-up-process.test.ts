import { scryptSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { totpCode } from "#test/harness/authenticator.ts";
import { runBursar } from "#test/harness/command-line.ts";
import {
  type Answer,
  REAL_PASSWORD_COST,
  type ServerProcess,
  serverEnvironment,
  startServer,
  stopAllServers,
  toAnswer,
} from "#test/harness/server-process.ts";

// From the first start to a locked-out owner's next sign-in, on one machine: one process, its banner, a browser, and
// `./bursar`. The tests depend on each other.

const EMAIL = "ada@example.com";
const LONG_MS = 60_000;

let server: ServerProcess;
const cookies = new Map<string, string>();
/** Secrets that must not be stored after use, by name. */
const secrets = new Map<string, string>([
  ["first password", "canary kepler owns 41 telescopes"],
  ["second password", "canary tycho lost his silver nose"],
]);
const secret = (name: string) => secrets.get(name) ?? "";

beforeAll(async () => {
  server = await startServer({ env: REAL_PASSWORD_COST });
}, 90_000);
afterAll(stopAllServers);

/** Returns the output of a command. Throws its result when the command fails. */
async function bursar(...args: string[]): Promise<string> {
  const ran = await runBursar(args, { env: serverEnvironment(server.dataDir) });
  if (ran.code !== 0) throw Object.assign(new Error(ran.stderr), ran);
  return ran.stdout;
}

/** Sends a request from a browser that stores cookies. */
async function send(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      origin: server.url,
      "x-bursar-console": "1",
      cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  for (const line of response.headers.getSetCookie()) {
    const [name = "", value = ""] = line.split(";", 1)[0]?.split("=") ?? [];
    cookies.set(name, value);
  }
  return toAnswer(response);
}

const linkOf = (text: string) => /\S+\/setup#token=\S+/.exec(text)?.[0] ?? "";
const tokenOf = (link: string) => link.trim().split("#token=")[1] ?? "";
const setUp = (token: string) =>
  send("POST", "/v1/admin/setup", {
    token,
    name: "Ada Lovelace",
    email: EMAIL,
    password: secret("first password"),
    organization_name: "Analytical Engines",
  });

test(
  "the first start prints a link, and the command line creates another one",
  async () => {
    const link = linkOf(server.output());
    expect(link.startsWith(`${server.url}/setup#token=`)).toBe(true);
    secrets.set("token of the banner", tokenOf(link));
    const made = await bursar("setup-link");
    expect(linkOf(made)).toBe(made.trim());
    secrets.set("token of the command line", tokenOf(made));
    const json = JSON.parse(await bursar("--json", "setup-link")) as { url: string };
    expect(linkOf(json.url)).toBe(json.url);
    await expect(bursar("owners", "reset", EMAIL)).rejects.toMatchObject({ code: 4 });
  },
  LONG_MS,
);

test(
  "the banner's link creates the owner, who is signed in",
  async () => {
    expect((await setUp(secret("token of the banner"))).status).toBe(200);
    const me = await send("GET", "/v1/admin/session");
    expect(me.json).toMatchObject({
      organization: { name: "Analytical Engines" },
      member: { email: EMAIL, role: "owner" },
    });
    expect((await setUp(secret("token of the command line"))).status).toBe(400);
    await expect(bursar("setup-link")).rejects.toMatchObject({ code: 5 });
    const [account] = await server.sql<{ password: string }>("SELECT password FROM auth_account");
    const [parameters, salt = "", key] = account?.password.split(/:|(?<=\$)(?=[0-9a-f]+:)/) ?? [];
    expect(parameters).toBe("scrypt$131072$8$1$");
    const cost = { N: 131_072, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
    expect(scryptSync(secret("first password"), salt, 64, cost).toString("hex")).toBe(key);
  },
  LONG_MS,
);

test(
  "a restart prints no link, and the session continues",
  async () => {
    secrets.set("session", cookies.get("bursar_session")?.split(".")[0] ?? "");
    secrets.set("device", cookies.get("bursar_device") ?? "");
    await server.stop();
    server = await server.restart();
    expect(linkOf(server.output())).toBe("");
    expect((await send("GET", "/v1/admin/session")).status).toBe(200);
  },
  LONG_MS,
);

test(
  "an owner without password and authenticator app signs in again after a reset",
  async () => {
    const begun = await send("POST", "/v1/admin/two_factor/totp");
    const totp = begun.json as unknown as { secret: string; backup_codes: string[] };
    secrets.set("authenticator secret", totp.secret);
    for (const code of totp.backup_codes) secrets.set(`backup code ${code}`, code);
    const code = totpCode(secret("authenticator secret"));
    expect((await send("POST", "/v1/admin/two_factor/totp/confirm", { code })).status).toBe(200);
    expect(JSON.parse(await bursar("owners", "list"))).toMatchObject({
      data: [{ email: EMAIL, name: "Ada Lovelace", status: "active", has_two_factor: true }],
    });

    const link = await bursar("owners", "reset", EMAIL, "--two-factor");
    expect(link.startsWith(`${server.url}/reset#token=`)).toBe(true);
    secrets.set("token of the reset", tokenOf(link));
    expect((await send("GET", "/v1/admin/session")).status).toBe(401);
    const reset = { token: tokenOf(link), password: secret("second password") };
    expect((await send("POST", "/v1/admin/password_reset/confirm", reset)).status).toBe(200);
    const signIn = { email: EMAIL, password: secret("second password") };
    const answer = await send("POST", "/v1/admin/sign_in", signIn);
    expect(answer.json).toEqual({ type: "signed_in" });
    secrets.set("second session", cookies.get("bursar_session")?.split(".")[0] ?? "");
  },
  LONG_MS,
);

test(
  "no table, file or log contains any of the secrets",
  async () => {
    const leaks: string[] = [];
    const search = (where: string, text: string | Buffer) => {
      for (const [name, value] of secrets)
        if (text.includes(value)) leaks.push(`${name} in ${where}`);
    };
    expect([...secrets.values()].every((value) => value.length >= 10)).toBe(true);
    const tables = await server.sql<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    let rows = 0;
    for (const { name } of tables) {
      const found = await server.sql<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
      rows += found.length;
      search(name, found.map(({ row }) => row).join("\n"));
    }
    expect(rows).toBeGreaterThan(20);
    await server.stop();
    for (const entry of readdirSync(server.dataDir, { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) search(entry.name, readFileSync(join(entry.parentPath, entry.name)));
    }
    search("the log", server.output());
    expect(leaks).toEqual([]);
  },
  LONG_MS,
);

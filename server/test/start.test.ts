import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive, postgresPid } from "#test/harness/embedded-database.ts";
import { type FakeUpstream, startFakeUpstream } from "#test/harness/fake-upstream.ts";
import {
  root,
  type ServerProcess,
  sendMessage,
  serverEnvironment,
  startAndFail,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";

const run = promisify(execFile);

afterAll(stopAllServers);

/** Banner of the server: the output without log lines. */
function bannerOf(server: ServerProcess): string {
  return server
    .output()
    .split("\n")
    .filter((line) => !line.startsWith("{"))
    .join("\n");
}

/** Commands in the banner, one a line. */
function commandsOf(banner: string): string[] {
  return banner
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^(export |curl |\S*\.\/bursar |BURSAR_)/.test(line));
}

describe("the first start", () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer({ folderName: "it's a folder", isDatabaseMissing: true });
  }, 90_000);

  test("prints its address, the upstream in use, the reference and three commands", () => {
    const banner = bannerOf(server);
    expect(banner).toContain(server.url);
    expect(banner).toContain(`${server.url}/docs`);
    expect(banner).toMatch(/simulator/);
    expect(commandsOf(banner)).toHaveLength(3);
    expect(server.output()).not.toMatch(/sk-ant-admin01-\w{20}/);
  });

  test("prints commands that work when pasted and end in a response of Claude", async () => {
    const script = commandsOf(bannerOf(server)).join("\n");
    // A shell without any setting of this server. The commands must contain everything they need.
    const { PATH, HOME } = process.env;
    const { stdout } = await run("bash", ["-e", "-c", script], {
      cwd: root,
      env: { PATH: PATH ?? "", HOME: HOME ?? "" },
    });
    // Piped output is JSON: the workspace on one line, then Claude's response.
    const answer = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
    expect(answer).toMatchObject({ type: "message", role: "assistant" });
  });

  test("serves a plain page, the reference, the document and its health", async () => {
    const page = await fetch(`${server.url}/`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("/openapi.json");
    const docs = await fetch(`${server.url}/docs`);
    expect(docs.status).toBe(200);
    expect(docs.headers.get("content-type")).toMatch(/text\/html/);
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
      openapi: string;
    };
    expect(document.openapi).toMatch(/^3\.1\./);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    const metrics = await fetch(`${server.url}/metrics`);
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toContain("# TYPE bursar_claude_requests_total counter");
  });

  test("stores secrets readable by its own user only", () => {
    for (const name of ["secret", "admin.sock", "server.json", "bursar.lock", "journal"]) {
      const file = join(server.dataDir, name);
      if (existsSync(file))
        expect({ name, mode: statSync(file).mode & 0o077 }).toEqual({ name, mode: 0 });
    }
  });

  test("refuses a second start on the same data folder with a clear message, and harms nothing", async () => {
    for (const env of [{}, { BURSAR_PORT: new URL(server.url).port }]) {
      const refused = await startAndFail({ dataDir: server.dataDir, env });
      expect(refused.code).toBe(1);
      expect(refused.output).toMatch(/^Another Bursar \(process .*is using the data folder/);
      expect(refused.output).toContain(server.dataDir);
      expect(refused.output).not.toMatch(/^\s+at /m);
    }
    const { key } = await server.workspaceWithKey();
    expect((await sendMessage(server.url, key)).status).toBe(200);
    const written = JSON.parse(readFileSync(join(server.dataDir, "server.json"), "utf8")) as object;
    expect(written).toEqual({ url: server.url, pid: server.pid });
  });

  test("ends cleanly on SIGTERM, and a warm start soon serves a request with the same keys", async () => {
    const { key } = await server.workspaceWithKey();
    const postgres = postgresPid(server.dataDir);
    expect(postgres).not.toBeNull();
    await server.stop("SIGTERM");
    expect(isAlive(postgres ?? 0)).toBe(false);
    expect(existsSync(join(server.dataDir, "server.json"))).toBe(false);

    const startedAt = performance.now();
    server = await server.restart();
    const answer = await sendMessage(server.url, key);
    const warmStartMs = performance.now() - startedAt;
    expect(answer.status).toBe(200);
    // Requests were sent before, so only the first owner is missing.
    expect(bannerOf(server)).toContain("This installation has no owner yet");
    expect(bannerOf(server)).not.toContain("Next:");
    expect(commandsOf(bannerOf(server))).toEqual([]);
    process.stderr.write(`warm start to first answered request: ${Math.round(warmStartMs)} ms\n`);
    expect(warmStartMs).toBeLessThan(30_000);
  }, 90_000);

  test("ends cleanly on SIGINT", () => server.stop("SIGINT"), 90_000);
});

describe("a real upstream", () => {
  let upstream: FakeUpstream;
  let server: ServerProcess;
  let key: string;
  beforeAll(async () => {
    upstream = await startFakeUpstream();
    server = await startServer({
      env: {
        ANTHROPIC_API_KEY: "upstream-credential",
        ANTHROPIC_UPSTREAM_URL: upstream.origin,
        BURSAR_DRAIN: "1s",
      },
    });
    ({ key } = await server.workspaceWithKey());
  }, 90_000);
  afterAll(() => upstream.close());

  test("is named in the banner with its variable and origin, and gets the requests", async () => {
    const upstreamLine = bannerOf(server)
      .split("\n")
      .find((line) => line.includes("upstream"));
    expect(upstreamLine).toContain(upstream.origin);
    expect(upstreamLine).toContain("ANTHROPIC_API_KEY");
    expect(upstreamLine).not.toContain("upstream-credential");
    expect((await sendMessage(server.url, key, { model: "claude-of-old" })).status).toBe(200);
    const [received] = upstream.received;
    expect(received?.headers["x-api-key"]).toBe("upstream-credential");
    expect(received?.body.toString()).toContain('"model":"claude-of-old"');
  });

  test("does not delay SIGTERM by idle connections or incomplete requests", async () => {
    const { hostname, port } = new URL(server.url);
    const silent = createConnection(Number(port), hostname);
    const half = createConnection(Number(port), hostname);
    for (const socket of [silent, half]) {
      socket.on("error", () => undefined);
      await once(socket, "connect");
    }
    half.write("POST /v1/messages HTTP/1.1\r\nhost: x\r\n");
    await fetch(`${server.url}/healthz`); // the listener has accepted the earlier connections
    const startedAt = performance.now();
    await server.stop("SIGTERM");
    // An incomplete request may last a minute, and an idle connection any time.
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  }, 90_000);

  test("delays SIGTERM until a running stream ends, without new requests", async () => {
    const { BURSAR_DRAIN: _, ...env } = server.env;
    server = await server.restart({ env });
    const begun = upstream.nextExchange();
    upstream.script = () => undefined;
    const answer = sendMessage(server.url, key, { stream: true });
    const exchange = await begun;
    exchange.startStream();
    await exchange.write('event: ping\ndata: {"type":"ping"}\n\n');
    const stopped = server.stop("SIGTERM");
    await exchange.write('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    exchange.end();
    expect((await answer).text).toMatch(/message_stop/);
    await stopped;
    await expect(sendMessage(server.url, key)).rejects.toThrow();
  }, 90_000);

  test("is not used with --simulator", async () => {
    const sent = upstream.received.length;
    const env = { ...server.env, BURSAR_LOG_FORMAT: "pretty" };
    server = await server.restart({ args: ["--simulator"], env });
    expect(bannerOf(server)).toMatch(/simulator/);
    expect(bannerOf(server)).not.toContain(upstream.origin);
    expect((await sendMessage(server.url, key)).status).toBe(200);
    expect(upstream.received).toHaveLength(sent);
  }, 90_000);

  test("ends cleanly on SIGHUP, which a closed terminal sends, with a readable log for BURSAR_LOG_FORMAT", async () => {
    await server.stop("SIGHUP");
    const lines = server.output().split("\n");
    expect(lines.filter((line) => line.startsWith("{"))).toEqual([]);
    expect(lines).toContainEqual(
      expect.stringMatching(/^\d\d:\d\d:\d\d INFO {2}stopping signal=SIGHUP$/),
    );
  }, 90_000);
});

describe("refuses an invalid start with one clear message", () => {
  test.each([
    ["an unknown setting", { BURSAR_PROT: "8484" }, "BURSAR_PROT"],
    ["a wrong value", { BURSAR_PORT: "many" }, "BURSAR_PORT"],
    ["half of TLS", { BURSAR_TLS_CERT_FILE: "/nowhere.pem" }, "BURSAR_TLS_KEY_FILE"],
    [
      "a database that is not there",
      { DATABASE_URL: "postgres://127.0.0.1:1/x", BURSAR_SECRET: TEST_SECRET },
      "DATABASE_URL",
    ],
    ["a short secret", { BURSAR_SECRET: "short" }, "BURSAR_SECRET"],
    ["an upstream in the clear", { ANTHROPIC_UPSTREAM_URL: "http://192.0.2.1" }, "192.0.2.1"],
  ])("%s", async (_, env, named) => {
    const args = "ANTHROPIC_UPSTREAM_URL" in env ? [] : ["--simulator"];
    const { code, output } = await startAndFail({ env, args });
    expect(code).toBe(1);
    expect(output).toContain(named);
    expect(output).not.toMatch(/^\s+at /m);
  });

  test.each([[[]], [["--processes", "2"]]])(
    "a used port, with the arguments %j, creates nothing",
    async (args) => {
      const upstream = await startFakeUpstream();
      try {
        const port = new URL(upstream.origin).port;
        const dataDir = join(await temporaryFolder(), "data");
        const { code, output } = await startAndFail({ dataDir, args, env: { BURSAR_PORT: port } });
        expect([code, output]).toEqual([
          1,
          `Port ${port} of 127.0.0.1 is in use by another program. Stop that program, or start with another port, such as ` +
            `BURSAR_PORT=${Number(port) + 1}.\n`,
        ]);
        expect(existsSync(dataDir)).toBe(false);
      } finally {
        await upstream.close();
      }
    },
  );

  test("an address of another machine creates nothing", async () => {
    const dataDir = join(await temporaryFolder(), "data");
    const { code, output } = await startAndFail({ dataDir, env: { BURSAR_HOST: "192.0.2.1" } });
    expect([code, output]).toEqual([
      1,
      "192.0.2.1 is not an address of this machine. Set BURSAR_HOST to one of its addresses, such as 127.0.0.1.\n",
    ]);
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe("the command line without a server", () => {
  test("reports that none runs", async () => {
    const dataDir = await temporaryFolder();
    const failure = await run(process.execPath, ["bursar", "admin-keys", "list"], {
      cwd: root,
      env: serverEnvironment(dataDir),
    }).catch((error: { stderr: string; code: number }) => error);
    expect(failure).toMatchObject({ code: 7, stderr: expect.stringContaining(dataDir) });
  });
});

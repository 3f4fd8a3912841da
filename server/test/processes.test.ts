import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeLocalApi } from "#src/cli/local-api.ts";
import { HELD_AT_THREE_PROCESSES, runCrashRounds } from "#test/harness/crash-rounds.ts";
import { isAlive } from "#test/harness/embedded-database.ts";
import { eventually, withinBound } from "#test/harness/eventually.ts";
import { type FakeUpstream, messageJson, startFakeUpstream } from "#test/harness/fake-upstream.ts";
import { withinSeconds } from "#test/harness/node-clock.ts";
import { copyPreparedDatabase } from "#test/harness/prepared-database.ts";
import {
  type ServerProcess,
  sendMessage,
  startAndFail,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";

// Several processes of one data folder on one port.

afterAll(stopAllServers);

const PROCESSES = 3;
/** Process of three that the crash rounds kill. */
const VICTIM = 3;
const RESTART_MS = 60_000;
/** Duration of the load on the remaining processes. */
const LOAD_AFTER_KILL_MS = 300;

/** Process id of the writer of this journal. Null briefly while it writes its id. */
function findPid(server: ServerProcess, index: number): number | null {
  const folder = index === 1 ? "journal" : `journal-${index}`;
  const text = readFileSync(join(server.dataDir, folder, "bursar.lock"), "utf8");
  return text === "" ? null : (JSON.parse(text) as { pid: number }).pid;
}

function pidOf(server: ServerProcess, index: number): number {
  const pid = findPid(server, index);
  if (pid === null) throw new Error(`process ${index} is starting`);
  return pid;
}

const pidsOf = (server: ServerProcess, processes = PROCESSES) =>
  Array.from({ length: processes }, (_, i) => pidOf(server, i + 1));

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Whether a new process writes the killed one's journal and serves. */
async function isReplaced(server: ServerProcess, index: number, killed: number): Promise<boolean> {
  const pid = findPid(server, index);
  return pid !== null && pid !== killed && (await isUp(server, index));
}

/** Sends on a new connection, which reaches the next process. */
function sendOnNewConnection(url: string, key: string, path = "/v1/messages"): Promise<number> {
  const body = JSON.stringify({
    model: "claude-haiku-4-5-20251001",
    max_tokens: 16,
    messages: [{ role: "user", content: "Hello" }],
  });
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const headers = { "x-api-key": key, "content-type": "application/json" };
    const call = request(url + path, { method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    call.on("error", reject);
    call.end(body);
  });
}

async function statusesOf(server: ServerProcess, key: string): Promise<number[]> {
  const sent = Array.from({ length: 4 * PROCESSES }, () => sendOnNewConnection(server.url, key));
  return [...new Set(await Promise.all(sent))].sort();
}

async function metricsOf(server: ServerProcess): Promise<string> {
  return (await fetch(`${server.url}/metrics`)).text();
}

/** Samples of a metric: labels and value. */
function samplesOf(text: string, name: string): [string, number][] {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`));
  return lines.map((line) => [
    line.slice(name.length, line.indexOf("} ") + 1),
    Number(line.split("} ")[1]),
  ]);
}

async function metricOf(server: ServerProcess, name: string): Promise<Record<string, number>> {
  return Object.fromEntries(samplesOf(await metricsOf(server), name));
}

const isUp = async (server: ServerProcess, index: number) =>
  (await metricOf(server, "bursar_process_up"))[`{process="${index}"}`] === 1;

describe("three processes", () => {
  let upstream: FakeUpstream;
  let server: ServerProcess;
  /** Result of an admin socket call when /readyz first returned 200. */
  let firstCall: PromiseSettledResult<unknown>;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    upstream.script = (exchange) => exchange.json(messageJson());
    const dataDir = join(await temporaryFolder(), "data");
    await copyPreparedDatabase(dataDir);
    const port = String(await findFreePort());
    const started = startServer({
      dataDir,
      env: {
        BURSAR_PORT: port,
        ANTHROPIC_API_KEY: "upstream-credential",
        ANTHROPIC_UPSTREAM_URL: upstream.origin,
      },
      args: ["--processes", String(PROCESSES)],
    });
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await eventually(90_000, "readiness", async () => ((await isReady()) ? true : null));
    const call = makeLocalApi(dataDir)("POST", "/v1/admin/workspaces", { name: "At once" });
    [firstCall] = await Promise.allSettled([call]);
    server = await started;
  }, 180_000);
  afterAll(() => upstream.close());

  test("accept calls on the admin socket once /readyz returns 200", () => {
    expect(firstCall).toMatchObject({ status: "fulfilled", value: { name: "At once" } });
  });

  test("print one banner, with the supervisor's process id", () => {
    expect(server.output().match(/is ready at/g)).toHaveLength(1);
    const written = JSON.parse(readFileSync(join(server.dataDir, "server.json"), "utf8")) as object;
    expect(written).toEqual({ url: server.url, pid: server.pid });
    expect(new Set([server.pid, ...pidsOf(server)]).size).toBe(PROCESSES + 1);
  });

  test("share the load, and each applies a limit and a revocation", async () => {
    const made = await server.workspaceWithKey();
    expect(await statusesOf(server, made.key)).toEqual([200]);
    await eventually(30_000, "records of three nodes", async () => {
      const rows = await server.sql("SELECT DISTINCT node_id FROM recorded_request");
      return rows.length === PROCESSES ? true : null;
    });
    await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
      workspace_id: made.workspaceId,
      monthly_limit_usd: 0.000001,
    });
    await eventually(30_000, "the limit on every process", async () =>
      (await statusesOf(server, made.key)).join() === "400" ? true : null,
    );
    await server.mustAdmin("POST", `/v1/admin/api_keys/${made.apiKeyId}`, { status: "inactive" });
    await withinSeconds(1, [server], "the revocation on every process", async () =>
      (await statusesOf(server, made.key)).join() === "401" ? true : null,
    );
  });

  test("serve the command line through one admin socket", async () => {
    const callApi = makeLocalApi(server.dataDir);
    const names = await Promise.all(
      Array.from({ length: 2 * PROCESSES }, async (_, i) => {
        const made = await callApi("POST", "/v1/admin/workspaces", { name: `Of the socket ${i}` });
        return (made as { name: string }).name;
      }),
    );
    expect(names).toHaveLength(2 * PROCESSES);
  });

  test("report the metrics of all processes, each line with its process", async () => {
    const { key } = await server.workspaceWithKey();
    // Null when a process did not report in time, as under load.
    const sum = async () => {
      const text = await metricsOf(server);
      const isWhole = samplesOf(text, "bursar_pending_records").length === PROCESSES;
      const counts = samplesOf(text, "bursar_claude_requests_total").map(([, value]) => value);
      return isWhole ? counts.reduce((total, value) => total + value, 0) : null;
    };
    const before = await eventually(30_000, "the metrics of all", sum);
    const sent = 4 * PROCESSES;
    await statusesOf(server, key);
    // Counted at the end of a response, which the client may see a moment before.
    await eventually(30_000, "the sum", async () =>
      (await sum()) === before + sent ? true : null,
    );
    expect(await metricOf(server, "bursar_process_up")).toEqual({
      '{process="1"}': 1,
      '{process="2"}': 1,
      '{process="3"}': 1,
    });
    const text = await eventually(30_000, "the metrics of all", async () => {
      const found = await metricsOf(server);
      return samplesOf(found, "bursar_pending_records").length === PROCESSES ? found : null;
    });
    expect(text.match(/^# TYPE bursar_pending_records gauge$/gm)).toHaveLength(1);
    expect(text.match(/^bursar_pending_records\{process="\d"\} \d+$/gm)).toHaveLength(PROCESSES);
  });

  test("refuse a second start on the folder and an invalid number of processes", async () => {
    const second = await startAndFail({
      dataDir: server.dataDir,
      args: ["--simulator", "--processes", "2"],
    });
    expect(second.code).toBe(1);
    expect(second.output).toContain("is using the data folder");
    const none = await startAndFail({ args: ["--simulator", "--processes", "0"] });
    expect(none.output).toContain("expected a number of processes from 1 to 64");
  });

  test("restart a killed process under its name while the others serve", {
    timeout: 180_000,
  }, async () => {
    const { key } = await server.workspaceWithKey();
    const nodeId = readFileSync(join(server.dataDir, "journal-2", "node-id"), "utf8");
    const killed = pidOf(server, 2);
    const sent = Array.from({ length: 300 }, () => sendOnNewConnection(server.url, key));
    process.kill(killed, "SIGKILL");
    // Requests to the killed process are answered or break, so that no client waits forever.
    const settled = await withinBound(
      Promise.allSettled(sent),
      60_000,
      "every client to get a result",
    );
    expect(settled.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(100);
    await eventually(RESTART_MS, "the process to return", async () => {
      expect((await sendMessage(server.url, key)).status).toBe(200);
      return !isAlive(killed) && (await isReplaced(server, 2, killed)) ? true : null;
    });
    expect(readFileSync(join(server.dataDir, "journal-2", "node-id"), "utf8")).toBe(nodeId);
    expect(await metricOf(server, "bursar_process_restarts_total")).toMatchObject({
      '{process="2"}': 1,
    });
  });

  test("report a used port once, with a clear message", async () => {
    const refused = await startAndFail({
      args: ["--simulator", "--processes", "2"],
      env: { BURSAR_PORT: new URL(server.url).port },
    });
    expect(refused.code).toBe(1);
    const told = refused.output.split("\n").filter((line) => line.includes("BURSAR_PORT"));
    expect(told).toHaveLength(1);
  });

  test("finish running requests on SIGTERM, and end all processes and the database", {
    timeout: 180_000,
  }, async () => {
    const release = Promise.withResolvers<void>();
    upstream.script = async (exchange) => {
      await release.promise;
      exchange.json(messageJson());
    };
    upstream.received.length = 0;
    const pids = pidsOf(server);
    const { key } = await server.workspaceWithKey();
    const running = Array.from({ length: 2 * PROCESSES }, () =>
      sendOnNewConnection(server.url, key),
    );
    await eventually(30_000, "all requests to be under way", async () =>
      upstream.received.length === running.length ? true : null,
    );
    const stopped = server.stop();
    await eventually(30_000, "the drain", async () => {
      // A request before the signal arrives is accepted and finishes with the others.
      const taken = upstream.nextExchange().then(() => "taken");
      const late = sendOnNewConnection(server.url, key);
      const refused = late.then(
        (status) => (status === 503 ? "refused" : "another"),
        () => "refused",
      );
      const outcome = await Promise.race([taken, refused]);
      if (outcome === "taken") running.push(late);
      return outcome === "refused" ? true : null;
    });
    release.resolve();
    expect(await Promise.all(running)).toEqual(running.map(() => 200));
    await stopped;
    expect(pids.map(isAlive)).toEqual([false, false, false]);
  });
});

test("after kill -9 of one process, then of the supervisor, and a start of fewer, no process serves, each request has one record and all journals are flushed", {
  timeout: 600_000,
}, async () => {
  // The first round kills one process. The others kill the supervisor, and continue with other numbers of processes.
  const processes = [PROCESSES, 1, 2];
  let pids: number[] = [];
  const rounds = await runCrashRounds({
    rounds: processes.length,
    seed: 20_261_125,
    args: (round) => ["--processes", String(processes[Math.max(0, round - 1)])],
    heldAtCrash: HELD_AT_THREE_PROCESSES,
    crash: async (server, round) => {
      pids = pidsOf(server, processes[Math.max(0, round - 2)]);
      if (round > 1) return await server.kill();
      process.kill(pidOf(server, VICTIM), "SIGKILL");
      await delay(LOAD_AFTER_KILL_MS);
    },
    recover: async (server, round) => {
      if (round > 1) {
        await eventually(20_000, "all processes to end", async () =>
          pids.some(isAlive) ? null : true,
        );
        await expect(fetch(server.url)).rejects.toThrow();
        return null;
      }
      await eventually(RESTART_MS, "the process to return", async () =>
        (await isReplaced(server, VICTIM, pids[VICTIM - 1] ?? 0)) ? true : null,
      );
      return server;
    },
  });
  expect(rounds).toHaveLength(processes.length);
  expect(rounds.slice(0, 2).map(({ interrupted }) => interrupted > 0)).toEqual([true, true]);
});

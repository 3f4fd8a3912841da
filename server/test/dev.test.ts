import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { isAlive, postgresPid } from "#test/harness/embedded-database.ts";
import { eventually } from "#test/harness/eventually.ts";
import {
  root,
  serverEnvironment,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";

// `npm run dev` without the sample company. Tests of the console create the company from the same source.

const READY_MS = 90_000;
const END_MS = 60_000;

let dev: ChildProcess | null = null;
let databasePid = 0;
afterEach(() => {
  if (dev?.pid !== undefined) signalGroup(dev.pid, "SIGKILL");
  if (databasePid > 0 && isAlive(databasePid)) process.kill(databasePid, "SIGQUIT");
});
afterAll(stopAllServers);

/** Sends a signal to every process of the group. Returns false when the group is empty. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

async function startDev() {
  const dataDir = join(await temporaryFolder(), "data");
  const port = randomInt(20_000, 30_000);
  const args = ["scripts/run.mjs", "dev", "--empty", "--port", String(port)];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: serverEnvironment(dataDir),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a separate process group, as in a terminal
  });
  dev = child;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const token = await eventually(READY_MS, "the set-up link and the addresses", async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output}`);
    const link = /\/setup#token=(\S+)/.exec(output);
    return output.includes("Ctrl-C stops") ? (link?.[1] ?? null) : null;
  });
  return { pid: child.pid ?? 0, origin: `http://localhost:${port}`, dataDir, token };
}

/** Process id of the server. Null while a server stops or starts, because its file is missing then. */
function readServerPid(dataDir: string): number | null {
  try {
    return (JSON.parse(readFileSync(join(dataDir, "server.json"), "utf8")) as { pid: number }).pid;
  } catch {
    return null;
  }
}

test("npm run dev serves the page and the API at one address, restarts on a change and leaves no process", async () => {
  const { pid, origin, dataDir, token } = await startDev();

  const page = await fetch(`${origin}/login`, { headers: { accept: "text/html" } });
  expect(await page.text()).toContain('src="/src/sign-in.tsx"');
  expect(page.headers.get("content-security-policy")).toMatch(/script-src 'self' 'nonce-[^']+';/);

  const console = { "x-bursar-console": "1", origin, "content-type": "application/json" };
  const setUp = await fetch(`${origin}/v1/admin/setup`, {
    method: "POST",
    headers: console,
    body: JSON.stringify({
      token,
      organization_name: "Northwind",
      name: "Ada",
      email: "ada@northwind.example",
      password: "correct horse battery staple",
    }),
  });
  expect(setUp.status).toBe(200);
  const cookie = setUp.headers.getSetCookie().map((each) => each.split(";")[0]);
  const askSession = () =>
    fetch(`${origin}/v1/admin/session`, { headers: { ...console, cookie: cookie.join("; ") } });
  expect((await askSession()).status).toBe(200);

  const serverPid = readServerPid(dataDir) ?? 0;
  expect(serverPid).toBeGreaterThan(0);
  const now = new Date();
  utimesSync(join(root, "server/src/main.ts"), now, now);
  await eventually(READY_MS, "another server to answer", async () => {
    const answer = await askSession().catch(() => null);
    const pid = readServerPid(dataDir);
    return answer?.status === 200 && pid !== null && pid !== serverPid ? true : null;
  });
  expect(isAlive(serverPid)).toBe(false);

  databasePid = postgresPid(dataDir) ?? 0;
  expect(databasePid).toBeGreaterThan(0);
  signalGroup(pid, "SIGINT");
  await eventually(END_MS, "every process to end", async () =>
    isAlive(databasePid) || signalGroup(pid, 0) ? null : true,
  );
});

// Measures eleven pages as a visitor with a slow connection and a slow device loads them: `npm run measure-pages`. Results
// are in console/README.md. Options: `--root <checkout>` measures another checkout by this script, `--runs <number>` loads
// each page more often than three times, and other arguments are names of pages. Figures beyond their bound are bold.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Browser, CDPSession, Page } from "@playwright/test";
import { root as ownRoot } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";
import type { Company } from "./company.ts";

/** Slow 4G. */
const BYTES_PER_SECOND = 1_600_000 / 8;
const LATENCY_MS = 150;
/** A usual phone, compared with this machine. */
const CPU_SLOWDOWN = 4;
/**
 * Time without a new address after which a page is at rest. Longer than the pause before the console loads later parts. Pages
 * that refresh their data ask for the same addresses again.
 */
const QUIET_MS = 3_000;
const MAX_REST_MS = 60_000;
const POLL_MS = 100;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { root: { type: "string" }, runs: { type: "string", default: "3" } },
});
const root = resolve(values.root ?? ownRoot);
const runs = Number(values.runs);

const executable = findChromium();
if (executable === null) {
  process.stderr.write("No Chromium was found: install one, or name it in CHROMIUM_PATH.\n");
  process.exit(1);
}
const built = spawnSync(process.execPath, [join(root, "scripts", "build-console.mjs")], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
if (built.status !== 0) process.exit(1);

// The measured checkout starts its own server and creates its own company.
const load = (path: string) => import(pathToFileURL(join(root, path)).href);
const { startCompany, owner } = (await load("console/test/company.ts")) as {
  startCompany: () => Promise<Company>;
  owner: { email: string };
};
const { addPeopleAndTags } = (await load("console/test/company-people.ts")) as {
  addPeopleAndTags: (company: Company) => Promise<unknown>;
};
const { stopAllServers } = (await load("server/test/harness/server-process.ts")) as {
  stopAllServers: () => Promise<void>;
};

interface Bounds {
  bytes: number;
  requests: number;
  largestPaintMs: number;
  shift: number;
}

const MAX_SHIFT = 0.05;
const boundsOfPages: Bounds = {
  ...{ bytes: 350_000, requests: Number.POSITIVE_INFINITY },
  ...{ largestPaintMs: 2_500, shift: MAX_SHIFT },
};
const boundsOfSignIn: Bounds = {
  ...{ bytes: 150_000, requests: 15 },
  ...{ largestPaintMs: 1_800, shift: MAX_SHIFT },
};
const boundsOfDocuments: Bounds = {
  ...boundsOfPages,
  ...{ bytes: 600_000, largestPaintMs: 3_000 },
};

interface MeasuredPage {
  name: string;
  path: string;
  isPublic?: true;
  /** Default: those of all pages. */
  bounds?: Bounds;
}

const listPages = ({ reviewId }: Company): MeasuredPage[] => [
  { name: "sign-in", path: "/login", isPublic: true, bounds: boundsOfSignIn },
  { name: "overview", path: "/" },
  { name: "usage", path: "/usage?range=30d" },
  { name: "cost", path: "/cost?range=30d&by=model" },
  { name: "requests", path: "/requests?range=30d" },
  { name: "api-keys", path: "/api-keys" },
  { name: "spend-limits", path: "/spend-limits" },
  { name: "members", path: "/members" },
  { name: "access-review", path: `/access-reviews/${reviewId}` },
  { name: "guide", path: "/guides/spend-limits", isPublic: true, bounds: boundsOfDocuments },
  { name: "docs", path: "/docs", isPublic: true, bounds: boundsOfDocuments },
];

/** Runs in the page. */
const observe = `
  globalThis.observed = { largestPaintMs: 0, tasks: [], shift: 0 };
  const watch = (type, see) =>
    new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({ type, buffered: true });
  watch("largest-contentful-paint", ({ startTime }) => { observed.largestPaintMs = startTime; });
  watch("longtask", ({ duration }) => observed.tasks.push(duration));
  watch("layout-shift", ({ value, hadRecentInput }) => { if (!hadRecentInput) observed.shift += value; });
`;

interface Visit {
  bytes: number;
  requests: number;
  /** Requests for an address that was asked for before, which are part of `requests`. */
  repeated: number;
  largestPaintMs: number;
  longTasks: number;
  longestTaskMs: number;
  longTasksMs: number;
  shift: number;
}

const company = await startCompany();
const browser = await launchChromium(executable);
try {
  await addPeopleAndTags(company);
  process.stdout.write(
    "| page | kB | requests | repeated | largest paint, ms | long tasks | longest, ms | sum, ms | shift |\n|---|---|---|---|---|---|---|---|---|\n",
  );
  for (const page of listPages(company)) {
    if (positionals.length > 0 && !positionals.includes(page.name)) continue;
    // The first visit fills caches of the server.
    await visit(browser, page, { isSlow: false });
    const visits: Visit[] = [];
    for (let run = 0; run < runs; run += 1) {
      visits.push(await visit(browser, page, { isSlow: true }));
    }
    process.stdout.write(`${toRow(page, visits)}\n`);
  }
} finally {
  await browser.close();
  await stopAllServers();
}

/** Loads a page in a new context without a cache. */
async function visit(
  browser: Browser,
  { path, isPublic }: MeasuredPage,
  { isSlow }: { isSlow: boolean },
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const { url } = company.server;
  if (isPublic !== true) await context.addCookies([toCookie(url)]);
  const page = await context.newPage();
  await page.addInitScript(observe);
  const devtools = await context.newCDPSession(page);
  if (isSlow) await slowDown(devtools);
  const traffic = await countTraffic(devtools);
  await page.goto(url + path, { waitUntil: "commit" });
  if (!(await traffic.rest())) process.stderr.write(`${path} did not come to rest\n`);
  const seen = await readObserved(page);
  await context.close();
  return { ...traffic.counts(), ...seen };
}

function toCookie(url: string) {
  const [name = "", ...value] = (company.sessions[owner.email] ?? "").split("=");
  return { name, value: value.join("="), url, httpOnly: true, sameSite: "Lax" as const };
}

async function slowDown(devtools: CDPSession): Promise<void> {
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  await devtools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: LATENCY_MS,
    downloadThroughput: BYTES_PER_SECOND,
    uploadThroughput: BYTES_PER_SECOND,
  });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWDOWN });
}

interface TrafficCount {
  /** `bytes`: all responses on the wire, with their headers. */
  counts: () => Pick<Visit, "bytes" | "requests" | "repeated">;
  /** Waits until no new address is asked for. False: the maximum wait is over. */
  rest: () => Promise<boolean>;
}

async function countTraffic(devtools: CDPSession): Promise<TrafficCount> {
  await devtools.send("Network.enable");
  let bytes = 0;
  let requests = 0;
  let changedAtMs = performance.now();
  const addresses = new Set<string>();
  /** True for the first request of an address. */
  const running = new Map<string, boolean>();
  devtools.on("Network.requestWillBeSent", ({ requestId, request: { method, url } }) => {
    if (!url.startsWith("http")) return;
    const address = `${method} ${url}`;
    const isFirst = !addresses.has(address);
    addresses.add(address);
    requests += 1;
    running.set(requestId, isFirst);
    if (isFirst) changedAtMs = performance.now();
  });
  const end = ({
    requestId,
    encodedDataLength = 0,
  }: {
    requestId: string;
    encodedDataLength?: number;
  }) => {
    const isFirst = running.get(requestId);
    if (isFirst === undefined) return;
    running.delete(requestId);
    bytes += encodedDataLength;
    if (isFirst) changedAtMs = performance.now();
  };
  devtools.on("Network.loadingFinished", end);
  devtools.on("Network.loadingFailed", end);
  const rest = async () => {
    const deadlineMs = performance.now() + MAX_REST_MS;
    const isLoading = () => [...running.values()].includes(true);
    while (isLoading() || performance.now() - changedAtMs < QUIET_MS) {
      if (performance.now() > deadlineMs) return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return true;
  };
  const counts = () => ({ bytes, requests, repeated: requests - addresses.size });
  return { counts, rest };
}

async function readObserved(page: Page): Promise<Omit<Visit, "bytes" | "requests" | "repeated">> {
  const { largestPaintMs, tasks, shift } = (await page.evaluate("globalThis.observed")) as {
    largestPaintMs: number;
    tasks: number[];
    shift: number;
  };
  return {
    largestPaintMs,
    longTasks: tasks.length,
    longestTaskMs: Math.max(0, ...tasks),
    longTasksMs: tasks.reduce((sum, task) => sum + task, 0),
    shift,
  };
}

/** Median of each figure. */
function toRow({ name, bounds = boundsOfPages }: MeasuredPage, visits: readonly Visit[]): string {
  const median = (figure: keyof Visit) => {
    const sorted = visits.map((visit) => visit[figure]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  const bounded = (figure: keyof Bounds, toText: (value: number) => string) => {
    const value = median(figure);
    return value > bounds[figure] ? `**${toText(value)}**` : toText(value);
  };
  const cells = [
    name,
    bounded("bytes", (bytes) => (bytes / 1000).toFixed(0)),
    bounded("requests", String),
    median("repeated"),
    bounded("largestPaintMs", (ms) => ms.toFixed(0)),
    median("longTasks"),
    median("longestTaskMs").toFixed(0),
    median("longTasksMs").toFixed(0),
    bounded("shift", (shift) => shift.toFixed(3)),
  ];
  return `| ${cells.join(" | ")} |`;
}

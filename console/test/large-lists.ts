// Measures the console with a very large company: `node console/test/large-lists.ts` (results in console/README.md).
// Prints for each action the longest task that blocked the page.
import type { Page } from "@playwright/test";
import { type ServerProcess, stopAllServers } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";
import { owner, startCompany } from "./company.ts";
import { countGrants, insertLargeCompany, KEYS, MEMBERS, WORKSPACES } from "./large-company.ts";
import { openPage, settle, signIn } from "./open-console.ts";

/** Measured calls of each list route. */
const RUNS = 20;
const executable = findChromium();
if (executable === null) throw new Error("no Chromium was found");

const { server } = await startCompany();
await insertLargeCompany(server);
await measureLists(server);
const browser = await launchChromium(executable);
try {
  const { page } = await openPage(browser);
  page.setDefaultTimeout(60_000);
  await page.addInitScript(`
    globalThis.longTasks = [];
    new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: "longtask", buffered: true });
  `);
  await signIn(page, owner.email, { url: server.url });
  process.stdout.write(
    `| ${KEYS} keys, ${WORKSPACES} workspaces | took ms | longest task ms |\n|---|---|---|\n`,
  );
  for (const [what, act] of actions(server.url)) {
    await page.evaluate("globalThis.longTasks.length = 0");
    const startedAt = performance.now();
    await act(page);
    const took = Math.round(performance.now() - startedAt);
    const longest = await page.evaluate("Math.max(0, ...globalThis.longTasks)");
    process.stdout.write(`| ${what} | ${took} | ${Math.round(Number(longest))} |\n`);
  }
} finally {
  await browser.close();
  await stopAllServers();
}

function actions(url: string): [what: string, act: (page: Page) => Promise<void>][] {
  const rows = (page: Page) => page.locator("tbody tr[aria-rowindex]");
  const scroll = async (page: Page) => {
    for (let step = 0; step < 40; step += 1) {
      await page.mouse.wheel(0, 2_400);
      await page.waitForTimeout(25);
    }
  };
  return [
    ["open the overview", (page) => goTo(page, url, "/")],
    [
      "open the keys",
      async (page) => {
        await goTo(page, url, "/api-keys?show=all");
        await rows(page).first().waitFor();
      },
    ],
    ["scroll through the keys", scroll],
    [
      "search the keys",
      async (page) => {
        await page.evaluate("scrollTo(0, 0)");
        await page.getByLabel("Search keys").pressSequentially("key 99", { delay: 40 });
        await page.getByRole("link", { name: "Key 9999" }).first().waitFor();
      },
    ],
    [
      "sort the keys by name",
      async (page) => {
        await page.getByLabel("Search keys").fill("");
        await page.getByRole("button", { name: "Name" }).click();
        await page.waitForTimeout(400);
      },
    ],
    [
      "choose a workspace for a new key",
      async (page) => {
        await page.getByRole("button", { name: "Create key…" }).click();
        await page
          .getByLabel("Workspace", { exact: true })
          .pressSequentially("Team 77", { delay: 40 });
        await page.getByRole("option", { name: "Team 77", exact: true }).click();
        await page.getByRole("listbox").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.getByRole("button", { name: "Discard changes" }).click();
      },
    ],
    [
      "find a key by ⌘K",
      async (page) => {
        await page.keyboard.press("Control+k");
        await page.getByPlaceholder(/^Search pages/).pressSequentially("key 4321", { delay: 40 });
        await page.getByRole("option", { name: "Key 4321" }).click();
        await page.getByRole("heading", { level: 1, name: "Key 4321" }).waitFor();
      },
    ],
    [
      "open the workspaces",
      async (page) => {
        await goTo(page, url, "/workspaces");
        await rows(page).first().waitFor();
      },
    ],
    ["scroll through the workspaces", scroll],
    ["open the limits, one for each workspace", (page) => goTo(page, url, "/spend-limits")],
    ["scroll through the limits", scroll],
    ["open the usage", (page) => goTo(page, url, "/usage?range=30d")],
    ["open the members", (page) => goTo(page, url, "/members")],
    ["open the access list", (page) => goTo(page, url, "/access")],
    ["open the audit log", (page) => goTo(page, url, "/audit-log")],
  ];
}

async function goTo(page: Page, url: string, path: string): Promise<void> {
  await page.goto(url + path);
  await settle(page);
}

/** Prints the time of each list route over HTTP, and of a whole export with the memory of the server. */
async function measureLists(of: ServerProcess): Promise<void> {
  const grants = await countGrants(of);
  process.stdout.write(
    `\n| ${KEYS} keys, ${MEMBERS} members, ${grants} grants | p50 ms | p95 ms |\n|---|---|---|\n`,
  );
  const deep = await findDeepPage(of, "/v1/admin/access?limit=200", 150);
  const { data } = await of.mustAdmin("GET", "/v1/admin/api_keys?limit=100&name=Key");
  const ids = (data as { id: string }[]).map(({ id }) => id).join(",");
  const paths = {
    "1,000 keys": "/v1/admin/api_keys?limit=1000",
    "1,000 keys that need attention": "/v1/admin/api_keys?limit=1000&needs_attention=true",
    "key hygiene": "/v1/admin/key_hygiene",
    "trends of 100 keys": `/v1/admin/api_keys/trends?api_key_ids=${ids}`,
    "1,000 workspaces": "/v1/admin/workspaces?limit=1000",
    "500 members": "/v1/admin/members?limit=1000",
    "200 grants": "/v1/admin/access?limit=200",
    "200 grants after 30,000": deep,
    "200 grants, unused for 30 days": "/v1/admin/access?limit=200&unused_days=30",
    "200 grants of a search": "/v1/admin/access?limit=200&search=Person%20499",
  };
  for (const [what, path] of Object.entries(paths)) {
    const times: number[] = [];
    for (let run = 0; run <= RUNS; run += 1) {
      const startedAt = performance.now();
      await of.mustAdmin("GET", path);
      if (run > 0) times.push(performance.now() - startedAt);
    }
    times.sort((a, b) => a - b);
    const at = (part: number) => Math.round(times[Math.ceil(part * RUNS) - 1] ?? 0);
    process.stdout.write(`| ${what} | ${at(0.5)} | ${at(0.95)} |\n`);
  }
  await measureOnce("export of all grants", () => of.admin("GET", "/v1/admin/access/export"));
  const created = await measureOnce("create 500 keys", () =>
    of.mustAdmin("POST", "/v1/admin/api_keys/create", {
      workspace_id: `wksp_large${"1".padStart(20, "0")}`,
      name_prefix: "many-",
      count: 500,
    }),
  );
  const many = (created["data"] as { id: string }[]).map(({ id }) => id);
  await measureOnce("disable 500 keys", () =>
    of.mustAdmin("POST", "/v1/admin/api_keys/disable", { ids: many }),
  );
  await measureOnce("archive 500 keys", () =>
    of.mustAdmin("POST", "/v1/admin/api_keys/archive", { ids: many }),
  );
  process.stdout.write("\n");
}

async function measureOnce<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const result = await act();
  process.stdout.write(`| ${what} | ${Math.round(performance.now() - startedAt)} | |\n`);
  return result;
}

/** Path of a later page. */
async function findDeepPage(of: ServerProcess, path: string, pages: number): Promise<string> {
  let next = path;
  for (let page = 0; page < pages; page += 1) {
    const { next_page: cursor } = await of.mustAdmin("GET", next);
    next = `${path}&page=${String(cursor)}`;
  }
  return next;
}

import { readFile } from "node:fs/promises";
import type { Download, Page } from "@playwright/test";
import { beforeAll, expect, test } from "vitest";
import { eventually } from "../../server/test/harness/eventually.ts";
import { sendMessage, textField } from "../../server/test/harness/server-process.ts";
import type { Company } from "./company.ts";
import { type Console, describeConsole, MAX_WAIT_MS, SLOW_MS } from "./open-console.ts";

// Usage, cost and the request log in a real browser, over traffic that the test knows.

interface Known {
  workspaceId: string;
  keys: { id: string; key: string }[];
}

let company: Company;
let openSession: Console["openSession"];
let known: Known;

describeConsole("reports and the request log", (console) => {
  beforeAll(async () => {
    ({ openSession } = console);
    company = console.company();
    known = await makeKnownTraffic(company);
  }, SLOW_MS);

  test(
    "the usage page, the API and the file show the same numbers as the requests",
    async () => {
      const page = await openSignedIn();
      await openReport(page, "usage", { range: "24h", by: "api_key" });
      const table = await readTable(page, "Usage and cost");
      const [report] = await askReport("usage", "group_by=api_key&bucket=none");
      expect(table).toEqual([
        // Columns: key, requests, errors, input, cache write, cache read, output, cost, share.
        [
          "Dear key",
          "3",
          "0",
          "6K",
          "2.7K",
          "90K",
          "2.1K",
          money(report, "Dear key"),
          share(report, "Dear key"),
        ],
        [
          "Cheap key",
          "5",
          "1",
          "4K",
          "0",
          "0",
          "2K",
          money(report, "Cheap key"),
          share(report, "Cheap key"),
        ],
        ["Total", "8", "1", "10K", "2.7K", "90K", "4.1K", round(report?.totals.cost_usd), ""],
      ]);
      const file = await save(page, "Table as CSV");
      expect(
        file
          .map(({ api_key_name, requests, output_tokens, cost_usd }) => [
            api_key_name,
            requests,
            output_tokens,
            cost_usd,
          ])
          .sort(),
      ).toEqual(
        (report?.data ?? [])
          .map((row) => [
            row["api_key_name"],
            String(row["requests"]),
            String(row["output_tokens"]),
            row["cost_usd"],
          ])
          .sort(),
      );
      expect(await page.locator("dd").first().textContent()).toBe(round(report?.totals.cost_usd));
    },
    SLOW_MS,
  );

  test(
    "the cost page splits the same dollars by cost type, to the nano-dollar in the file",
    async () => {
      const page = await openSignedIn();
      await openReport(page, "cost", { range: "24h", by: "token_type" });
      const [report] = await askReport("cost", "group_by=token_type&bucket=none");
      const table = await readTable(page, "Cost");
      const kinds = {
        input: "Input",
        cache_write_5m: "Cache write, 5 minutes",
        cache_read: "Cache read",
        output: "Output",
      };
      const expected = Object.entries(kinds).map(([type, name]) => {
        const row = report?.data.find((each) => each["token_type"] === type);
        return [name, short(Number(row?.["units"])), round(String(row?.["cost_usd"]))];
      });
      expect(
        table
          .slice(0, -1)
          .map((cells) => cells.slice(0, 3))
          .sort(),
      ).toEqual(expected.sort());
      const file = await save(page, "Table as CSV");
      const sum = file.reduce((all, { cost_usd = "" }) => all + nano(cost_usd), 0n);
      expect(sum).toBe(nano(report?.totals.cost_usd ?? ""));
      const [usage] = await askReport("usage", "bucket=none");
      expect(usage?.totals.cost_usd).toBe(report?.totals.cost_usd);
    },
    SLOW_MS,
  );

  test(
    "filters, grouping and view survive a reload and select the same rows",
    async () => {
      const page = await openSignedIn();
      await openReport(page, "usage", { range: "24h", by: "status" });
      await page.getByRole("button", { name: "More filters" }).click();
      await page.getByRole("combobox", { name: /^Status/ }).click();
      await page.getByRole("option", { name: "Server error (5xx)" }).click();
      await page.keyboard.press("Escape");
      const chart = page.getByRole("figure");
      await chart.getByRole("button", { name: "Requests", exact: true }).click();
      await chart.getByRole("button", { name: "Table", exact: true }).click();
      await page.waitForURL(/[?&]view=table/);
      const before = new URL(page.url());
      await page.reload();
      await page.getByRole("combobox", { name: "Status: Server error (5xx)" }).waitFor();
      expect(new URL(page.url()).search).toBe(before.search);
      const table = await readTable(page, "Usage and cost");
      expect(table.map((cells) => cells.slice(0, 3))).toEqual([
        ["Server error (5xx)", "1", "1"],
        ["Total", "1", "1"],
      ]);
      const bars = await readTable(page, "Chart data");
      expect(bars.reduce((sum, cells) => sum + Number(cells.at(-1)), 0)).toBe(1);
    },
    SLOW_MS,
  );

  test(
    "opens a day's hours, minutes and requests by keyboard, and returns",
    async () => {
      const page = await openSignedIn();
      const requests = await askRequests(`workspace_id=${known.workspaceId}`);
      await openReport(page, "usage", { range: "7d", by: "api_key", metric: "requests" });
      const newest = page.getByRole("toolbar").locator('button[tabindex="0"]');
      await newest.focus();
      const newestName = await focusedName(page);
      expect(newestName).toBe(barName(newestName, requests, ", not complete"));
      await page.keyboard.press("ArrowLeft");
      const nameBefore = await focusedName(page);
      expect(nameBefore).toBe(barName(nameBefore, requests));
      expect(nameBefore).not.toBe(newestName);
      await page.keyboard.press("End");
      expect(await focusedName(page)).toBe(newestName);
      await openBusiest(page, "Show hours");
      await openBusiest(page, "Show minutes");
      await page.getByRole("navigation", { name: "Selected time" }).waitFor();
      await openBusiest(page, "Show requests");
      await page.getByRole("heading", { level: 1, name: "Requests" }).waitFor();
      expect(new URL(page.url()).searchParams.get("at")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/);
      expect((await readTable(page, "Requests")).length).toBeGreaterThan(0);
      await page.goBack();
      await page.getByRole("toolbar").waitFor();
      await page.getByRole("button", { name: "Back to 7 days" }).click();
      await page
        .getByRole("button", { name: /Show hours$/ })
        .first()
        .waitFor();
      expect(new URL(page.url()).searchParams.get("at")).toBeNull();
      expect(new URL(page.url()).searchParams.get("range")).toBe("7d");
    },
    SLOW_MS,
  );

  test(
    "a range without usage shows a message and offers a wider one",
    async () => {
      const page = await openSignedIn();
      await openReport(page, "usage", { range: "custom", from: "2026-01-05", to: "2026-01-06" });
      await page.getByRole("heading", { name: "No usage in this range" }).waitFor();
      await page.getByRole("button", { name: "Widen to 30 days" }).click();
      await page.getByRole("table", { name: "Usage and cost" }).waitFor();
      expect(new URL(page.url()).searchParams.get("range")).toBe("30d");
    },
    SLOW_MS,
  );

  test(
    "the log shows each request with its numbers, and its file has the same rows under the same filters",
    async () => {
      const page = await openSignedIn();
      await openLog(page, { key: [known.keys[0]?.id], status: ["answered"] });
      const shown = await readTable(page, "Requests");
      const requests = await askRequests(`api_key_id=${known.keys[0]?.id}&status=answered`);
      expect(requests).toHaveLength(4);
      expect(
        shown.map(([, id, , , model, status, tokens, cost]) => [id, model, status, tokens, cost]),
      ).toEqual(
        requests.map((row) => [
          String(row["id"]).slice(-8),
          row["model"],
          "Answered",
          short(Number(row["total_tokens"])),
          round(String(row["cost_usd"])),
        ]),
      );
      const [csv] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save as CSV" }).click(),
      ]);
      const file = await readCsv(csv);
      expect(file.map(({ request_id, cost_usd }) => [request_id, cost_usd])).toEqual(
        requests.map(({ id, cost_usd }) => [id, cost_usd]),
      );
      const [jsonl] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save as JSONL" }).click(),
      ]);
      const lines = (await readText(jsonl)).trim().split("\n");
      expect(lines.map((line) => JSON.parse(line))).toEqual(requests);
    },
    SLOW_MS,
  );

  test(
    "a request opens and closes by keyboard, shows its cost to the nano-dollar, and returns the focus",
    async () => {
      const page = await openSignedIn();
      await openLog(page, { key: [known.keys[1]?.id] });
      const [request] = await askRequests(`api_key_id=${known.keys[1]?.id}`);
      const row = page.getByRole("button", { name: `open ${request?.["id"]}` });
      await row.focus();
      await page.keyboard.press("Enter");
      const drawer = page.getByRole("dialog", { name: "Request" });
      await drawer.getByRole("rowheader", { name: "Total" }).waitFor();
      const total = drawer.getByRole("row", { name: /^Total/ });
      expect(await total.getByRole("cell").allTextContents()).toEqual([
        `${Number(request?.["total_tokens"]).toLocaleString("en-US")} tokens`,
        `$${request?.["cost_usd"]}`,
      ]);
      await drawer.getByText("Bursar does not store prompts or responses").waitFor();
      await drawer.getByRole("link", { name: "Dear key" }).waitFor();
      expect(new URL(page.url()).searchParams.get("open")).toBe(request?.["id"]);
      await page.keyboard.press("Escape");
      await drawer.waitFor({ state: "detached" });
      await eventually(MAX_WAIT_MS, "the focus on the row", async () =>
        (await focusedName(page)).endsWith(`open ${request?.["id"]}`) ? true : null,
      );
      expect(new URL(page.url()).searchParams.get("open")).toBeNull();
    },
    SLOW_MS,
  );

  test(
    "older requests load on demand, after the existing ones",
    async () => {
      const { key } = await makeKey(company, "Busy key");
      for (let sent = 0; sent < 53; sent += 1) await sendMessage(company.server.url, key);
      const page = await openSignedIn();
      const id = await keyIdOf("Busy key");
      await eventually(MAX_WAIT_MS, "all requests in the log", async () =>
        (await askRequests(`api_key_id=${id}&limit=100`)).length === 53 ? true : null,
      );
      await openLog(page, { key: [id] });
      const first = await readTable(page, "Requests");
      expect(first).toHaveLength(50);
      const asked = Promise.withResolvers<void>();
      await page.route(/\/v1\/admin\/requests\?.*page=/, async (route) => {
        await asked.promise;
        await route.continue();
      });
      const button = page.getByRole("button", { name: "Load older requests" });
      await button.click();
      await page.locator("button[aria-busy=true]").waitFor();
      await page.evaluate(framesDrawn);
      // While loading, the button keeps its name and is disabled.
      expect(await button.isDisabled()).toBe(true);
      asked.resolve();
      await button.waitFor({ state: "detached" });
      const all = await readTable(page, "Requests");
      expect(all).toHaveLength(53);
      expect(all.slice(0, 50)).toEqual(first);
    },
    SLOW_MS,
  );

  test(
    "live mode adds new requests, a hidden tab pauses and says so, and a failed refresh shows the age of the numbers",
    async () => {
      const live = await makeKey(company, "Live key");
      const liveId = await keyIdOf("Live key");
      const { page } = await openSession(undefined, { hasOwnContext: true });
      await page.clock.install();
      await openReport(page, "usage", { key: [liveId], metric: "requests" });
      await page.getByRole("heading", { name: "No usage in this range" }).waitFor();
      await page.getByRole("button", { name: "Live" }).click();
      await page.getByText("while this tab is visible").waitFor();
      await sendMessage(company.server.url, live.key);
      await page.getByRole("button", { name: /: 1(, not complete)?\. Show requests$/ }).waitFor();

      await setVisibility(page, "hidden");
      await page.getByText("Paused while hidden").waitFor();
      let asked = 0;
      page.on("request", (request) => {
        if (request.url().includes("/v1/admin/usage")) asked += 1;
      });
      // Longer than two refreshes, on the clock of the page.
      await page.clock.runFor(11_000);
      await page.evaluate(framesDrawn);
      expect(asked).toBe(0);

      await page.route("**/v1/admin/usage?**", (route) =>
        route.fulfill({ status: 500, body: "{}" }),
      );
      await setVisibility(page, "visible");
      await page.getByText(/Not refreshed since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/).waitFor();
      expect(await readTable(page, "Usage and cost")).toHaveLength(2);
      await page.unroute("**/v1/admin/usage?**");
      await page.getByText(/Not refreshed since/).waitFor({ state: "detached" });
    },
    SLOW_MS,
  );

  test(
    "the month and its forecast are the server's, on the overview and on the cost page",
    async () => {
      const page = await openSignedIn();
      const read = async (path: string) => {
        await page.goto(company.server.url + path);
        const figure = async (name: string) => {
          const value = page.locator("dt", { hasText: name }).locator("+ dd");
          return (await value.filter({ hasText: "$" }).textContent())?.replaceAll(",", "");
        };
        return [await figure("This month"), await figure("Month forecast")];
      };
      const overview = await read("/");
      const summary = await company.server.mustAdmin("GET", "/v1/admin/cost/summary");
      const { month_usd } = summary["forecast"] as { month_usd: string };
      expect(overview).toEqual([round(textField(summary, "month_to_date_usd")), round(month_usd)]);
      expect(await read("/cost?range=month")).toEqual(overview);
    },
    SLOW_MS,
  );

  test(
    "usage, cost and requests show the lag of a replica, and none if reports are from the primary",
    async () => {
      const { page } = await openSession(undefined, { hasOwnContext: true });
      const note = page.getByText("Data from a replica, 3 s behind.");
      const addLag = () =>
        page.route(/\/v1\/admin\/(usage|cost|requests)\?/, async (route) => {
          const response = await route.fetch();
          const headers = { ...response.headers(), "bursar-replica-lag-seconds": "3.2" };
          await route.fulfill({ response, headers });
        });
      for (const path of ["/usage", "/cost", "/requests"]) {
        await page.goto(company.server.url + path);
        await page.getByRole("table").first().waitFor();
        expect(await note.count()).toBe(0);
        await addLag();
        await page.reload();
        await note.waitFor();
        await page.unrouteAll({ behavior: "wait" });
      }
    },
    SLOW_MS,
  );

  test(
    "the steps to a first request show only before the first one, not at the start of a month",
    async () => {
      const page = await openSignedIn();
      const firstDay = `${new Date().toISOString().slice(0, 7)}-01T00:00:00`;
      const withoutRequests = (isEmpty: (startingAt: string) => boolean) =>
        page.route("**/v1/admin/usage?**", async (route) => {
          const startingAt = new URL(route.request().url()).searchParams.get("starting_at") ?? "";
          const response = await route.fetch();
          const usage = await response.json();
          const totals = { ...usage.totals, requests: 0 };
          await route.fulfill({
            response,
            json: isEmpty(startingAt) ? { ...usage, data: [], totals } : usage,
          });
        });
      const steps = page.getByRole("heading", { name: "Before the first request" });
      await withoutRequests((startingAt) => startingAt.startsWith(firstDay));
      await page.goto(company.server.url);
      await page.getByText("Month forecast").waitFor();
      expect(await steps.count()).toBe(0);
      await page.unrouteAll({ behavior: "wait" });
      await withoutRequests(() => true);
      await page.goto(company.server.url);
      await steps.waitFor();
      await page.getByRole("heading", { name: "Send a request" }).waitFor();
      // The steps disappear soon after the first request, without a reload.
      await page.unrouteAll({ behavior: "wait" });
      await steps.waitFor({ state: "detached", timeout: 10_000 });
    },
    SLOW_MS,
  );

  test(
    "a key's page has its newest requests and links to all, and an administrator sets their retention",
    async () => {
      const page = await openSignedIn();
      await page.goto(`${company.server.url}/api-keys/${known.keys[0]?.id}`);
      expect(await readTable(page, "Requests")).toHaveLength(5);
      await page.getByRole("link", { name: "All requests" }).click();
      await page.getByRole("heading", { level: 1, name: "Requests" }).waitFor();
      await page.getByRole("combobox", { name: "Key: Cheap key" }).waitFor();
      await page.getByText("Requests are stored without a time limit.").waitFor();
      await page.getByRole("button", { name: "Set retention…" }).click();
      await page.getByLabel("Days").fill("3");
      await page.getByRole("button", { name: "Set retention", exact: true }).click();
      await page.getByRole("alert").or(page.locator("[aria-invalid=true]")).first().waitFor();
      await page.getByLabel("Days").fill("90");
      await page.getByRole("button", { name: "Set retention", exact: true }).click();
      await page.getByText("Requests are stored for 90 days.").waitFor();
      const settings = await company.server.mustAdmin("GET", "/v1/admin/request_log/settings");
      expect(settings["retention_days"]).toBe(90);
    },
    SLOW_MS,
  );
});

/** Creates two keys in a workspace: a cheap one with a failure, and an expensive one with a cache. */
async function makeKnownTraffic({ server }: Company): Promise<Known> {
  const workspace = await server.mustAdmin("POST", "/v1/admin/workspaces", { name: "Known" });
  const workspaceId = textField(workspace, "id");
  const keys = [];
  for (const [name, model, count] of [
    ["Cheap key", "simulate-in1000-out500", 4],
    ["Dear key", "simulate-in2000-read30000-write5m900-out700-as-claude-opus-4-5-20251101", 3],
  ] as const) {
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name,
      workspace_id: workspaceId,
      permissions: ["write"],
    });
    const key = textField(made, "key");
    keys.push({ id: textField(made, "id"), key });
    for (let sent = 0; sent < count; sent += 1) await sendMessage(server.url, key, { model });
  }
  const cheap = keys[0]?.key ?? "";
  await sendMessage(server.url, cheap, { model: "simulate-error-529" });
  await eventually(MAX_WAIT_MS, "the known requests in the log", async () => {
    const { data } = await server.mustAdmin(
      "GET",
      `/v1/admin/requests?workspace_id=${workspaceId}`,
    );
    return (data as Row[]).length === 8 ? true : null;
  });
  return { workspaceId, keys };
}

async function makeKey({ server, engineeringId }: Company, name: string): Promise<{ key: string }> {
  const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
    name,
    workspace_id: engineeringId,
    permissions: ["write"],
  });
  return { key: textField(made, "key") };
}

async function keyIdOf(name: string): Promise<string> {
  const { data } = await company.server.mustAdmin("GET", "/v1/admin/api_keys?limit=100");
  const found = (data as Record<string, unknown>[]).find((key) => key["name"] === name);
  return textField(found, "id");
}

type Row = Record<string, unknown>;

/** Report of the known workspace from the API, for the shown range. */
async function askReport(
  kind: "usage" | "cost",
  query: string,
): Promise<[{ data: Row[]; totals: { cost_usd: string } }]> {
  const startingAt = new Date(Date.now() - 23 * 3_600_000).toISOString();
  const path = `/v1/admin/${kind}?starting_at=${startingAt}&workspace_id=${known.workspaceId}&${query}`;
  const answer = await company.server.mustAdmin("GET", path);
  return [answer as unknown as { data: Row[]; totals: { cost_usd: string } }];
}

async function askRequests(query: string): Promise<Row[]> {
  const { data } = await company.server.mustAdmin("GET", `/v1/admin/requests?${query}`);
  return data as Row[];
}

async function openSignedIn(): Promise<Page> {
  return (await openSession()).page;
}

/** Opens a report of the known workspace, or of a named key. */
async function openReport(page: Page, kind: "usage" | "cost", search: Row): Promise<void> {
  await page.goto(
    `${company.server.url}/${kind}?${toSearch({ ...(!search["key"] && { workspace: [known.workspaceId] }), ...search })}`,
  );
}

async function openLog(page: Page, search: Row): Promise<void> {
  await page.goto(`${company.server.url}/requests?${toSearch(search)}`);
}

function toSearch(search: Row): string {
  return new URLSearchParams(
    Object.entries(search).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  ).toString();
}

/** Texts of a table's cells by row, including its footer. */
async function readTable(page: Page, name: string): Promise<string[][]> {
  const table = page.getByRole("table", { name, exact: true });
  await table.locator("tbody tr").first().waitFor();
  const rows = await table.locator("tbody tr, tfoot tr").all();
  return Promise.all(
    rows.map(async (row) =>
      (await row.locator("th, td").allTextContents()).map((text) => text.trim()),
    ),
  );
}

/** Presses Enter on the bar with the most requests. */
async function openBusiest(page: Page, action: string): Promise<void> {
  const bars = page.getByRole("button", { name: new RegExp(`${action}$`) });
  await bars.first().waitFor();
  const names = await bars.evaluateAll((all) =>
    all.map((bar) => bar.getAttribute("aria-label") ?? ""),
  );
  const counts = names.map((label) => Number(/: (\d+)/.exec(label)?.[1] ?? 0));
  const busiest = counts.indexOf(Math.max(...counts));
  expect(counts[busiest]).toBeGreaterThan(0);
  await bars.nth(busiest).focus();
  await page.keyboard.press("Enter");
}

/** Name of a day's bar. All its requests are known: near midnight some are of yesterday. */
function barName(shown: string, requests: readonly Row[], state = ""): string {
  const [day = ""] = shown.split(":");
  const ofDay = requests.filter(({ started_at }) => dayOf(String(started_at)) === day);
  return `${day}: ${ofDay.length}${state}. Show hours`;
}

function dayOf(at: string): string {
  return new Date(at).toLocaleDateString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
}

/** Runs in the page. A style change takes one or two frames. */
const framesDrawn = `new Promise((drawn) => {
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(drawn)));
})`;

function focusedName(page: Page): Promise<string> {
  return page.evaluate(
    "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''",
  );
}

async function setVisibility(page: Page, state: "hidden" | "visible"): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "${state}" });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  `);
}

async function save(page: Page, item: string): Promise<Record<string, string>[]> {
  await page.getByRole("button", { name: "Save…" }).click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: item }).click(),
  ]);
  return readCsv(file);
}

async function readText(file: Download): Promise<string> {
  return (await readFile(await file.path(), "utf8")).replace(/^\ufeff/, "");
}

/** Parses files without commas or quotes in cells. */
async function readCsv(file: Download): Promise<Record<string, string>[]> {
  const [header = "", ...lines] = (await readText(file)).trim().split("\r\n");
  const names = header.split(",");
  return lines.map((line) =>
    Object.fromEntries(line.split(",").map((cell, index) => [names[index] ?? "", cell])),
  );
}

// Rounds independently of the page.

function nano(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function round(usd = ""): string {
  const cents = Number(nano(usd)) / 1e7;
  if (cents > 0 && cents < 1) return "<$0.01";
  return `$${(Math.round(cents) / 100).toFixed(2)}`;
}

function short(count: number): string {
  if (count < 1_000) return String(count);
  return `${Number((count / 1_000).toFixed(1))}K`;
}

function rowOf(report: { data: Row[] } | undefined, name: string): Row {
  return report?.data.find((row) => row["api_key_name"] === name) ?? {};
}

function money(report: { data: Row[] } | undefined, name: string): string {
  return round(String(rowOf(report, name)["cost_usd"]));
}

function share(
  report: { data: Row[]; totals: { cost_usd: string } } | undefined,
  name: string,
): string {
  const part = Number(nano(String(rowOf(report, name)["cost_usd"])));
  return `${Math.round((part / Number(nano(report?.totals.cost_usd ?? "1"))) * 100)}%`;
}

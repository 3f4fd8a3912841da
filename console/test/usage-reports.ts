import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import { sendMessage, textField } from "../../server/test/harness/server-process.ts";
import { formatWeekday, nanoToUsdText, toNanoUsd } from "../src/ui/format.ts";
import { SLOW_MS } from "./open-console.ts";
import {
  focusedName,
  framesDrawn,
  nano,
  type Report,
  type ReportPages,
  type Row,
  readCsv,
  readTable,
  round,
  short,
} from "./report-pages.ts";

/** Declares the tests of usage and cost. */
export function testReports(reports: ReportPages): void {
  test(
    "the usage page, the API and the file show the same numbers as the requests",
    async () => {
      const page = await reports.openSignedIn();
      await reports.openReport(page, "usage", { range: "24h", by: "api_key" });
      const table = await readTable(page, "Usage and cost");
      const report = await reports.askReport("usage", "group_by=api_key&bucket=none");
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
        ["Total", "8", "1", "10K", "2.7K", "90K", "4.1K", round(report.totals.cost_usd), ""],
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
        report.data
          .map((row) => [
            row["api_key_name"],
            String(row["requests"]),
            String(row["output_tokens"]),
            row["cost_usd"],
          ])
          .sort(),
      );
      expect(await page.locator("dd").first().textContent()).toBe(round(report.totals.cost_usd));
    },
    SLOW_MS,
  );

  test(
    "the cost page splits the same dollars by cost type, to the nano-dollar in the file",
    async () => {
      const page = await reports.openSignedIn();
      await reports.openReport(page, "cost", { range: "24h", by: "token_type" });
      const report = await reports.askReport("cost", "group_by=token_type&bucket=none");
      const table = await readTable(page, "Cost");
      const kinds = {
        input: "Input",
        cache_write_5m: "Cache write, 5 minutes",
        cache_read: "Cache read",
        output: "Output",
      };
      const expected = Object.entries(kinds).map(([type, name]) => {
        const row = report.data.find((each) => each["token_type"] === type);
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
      expect(sum).toBe(nano(report.totals.cost_usd));
      const usage = await reports.askReport("usage", "bucket=none");
      expect(usage.totals.cost_usd).toBe(report.totals.cost_usd);
    },
    SLOW_MS,
  );

  test(
    "filters, grouping and view survive a reload and select the same rows",
    async () => {
      const page = await reports.openSignedIn();
      await reports.openReport(page, "usage", { range: "24h", by: "status" });
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
      const page = await reports.openSignedIn();
      const requests = await reports.askRequests(`workspace_id=${reports.known.workspaceId}`);
      await reports.openReport(page, "usage", { range: "7d", by: "api_key", metric: "requests" });
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
      const page = await reports.openSignedIn();
      await reports.openReport(page, "usage", {
        range: "custom",
        from: "2026-01-05",
        to: "2026-01-06",
      });
      await page.getByRole("heading", { name: "No usage in this range" }).waitFor();
      await page.getByRole("button", { name: "Widen to 30 days" }).click();
      await page.getByRole("table", { name: "Usage and cost" }).waitFor();
      expect(new URL(page.url()).searchParams.get("range")).toBe("30d");
    },
    SLOW_MS,
  );

  test(
    "live mode adds new requests, a hidden tab pauses and says so, and a failed refresh shows the age of the numbers",
    async () => {
      const live = await reports.makeKey("Live key");
      const liveId = await reports.keyIdOf("Live key");
      const { page } = await reports.openSession(undefined, { hasOwnContext: true });
      await page.clock.install();
      await reports.openReport(page, "usage", { key: [liveId], metric: "requests" });
      await page.getByRole("heading", { name: "No usage in this range" }).waitFor();
      await page.getByRole("button", { name: "Live" }).click();
      await page.getByText("while this tab is visible").waitFor();
      await sendMessage(reports.company.server.url, live.key);
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
      await page.getByText(/Not refreshed since \d+ \w{3} \d{4}, \d\d:\d\d:\d\d UTC/).waitFor();
      expect(await readTable(page, "Usage and cost")).toHaveLength(2);
      await page.unroute("**/v1/admin/usage?**");
      await page.getByText(/Not refreshed since/).waitFor({ state: "detached" });
    },
    SLOW_MS,
  );

  test(
    "the month and its forecast are the server's, on the overview and on the cost page",
    async () => {
      const page = await reports.openSignedIn();
      const read = async (path: string) => {
        await reports.goTo(page, path);
        const figure = async (name: string) => {
          const value = page.locator("dt", { hasText: name }).locator("+ dd");
          return (await value.filter({ hasText: "$" }).textContent())?.replaceAll(",", "");
        };
        return [await figure("This month"), await figure("Month forecast")];
      };
      const overview = await read("/");
      const summary = await reports.company.server.mustAdmin("GET", "/v1/admin/cost/summary");
      const { month_usd } = summary["forecast"] as { month_usd: string };
      const toDate = toNanoUsd(textField(summary, "month_to_date_usd"));
      const simulated = summary["simulated"] as Record<string, string>;
      const toReal = (all: bigint, name: string) =>
        round(nanoToUsdText(all - toNanoUsd(simulated[name] ?? "")));
      expect(overview).toEqual([
        toReal(toDate, "month_to_date_usd"),
        toReal(toNanoUsd(month_usd), "month_forecast_usd"),
      ]);
      expect(await read("/cost?range=month")).toEqual(overview);
    },
    SLOW_MS,
  );

  test(
    "usage, cost and requests show the lag of a replica, and none if reports are from the primary",
    async () => {
      const { page } = await reports.openSession(undefined, { hasOwnContext: true });
      const note = page.getByText("Data from a replica, 3 s behind.");
      const addLag = () =>
        page.route(/\/v1\/admin\/(usage|cost|cost\/summary|requests)(\?|$)/, async (route) => {
          const response = await route.fetch();
          const headers = { ...response.headers(), "bursar-replica-lag-seconds": "3.2" };
          await route.fulfill({ response, headers });
        });
      for (const path of ["/usage", "/cost", "/requests"]) {
        await reports.goTo(page, path);
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
    "the steps to a first request show only before the first one",
    async () => {
      const page = await reports.openSignedIn();
      const steps = page.getByRole("heading", { name: "Before the first request" });
      await page.goto(reports.company.server.url);
      await page.getByText("Month forecast").waitFor();
      expect(await steps.count()).toBe(0);
      await page.route("**/v1/admin/organization/counts", async (route) => {
        const response = await route.fetch();
        await route.fulfill({
          response,
          json: { ...(await response.json()), has_requests: false },
        });
      });
      await page.goto(reports.company.server.url);
      await steps.waitFor();
      await page.getByRole("heading", { name: "Send a request" }).waitFor();
      // The steps disappear soon after the first request, without a reload.
      await page.unrouteAll({ behavior: "wait" });
      await steps.waitFor({ state: "detached", timeout: 10_000 });
    },
    SLOW_MS,
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
  return formatWeekday(new Date(at).toISOString());
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

function rowOf(report: Report, name: string): Row {
  return report.data.find((row) => row["api_key_name"] === name) ?? {};
}

function money(report: Report, name: string): string {
  return round(String(rowOf(report, name)["cost_usd"]));
}

function share(report: Report, name: string): string {
  const part = Number(nano(String(rowOf(report, name)["cost_usd"])));
  return `${Math.round((part / Number(nano(report.totals.cost_usd))) * 100)}%`;
}

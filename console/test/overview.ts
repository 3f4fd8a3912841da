import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import { emailOf } from "./company.ts";
import type { FullCompany } from "./full-company.ts";
import { type Console, findViolations, openPage, settle, toCookie } from "./open-console.ts";

const BLOCKED = "Blocked now";
const OPEN = "Open alerts";

interface Firing {
  id: string;
}

interface Group {
  title: string;
  newest_firing_id: string;
}

const sectionOf = (page: Page, name: string) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name }) });

/** Declares the tests of the overview. */
export function testOverview({ company, openOverview }: Console): void {
  const admin = (method: "GET" | "POST", path: string, body?: object) =>
    company().server.mustAdmin(method, path, body);
  const setLimit = (limit_usd: number) =>
    admin("POST", "/v1/admin/spend_limits", {
      scope: { type: "workspace", workspace_id: company().engineeringId },
      period: "monthly",
      limit_usd,
    });
  const listOpenFirings = async () => {
    const query = "is_acknowledged=false&is_over=false&is_superseded=false";
    const { data } = await admin("GET", `/v1/admin/alert_firings?${query}`);
    return data as Firing[];
  };

  test("lists blocked keys and open alerts, each with a link to its page", async () => {
    const { page, faults } = await openOverview();
    await settle(page);
    const blocked = sectionOf(page, BLOCKED);
    const row = blocked.getByRole("listitem").filter({ hasText: "Key Newsletter drafts" });
    await row.getByText("blocked", { exact: true }).waitFor();
    await row.getByText(/^\$\d+\.\d\d of \$\d+\.00 monthly \(\d+%\), resumes/).waitFor();
    await row.getByRole("link", { name: "Change limit" }).click();
    await page.waitForURL(/\/spend-limits\/spl_\w+$/);

    await page.goBack();
    const { data } = await admin("GET", "/v1/admin/alert_groups?is_over=false");
    const [newest] = data as Group[];
    const alerts = sectionOf(page, OPEN);
    await alerts.getByRole("link", { name: newest?.title ?? "", exact: true }).click();
    await page.waitForURL(`${company().server.url}/alerts/firings/${newest?.newest_firing_id}`);
    await page.getByRole("button", { name: "Acknowledge…" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("counts the keys of a blocked workspace, and links a developer to an increase request", async () => {
    await setLimit(1);
    const { page, faults } = await openOverview(emailOf("Katherine"), {
      width: 390,
      colorScheme: "dark",
    });
    await settle(page);
    const row = sectionOf(page, BLOCKED).getByRole("listitem");
    await row.getByText("2 keys blocked").waitFor();
    expect(await row.count()).toBe(1);
    expect(await findViolations(page)).toEqual([]);
    await row.getByRole("link", { name: "Request increase" }).click();
    await page.getByRole("heading", { level: 1 }).and(page.locator(":focus")).waitFor();
    expect(new URL(page.url()).search).toContain(company().engineeringId);
    await setLimit(8_000);
    expect(faults).toEqual([]);
  });

  test("shows neither list to a member whose workspaces have no blocked keys and no open alerts", async () => {
    const { page } = await openOverview(emailOf("Radia"));
    await settle(page);
    expect(await page.getByRole("heading", { name: BLOCKED }).count()).toBe(0);
    expect(await page.getByRole("heading", { name: OPEN }).count()).toBe(0);
  });

  test("hides the list of open alerts once all are acknowledged", async () => {
    for (const { id } of await listOpenFirings()) {
      await admin("POST", `/v1/admin/alert_firings/${id}/acknowledge`, { note: "Seen." });
    }
    const { page } = await openOverview();
    await settle(page);
    await page.getByRole("heading", { name: BLOCKED }).waitFor();
    expect(await page.getByRole("heading", { name: OPEN }).count()).toBe(0);
  });
}

/** Declares the test of the overview of a company in which everything is wrong. */
export function testFullOverview({ browser }: Console, full: () => FullCompany): void {
  test("names everything that is wrong in a company, the worst first, moves nothing while it loads, and previews a rule", async () => {
    const { server, session, limited } = full();
    const { page, context, faults } = await openPage(browser());
    await context.addCookies([toCookie(server.url, session)]);
    await page.addInitScript(`
      globalThis.shift = 0;
      new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (globalThis.shift += value)))
        .observe({ type: "layout-shift", buffered: true });
    `);
    await page.goto(server.url);
    await settle(page);
    const parts = page.getByRole("main").getByRole("heading", { level: 2 });
    expect(await parts.allTextContents()).toEqual([
      ...["Blocked now 1", expect.stringMatching(/^Blocked soon \d$/)],
      ...[expect.stringMatching(/^Open alerts [5-9]\d$/), "To decide 3"],
      ...["Failing 2", "Keys that expire 5", "Refused today 96"],
      ...["Cost", "Workspaces by cost", "Models by cost"],
    ]);
    const rowsOf = (name: string) => sectionOf(page, name).getByRole("listitem");
    const [blocked = ""] = limited[0] ?? [];
    expect(await rowsOf(BLOCKED).textContent()).toMatch(
      new RegExp(`^${blocked}\\s*5 keys blocked[^]*\\(102%\\), resumes`),
    );
    await rowsOf("Blocked soon")
      .first()
      .getByText(/a day, \$[\d,.]+ of \$[\d,.]+ monthly \(9\d%\)/)
      .waitFor();
    expect(await rowsOf(OPEN).count()).toBe(5);
    await rowsOf(OPEN).first().getByText("critical").waitFor();
    await rowsOf("To decide")
      .getByRole("link", { name: `Higher limit for ${blocked}` })
      .waitFor();
    await rowsOf("To decide").getByRole("link", { name: "Quarterly review" }).waitFor();
    await rowsOf("To decide").getByRole("link", { name: "3 doubtful costs" }).waitFor();
    await rowsOf("Failing")
      .getByText(/^\d+ of \d+ requests failed in the last 15 minutes$/)
      .waitFor();
    await rowsOf("Failing").getByText("Alert messages fail: 72 failures in a row").waitFor();
    await rowsOf("Keys that expire").first().getByText("in 1 day").waitFor();
    await page.getByText("Simulated, not billed", { exact: true }).waitFor();
    await page.getByText(/^[+−][\d.]+% against the 30 days before/).waitFor();
    // A folded group counts its places, which are in the document too.
    const counted = page.locator("aside nav [aria-describedby]");
    expect(await counted.allTextContents()).toEqual([
      ...["Limits", "Alerts", "Security", "Access reviews", "System", "Upstreams"],
    ]);
    for (const size of ["11 workspaces", "45 API keys", "15 members"]) {
      await page.getByRole("link", { name: size }).waitFor();
    }
    expect(Number(await page.evaluate("globalThis.shift"))).toBeLessThanOrEqual(0.05);
    await rowsOf("Refused today").getByRole("link", { name: "Spend limit reached" }).click();
    const cause = page.getByRole("button", { name: "Spend limit reached 31", pressed: true });
    await cause.waitFor();

    // The only company with hours of a month.
    await page.goto(`${server.url}/alerts/rules`);
    await page.getByRole("button", { name: "Create alert…" }).click();
    const preview = page.getByRole("region", { name: "Preview" });
    await preview.getByText(/^Last 30 days: [1-9]\d* messages? about [1-9]\d* firings$/).waitFor();
    await preview.getByRole("link", { name: "Spend limits" }).waitFor();
    await context.close();
    expect(faults).toEqual([]);
  });
}

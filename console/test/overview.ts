import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import { emailOf } from "./company.ts";
import { type Console, findViolations, settle } from "./open-console.ts";

const BLOCKED = "Blocked now";
const OPEN = "Open alerts";

interface Firing {
  id: string;
  title: string;
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
    await row.getByText(/The monthly limit of \$\d+\.00 is spent\. Requests resume/).waitFor();
    await row.getByRole("link", { name: "Change limit" }).click();
    await page.getByRole("heading", { level: 1, name: "Marketing" }).waitFor();
    await page
      .getByRole("button", { name: "Actions for the limit of Key Newsletter drafts" })
      .waitFor();

    await page.goBack();
    const [newest] = await listOpenFirings();
    const alerts = sectionOf(page, OPEN);
    await alerts.getByRole("link", { name: newest?.title ?? "", exact: true }).click();
    await page.waitForURL(`${company().server.url}/alerts/firings/${newest?.id}`);
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

import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import { emailOf } from "./company.ts";
import { type Console, findViolations } from "./open-console.ts";

/** Declares the tests of tables: columns, order, saved views, the second line of rows, and times of a member. */
export function testTables({ company, openSession, goTo }: Console): void {
  test("columns and order are in the address, and a saved view brings both back", async () => {
    const { page, faults } = await openSession();
    await goTo(page, "/workspaces");
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Id" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Created" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Month, UTC" }).click();
    await page.waitForURL(/sort=-spent/);
    const shared = new URL(page.url());
    expect(shared.searchParams.get("columns")).toBe("name,description,spent,limit,id");
    const headings = await readHeadings(page);
    expect(headings).toEqual(["Name", "Description", "Month, UTC", "Monthly limit", "Id"]);

    await page.getByRole("button", { name: "Views" }).click();
    await page.getByRole("menuitem", { name: "Save this view…" }).click();
    const dialog = page.getByRole("dialog", { name: "Save view" });
    await dialog.getByLabel("Name").fill("Costly");
    await dialog.getByRole("button", { name: "Save view" }).click();
    await page.getByText("View “Costly” saved").waitFor();
    await goTo(page, "/workspaces");
    expect(await readHeadings(page)).not.toEqual(headings);
    await page.getByRole("button", { name: "Views" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Costly" }).click();
    await page.waitForURL(/sort=-spent/);
    expect(await readHeadings(page)).toEqual(headings);
    expect(await findViolations(page)).toEqual([]);

    // Another member opens the shared address, and has no such view.
    const other = await openSession(emailOf("Grace"));
    await goTo(other.page, shared.pathname + shared.search);
    expect(await readHeadings(other.page)).toEqual(headings);
    await other.page.getByRole("button", { name: "Views" }).click();
    await other.page.getByText("A view stores filters, order and columns.").waitFor();
    expect(faults).toEqual([]);
  });

  test("a request keeps its key, workspace and model on a narrow screen", async () => {
    const { server } = company();
    const { data } = await server.mustAdmin("GET", "/v1/admin/requests?limit=1");
    const [newest] = data as { api_key_name: string; workspace_name: string; model: string }[];
    const { page } = await openSession();
    await page.setViewportSize({ width: 390, height: 844 });
    await goTo(page, "/requests");
    const row = page.getByRole("row").nth(1);
    const text = await row.textContent();
    for (const part of [newest?.api_key_name, newest?.workspace_name, newest?.model]) {
      expect(text).toContain(part);
    }
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });

  test("times follow the zone and format of the member, and days are read in several formats", async () => {
    const { page } = await openSession(emailOf("Grace"));
    await goTo(page, "/account");
    await page.getByLabel("Time zone").fill("Tokyo");
    await page.getByRole("option", { name: "Asia/Tokyo" }).click();
    await page.getByLabel("Date format").selectOption("2026-11-27");
    await page.getByRole("button", { name: "Change times" }).click();
    await page.getByText(/^Now: \d{4}-\d\d-\d\d, \d\d:\d\d:\d\d UTC\+9$/).waitFor();
    await goTo(page, "/requests?range=custom");
    await page.getByRole("columnheader", { name: "Time, Tokyo" }).waitFor();

    const day = page.getByLabel("First day, UTC");
    await day.fill("3/4/2026");
    await day.press("Enter");
    await page.getByText("Write a day such as 2026-11-27.").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await day.fill("4 Mar 2026");
    await day.press("Enter");
    await page.waitForURL(/from=2026-03-04/);
    expect(await day.inputValue()).toBe("2026-03-04");
  });
}

function readHeadings(page: Page): Promise<string[]> {
  return page.getByRole("columnheader").allTextContents();
}

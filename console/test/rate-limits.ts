import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import { sendMessage, textField } from "../../server/test/harness/server-process.ts";
import { emailOf } from "./company.ts";
import { type Console, MAX_WAIT_MS } from "./open-console.ts";

/** Declares the tests of rate limits. */
export function testRateLimits({ company, openSession, goTo }: Console): void {
  const row = (page: Page, name: string) =>
    page.getByRole("table", { name: "Rate limits" }).getByRole("row", { name });
  const numbers = async (page: Page, name: string) =>
    (await row(page, name).getByRole("cell").allTextContents()).slice(1, 4);
  const openMenu = (page: Page, name: string) =>
    page.getByRole("button", { name: `Actions for the rate limit of ${name}` }).click();

  test("sets, changes and removes a rate limit of a workspace, and shows its effect", async () => {
    const { page, faults } = await openSession();
    await goTo(page, "/spend-limits");
    await page.getByRole("link", { name: "Rate limits" }).click();
    await page.getByText("Requests over a limit get a 429 with the time to wait").waitFor();
    await page.getByRole("button", { name: "Set rate limit…" }).click();
    await page.getByLabel("Scope", { exact: true }).selectOption("A workspace");
    await page.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    // Empty fields set no limit.
    await page.getByRole("button", { name: "Set rate limit", exact: true }).click();
    await page.getByText("Enter at least one limit.").waitFor();
    await page.getByLabel("Requests", { exact: true }).fill("a lot");
    await page.getByRole("button", { name: "Set rate limit", exact: true }).click();
    await page.getByText("Enter a whole number, such as 400,000 or 2M.").waitFor();
    await page.getByLabel("Requests", { exact: true }).fill("600");
    await page.getByLabel("Input tokens").fill("1.5M");
    await page.getByRole("button", { name: "Set rate limit", exact: true }).click();
    await row(page, "Research").waitFor();
    expect(await numbers(page, "Research")).toEqual(["600 / min", "1,500,000 / min", "–"]);
    await openMenu(page, "Research");
    await page.getByRole("menuitem", { name: "Change rate limit…" }).click();
    await expect
      .poll(() => page.getByLabel("Input tokens").inputValue(), { timeout: MAX_WAIT_MS })
      .toBe("1,500,000");
    await page.getByLabel("Input tokens").fill("");
    const effects = page.getByRole("status").getByRole("listitem");
    await effects.filter({ hasText: "Input tokens are no longer limited here." }).waitFor();
    await page.getByRole("button", { name: "Change rate limit", exact: true }).click();
    await expect
      .poll(() => numbers(page, "Research"), { timeout: MAX_WAIT_MS })
      .toEqual(["600 / min", "–", "–"]);
    await openMenu(page, "Research");
    await page.getByRole("menuitem", { name: "Remove rate limit…" }).click();
    await page.getByText("limit of 600 requests per minute").waitFor();
    await effects.filter({ hasText: "Requests are no longer limited here." }).waitFor();
    await page.getByRole("button", { name: "Remove rate limit", exact: true }).click();
    // Not by role: an open dialog removes the roles behind it.
    await page.locator("tr", { hasText: "Research" }).waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });

  test("after a concurrent change, the second member sees both versions and chooses one", async () => {
    const { page } = await openSession();
    const other = (await openSession(emailOf("Grace"))).page;
    await company().server.mustAdmin("POST", "/v1/admin/rate_limits", {
      scope: { type: "organization" },
      requests_per_minute: 900,
    });
    const open = async (who: Page) => {
      await goTo(who, "/rate-limits");
      await openMenu(who, "The whole company");
      await who.getByRole("menuitem", { name: "Change rate limit…" }).click();
    };
    const save = (who: Page) =>
      who.getByRole("button", { name: "Change rate limit", exact: true }).click();
    await open(page);
    await open(other);
    await page.getByRole("dialog").getByText("Admin: 900 requests per minute").waitFor();
    await other.getByLabel("Requests", { exact: true }).fill("800");
    await save(other);
    await row(other, "The whole company").getByText("800 / min").waitFor();
    await page.getByLabel("Requests", { exact: true }).fill("700");
    await save(page);
    await page.getByText("Grace Hopper changed this rate limit").waitFor();
    expect(
      await page.getByRole("alert").getByRole("row", { name: "Requests" }).allTextContents(),
    ).toEqual(["Requests800700"]);
    await page.getByRole("button", { name: "Load current rate limit" }).click();
    await expect
      .poll(() => page.getByLabel("Requests", { exact: true }).inputValue(), {
        timeout: MAX_WAIT_MS,
      })
      .toBe("800");
    await page.getByLabel("Requests", { exact: true }).fill("700");
    await save(page);
    await row(page, "The whole company").getByText("700 / min").waitFor();
    const setters = row(page, "The whole company").getByRole("cell").nth(5);
    expect(await setters.textContent()).toBe(
      "Owner: 700 requests per minuteAdmin: 800 requests per minute",
    );
  });

  test("a workspace's tab and a key's page show their rate limits and whether requests are refused now", async () => {
    const { page, faults } = await openSession();
    const { server, engineeringId } = company();
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name: "Fast",
      workspace_id: engineeringId,
      permissions: ["write"],
    });
    const id = textField(made, "id");
    await goTo(page, `/workspaces/${engineeringId}/limits`);
    await page.getByRole("button", { name: "Set rate limit…" }).click();
    await page.getByLabel("Scope", { exact: true }).selectOption("One key");
    await page.getByLabel("Key", { exact: true }).fill("Fast");
    await page.getByRole("option", { name: "Fast" }).click();
    await page.getByLabel("Requests", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Set rate limit", exact: true }).click();
    await row(page, "Key Fast").waitFor();
    const key = textField(made, "key");
    await expect
      .poll(async () => (await sendMessage(server.url, key)).status, { timeout: MAX_WAIT_MS })
      .toBe(429);
    await goTo(page, `/api-keys/${id}`);
    await row(page, "The key").getByText("1 / min").waitFor();
    await goTo(page, `/rate-limits?key=${id}`);
    await row(page, "The key").last().waitFor();
    expect(faults).toEqual([]);
  });
}

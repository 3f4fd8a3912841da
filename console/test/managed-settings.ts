import { expect, test } from "vitest";
import { type Console, findViolations } from "./open-console.ts";

/** Declares the test of the tab Settings of the page Claude Code. */
export function testManagedSettings({ company, openSession }: Console): void {
  test("managed settings show faults at their line, their effect on a member and the difference, and can be restored", async () => {
    const { server } = company();
    const { page, faults } = await openSession();
    await page.goto(`${server.url}/claude-code/settings`);
    await page.getByRole("button", { name: "Edit Everyone" }).click();
    const text = page.getByLabel("Settings", { exact: true });
    await text.fill('{\n  "cleanupPeriodDays": 7,\n  "env": {\n    "A": 1\n  }\n}');
    await page.getByRole("button", { name: "Review changes…" }).click();
    await page.getByText("Line 4: env.A: Expected text.").waitFor();
    await text.fill("{\n  oops");
    await page.getByText("Line 2: ").waitFor();
    await text.fill('{\n  "cleanupPeriodDays": 7\n}');
    await page.getByRole("button", { name: "Move Everyone up" }).click();

    await page.getByLabel("Member").fill("Ada");
    await page.getByRole("option", { name: /Ada/ }).first().click();
    await page.getByRole("button", { name: "Show settings" }).click();
    await page.getByRole("row", { name: "cleanupPeriodDays Everyone" }).waitFor();

    await page.getByRole("button", { name: "Review changes…" }).click();
    const dialog = page.getByRole("dialog", { name: "Review changes" });
    await dialog.getByText("The order of policies changes.").waitFor();
    expect(await dialog.getByText("cleanupPeriodDays").count()).toBe(1);
    await dialog.getByText(/No laptop is signed in|laptops? gets? other settings/).waitFor();
    expect(await findViolations(page)).toEqual([]);
    await dialog.getByLabel("Comment").fill("Shorter");
    await dialog.getByRole("button", { name: "Save settings" }).click();
    await dialog.waitFor({ state: "detached" });
    const versions = page.getByRole("table", { name: "Versions" });
    await versions.getByRole("row", { name: /^3 current.*Shorter/ }).waitFor();

    await page.getByRole("button", { name: "Restore version 2…" }).click();
    const restore = page.getByRole("dialog", { name: "Restore version 2" });
    await restore.getByText("cleanupPeriodDays").waitFor();
    await restore.getByRole("button", { name: "Restore version 2" }).click();
    await versions.getByRole("row", { name: /^4 current.*Version 2 again/ }).waitFor();

    // A version can name a group that was deleted since.
    const group = await server.mustAdmin("POST", "/v1/admin/groups", { name: "Summer interns" });
    const policies = [{ name: "Interns", group_ids: [group["id"]], settings: { model: "haiku" } }];
    await server.mustAdmin("POST", "/v1/admin/managed_settings", { policies });
    await server.mustAdmin("POST", "/v1/admin/managed_settings", { policies: [] });
    await server.mustAdmin("DELETE", `/v1/admin/groups/${group["id"]}`);
    await page.reload();
    await page.getByRole("button", { name: "Restore version 5…" }).click();
    const withDeleted = page.getByRole("dialog", { name: "Restore version 5" });
    await withDeleted.getByText("The group was deleted, so it matches no member.").waitFor();
    await withDeleted.getByText(`${group["id"]} (deleted)`).waitFor();
    expect(await findViolations(page)).toEqual([]);
    await withDeleted.getByRole("button", { name: "Restore version 5" }).click();
    await versions.getByRole("row", { name: /^7 current.*Version 5 again/ }).waitFor();
    expect(faults).toEqual([]);
  });
}

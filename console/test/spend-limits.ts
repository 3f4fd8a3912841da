import { expect, test } from "vitest";
import type { Console } from "./open-console.ts";

/** Declares the tests of the page of a spend limit. */
export function testSpendLimits({ company, openSession, goTo }: Console): void {
  test("the page of a limit shows its rules, its capacity and its overruns, and changes its holds", async () => {
    const { page, faults } = await openSession();
    const { server, spendLimitId } = company();
    await goTo(page, "/spend-limits");
    await page.getByRole("link", { name: "Engineering" }).click();
    await page.getByRole("heading", { level: 1, name: "Engineering" }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/spend-limits/${spendLimitId}`);
    await page.getByText("In steps. More streams run at once").waitFor();

    const capacity = page.getByRole("table", { name: "Requests that could start now" });
    await capacity.waitFor();
    const headings = await capacity.getByRole("columnheader").allTextContents();
    expect(headings).toEqual([
      ...["Model", "Usual cost", "Start of a stream", "Streams", "Whole hold", "Held whole"],
    ]);
    const [model] = await capacity.getByRole("row").nth(1).getByRole("cell").allTextContents();
    expect(model).toMatch(/^claude-/);

    const overrun = page.getByRole("listitem").filter({ hasText: "beyond the limit of" });
    await overrun.getByText("$2.14 beyond the limit of $7,500.00").waitFor();
    await overrun.getByRole("link", { name: /^req_/ }).waitFor();
    await overrun.getByText("No alert fired.").waitFor();

    await page.getByRole("button", { name: "Change limit…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Rank").selectOption({ label: "Admin" });
    await dialog.getByLabel("Holds of streams").selectOption("Whole");
    await dialog.getByRole("button", { name: "Change limit", exact: true }).click();
    await page.getByText("Whole. A stream starts only if its maximum output fits").waitFor();
    const limit = await server.mustAdmin("GET", `/v1/admin/spend_limits/${spendLimitId}`);
    expect(limit["hold"]).toBe("whole");
    expect(faults).toEqual([]);
  });
}

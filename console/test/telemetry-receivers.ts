import { expect, test } from "vitest";
import { type Console, findViolations } from "./open-console.ts";

/** Declares the test of the tab Telemetry of the page Claude Code. */
export function testTelemetryReceivers({ company, openSession }: Console): void {
  test("a telemetry receiver is created, tested, changed without its headers, and deleted", async () => {
    const { server } = company();
    const { page, faults } = await openSession();
    await page.goto(`${server.url}/claude-code/telemetry`);
    await page.getByRole("button", { name: "Create receiver…" }).click();
    const create = page.getByRole("dialog", { name: "Create receiver" });
    await create.getByLabel("Name", { exact: true }).fill("Collector");
    await create.getByLabel("Address").fill("http://8.8.8.8");
    await create.getByLabel("Traces").uncheck();
    await create.getByRole("button", { name: "Add header" }).click();
    await create.getByLabel("Name of header 1").fill("authorization");
    await create.getByLabel("Value of header 1").fill("Bearer console");
    await create.getByRole("button", { name: "Create receiver" }).click();
    await create.getByText("Expected an https URL").waitFor();
    expect(await findViolations(page)).toEqual([]);
    // The name does not resolve.
    await create.getByLabel("Address").fill("https://otel.invalid");
    await create.getByRole("button", { name: "Create receiver" }).click();
    const row = page.getByRole("row").filter({ hasText: "Collector" });
    await row.getByText("Metrics, Logs", { exact: true }).waitFor();

    await row.getByRole("button", { name: "Actions for Collector" }).click();
    await page.getByRole("menuitem", { name: "Send test" }).click();
    const tested = page.getByRole("dialog", { name: "The receiver refuses exports" });
    await tested.getByText("no answer").first().waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");

    await row.getByRole("button", { name: "Actions for Collector" }).click();
    await page.getByRole("menuitem", { name: "Change receiver…" }).click();
    const change = page.getByRole("dialog", { name: "Change receiver" });
    await change.getByText("Stored: authorization.").waitFor();
    await change.getByLabel("Name", { exact: true }).fill("Collector two");
    await change.getByRole("button", { name: "Change receiver" }).click();
    await page.getByText("Receiver changed").waitFor();
    const { data } = await server.mustAdmin("GET", "/v1/admin/telemetry_receivers");
    expect(data).toContainEqual(
      expect.objectContaining({ name: "Collector two", header_names: ["authorization"] }),
    );

    await page.getByRole("button", { name: "Actions for Collector two" }).click();
    await page.getByRole("menuitem", { name: "Turn off receiver…" }).click();
    await page.getByText("The receiver has accepted no export yet.").waitFor();
    await page.getByRole("button", { name: "Turn off now" }).click();
    await row.getByText("off", { exact: true }).waitFor();

    await page.getByRole("button", { name: "Actions for Collector two" }).click();
    await page.getByRole("menuitem", { name: "Delete receiver…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete receiver" }).click();
    await row.waitFor({ state: "detached" });
    expect(faults.filter((fault) => !fault.includes("400"))).toEqual([]);
  });
}

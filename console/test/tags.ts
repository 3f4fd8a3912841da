import { expect, test } from "vitest";
import { sendMessage, textField } from "../../server/test/harness/server-process.ts";
import { type Console, findViolations, settle } from "./open-console.ts";

/** Declares the test of the page Tags. */
export function testTags({ company, openSession }: Console): void {
  test("a file with a fault changes nothing, the corrected one sets the tag, and its spend is shown", async () => {
    const { server } = company();
    const workspace = await server.mustAdmin("POST", "/v1/admin/workspaces", { name: "Tagged" });
    const workspace_id = textField(workspace, "id");
    const fields = { name: "Tagged key", workspace_id };
    const key = await server.mustAdmin("POST", "/v1/admin/api_keys", fields);
    const toFile = (heading: string) => {
      const text = `kind;id;${heading}\r\napi_key;${textField(key, "id")};4711`;
      return { name: "tags.csv", mimeType: "text/csv", buffer: Buffer.from(text) };
    };
    const { page, faults } = await openSession();
    await page.goto(`${server.url}/tags`);
    await page.getByRole("button", { name: "Import CSV…" }).click();
    const dialog = page.getByRole("dialog", { name: "Import CSV" });
    await dialog.getByLabel("CSV file").setInputFiles(toFile("cost_center"));
    await dialog.getByText("The file has 1 fault. Nothing was changed.").waitFor();
    await dialog.getByRole("row", { name: "1 cost_center The column is unknown." }).waitFor();
    await dialog.getByLabel("CSV file").setInputFiles(toFile("tag:cost_center"));
    await dialog.getByText("1 change in 1 row of 1.").waitFor();
    await dialog.getByRole("row", { name: "Tagged key API key cost_center 4711" }).waitFor();
    await dialog.getByRole("button", { name: "Import 1 change" }).click();
    await dialog.waitFor({ state: "detached" });
    const values = page.getByRole("table", { name: "Values of cost_center" });
    await values.getByRole("row", { name: "4711" }).waitFor();

    await sendMessage(server.url, textField(key, "key"));
    const cost = "/v1/admin/cost?tag=cost_center:4711&bucket=none";
    const readTotals = async () => (await server.mustAdmin("GET", cost))["totals"];
    await expect.poll(readTotals, { timeout: 30_000 }).toMatchObject({ requests: 1 });
    await page.reload();
    await values.getByRole("row", { name: /4711 0 1 Simulated (<\$0\.01|\$\d)/ }).waitFor();
    await page.getByText("With cost_center").waitFor();
    await settle(page);
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole("link", { name: "Usage without cost_center" }).click();
    await page.getByRole("heading", { level: 1, name: "Usage" }).waitFor();
    await page.getByText("Without cost_center").first().waitFor();
    await page
      .getByRole("row", { name: /Engineering/ })
      .first()
      .waitFor();
    expect(await page.getByRole("row", { name: /Tagged/ }).count()).toBe(0);
    await page.goBack();
    await values.getByRole("link", { name: "4711" }).click();
    await page.getByRole("heading", { level: 1, name: "Usage" }).waitFor();
    await page.getByText("cost_center: 4711").first().waitFor();
    expect(faults).toEqual([]);
  });
}

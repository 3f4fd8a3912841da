import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { sendMessage } from "../../server/test/harness/server-process.ts";
import { type Console, type Opened, readPageState, waitForStatus } from "./open-console.ts";

/** Declares the tests of keys that are created and stopped together. */
export function testManyKeys({
  company,
  openKeys,
}: Pick<Console, "company"> & { openKeys: () => Promise<Opened> }): void {
  test("creates many keys, saves their secrets once, and disables a selection of them", async () => {
    const { page, faults } = await openKeys();
    const { server } = company();
    await page.getByRole("button", { name: "Create many keys…" }).click();
    await page.getByLabel("Names").fill("batch-[1-12]");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    expect(await dialog.getByLabel("Owner", { exact: true }).inputValue()).toBe("workspace");
    await dialog.getByRole("button", { name: "Create 12 keys" }).click();
    await page.getByRole("heading", { name: "Store 12 secrets" }).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save secrets as CSV" }).click();
    const file = await readFile((await (await download).path()) ?? "", "utf8");
    const lines = file.trimEnd().split("\r\n");
    expect(lines[0]).toBe("name,id,workspace,key");
    expect(lines).toHaveLength(13);
    const secretOf = (name: string) =>
      lines
        .find((line) => line.startsWith(`${name},`))
        ?.split(",")
        .at(-1) ?? "";
    expect((await sendMessage(server.url, secretOf("batch-12"))).status).toBe(200);
    await page.getByLabel("I stored them").check();
    await page.getByRole("button", { name: "Done" }).click();
    expect(await readPageState(page)).not.toContain(secretOf("batch-12").slice(20, 40));

    await page.getByRole("button", { name: "Create many keys…" }).click();
    await page.getByLabel("Names").fill("of-radia-[1-2]");
    await dialog.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await dialog.getByLabel("Owner", { exact: true }).selectOption("person");
    await dialog.getByLabel("Person").fill("Radia");
    await page.getByRole("option", { name: "Radia Perlman" }).click();
    await dialog.getByRole("button", { name: "Create 2 keys" }).click();
    await dialog.getByText("The owner gets one e-mail", { exact: false }).waitFor();
    await dialog.getByRole("button", { name: "Done" }).click();

    await page.getByLabel("Search keys").fill("batch-1");
    await page.getByRole("row", { name: /batch-09/ }).waitFor({ state: "detached" });
    for (const name of ["batch-10", "batch-11", "batch-12"]) {
      await page.getByRole("checkbox", { name }).press("Space");
    }
    await page.getByText("3 selected").first().waitFor();
    await page.getByRole("button", { name: "Disable keys…" }).click();
    await dialog.getByText("3 keys stop working within a second").waitFor();
    await dialog.getByText("1 request in the last hour. Further ones are refused.").waitFor();
    await dialog.getByRole("button", { name: "Disable keys", exact: true }).click();
    await page.getByText("3 keys disabled").waitFor();
    await waitForStatus(server.url, secretOf("batch-12"), 401);
    expect((await sendMessage(server.url, secretOf("batch-09"))).status).toBe(200);
    expect(faults).toEqual([]);
  });
}

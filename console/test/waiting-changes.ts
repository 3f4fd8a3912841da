import { expect, test } from "vitest";
import { sendMessage } from "../../server/test/harness/server-process.ts";
import { owner } from "./company.ts";
import { type Console, findViolations, waitForStatus } from "./open-console.ts";

/** Declares the tests of a change of a key that waits ten seconds. */
export function testWaitingChanges({
  company,
  openSession,
}: Pick<Console, "company" | "openSession">): void {
  test("lets a disabled key work for ten seconds, and longer after an undo", async () => {
    const { server } = company();
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name: "Undone",
      workspace_id: company().engineeringId,
    });
    const [id, key] = [String(made["id"]), String(made["key"])];
    const { page, faults } = await openSession(owner.email, { changeDelayMs: null });
    await page.clock.install();
    await page.goto(`${server.url}/api-keys/${id}`);
    const disable = async () => {
      await page.getByRole("button", { name: "Disable key…" }).click();
      await page.getByRole("button", { name: "Disable key", exact: true }).click();
      await page.getByText("Key “Undone” will be disabled").waitFor();
    };
    await disable();
    await page.getByRole("link", { name: "Usage", exact: true }).first().click();
    await page.getByRole("heading", { level: 1, name: "Usage" }).waitFor();
    await page.getByRole("button", { name: "Undo: Key “Undone” will be disabled" }).press("Enter");
    await page.getByText("Key “Undone” stays as it was.").waitFor();
    await page.clock.fastForward(20_000);
    expect((await sendMessage(server.url, key)).status).toBe(200);

    await page.goBack();
    await disable();
    await page.clock.fastForward(10_000);
    await page.getByText("Key “Undone” disabled").waitFor();
    await waitForStatus(server.url, key, 401);
    const { data } = await server.mustAdmin(
      "GET",
      `/v1/admin/audit_events?subject_id=${id}&event=api_key.updated`,
    );
    expect(data).toHaveLength(1);
    expect(faults).toEqual([]);
  });

  test("undoes a waiting change by its shortcut, asks before it is lost, and shows its failure", async () => {
    const { server, engineeringId } = company();
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name: "Waiting",
      workspace_id: engineeringId,
    });
    const { page, faults } = await openSession(owner.email, { changeDelayMs: null });
    await page.clock.install();
    await page.goto(`${server.url}/api-keys/${String(made["id"])}`);
    const announced = page.getByText("Key “Waiting” will be disabled");
    const disable = async () => {
      await page.getByRole("button", { name: "Disable key…" }).click();
      await page.getByRole("button", { name: "Disable key", exact: true }).click();
      await announced.waitFor();
    };
    await disable();
    await page.keyboard.press("Control+z");
    await page.getByText("Key “Waiting” stays as it was.").waitFor();
    expect(await announced.count()).toBe(0);

    await disable();
    const asked = page.waitForEvent("dialog");
    await page.close({ runBeforeUnload: true });
    const question = await asked;
    expect(question.type()).toBe("beforeunload");
    await question.dismiss();
    await page.getByRole("button", { name: owner.name }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    const dialog = page.getByRole("dialog", { name: "Sign out" });
    await dialog.getByText("Key “Waiting” will be disabled").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });

    const path = `/v1/admin/api_keys/${String(made["id"])}`;
    await server.mustAdmin("POST", path, { status: "archived" });
    await page.clock.fastForward(10_000);
    await page.getByText("Key “Waiting” was not disabled").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Dismiss: Key “Waiting” was not disabled" }).click();
    await page.getByText("Key “Waiting” was not disabled").waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });
}

import { expect, test } from "vitest";
import { type Console, findViolations } from "./open-console.ts";

/** Declares the tests of the tabs Batches and Files of a workspace. */
export function testStoredObjects({ company, openSession, goTo }: Console): void {
  const send = async (path: string, body: string | FormData): Promise<string> => {
    const { server, apiKey } = company();
    const headers = { "x-api-key": apiKey, "anthropic-version": "2023-06-01" };
    const json = typeof body === "string" ? { "content-type": "application/json" } : {};
    const response = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { ...headers, ...json },
      body,
    });
    const answer = (await response.json()) as { id?: string };
    if (answer.id === undefined) throw new Error(JSON.stringify(answer));
    return answer.id;
  };

  const sendSlowBatch = (): Promise<string> => {
    const messages = [{ role: "user", content: "Hello" }];
    const params = { model: "simulate-slow-60000", max_tokens: 50, messages };
    const requests = [{ custom_id: "slow", params }];
    return send("/v1/messages/batches", JSON.stringify({ requests }));
  };

  test("a batch opens with its cost and its hold, and is canceled", async () => {
    const id = await sendSlowBatch();
    const { page, faults } = await openSession();
    await goTo(page, `/workspaces/${company().engineeringId}/batches`);
    const row = page.getByRole("row", { name: id });
    await row.getByText("In progress").waitFor();
    await row.getByRole("button", { name: id, exact: true }).click();
    const drawer = page.getByRole("dialog", { name: "Message batch" });
    await drawer.getByText("The upstream runs it.").waitFor();
    await drawer.getByText("1 processing").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await drawer.getByRole("button", { name: "Cancel batch…" }).click();
    const dialog = page.getByRole("dialog", { name: "Cancel batch" });
    await dialog.getByText("At most 1 request gets no result.").waitFor();
    await dialog.getByRole("button", { name: "Cancel now" }).click();
    await drawer
      .getByText(/Canceling|Recording|Ended/)
      .first()
      .waitFor();
    expect(faults).toEqual([]);
  });

  test("a batch is abandoned with a reason, without a question to its upstream", async () => {
    const id = await sendSlowBatch();
    const { page, faults } = await openSession();
    await goTo(page, `/workspaces/${company().engineeringId}/batches?open=${id}`);
    const drawer = page.getByRole("dialog", { name: "Message batch" });
    await drawer.getByRole("button", { name: "Abandon batch…" }).click();
    const dialog = page.getByRole("dialog", { name: "Abandon batch" });
    const confirm = dialog.getByRole("button", { name: "Abandon now" });
    await dialog.getByText("Later results of 1 request are never recorded.").waitFor();
    expect(await confirm.isDisabled()).toBe(true);
    await dialog.getByLabel("Reason").fill("The account is closed.");
    await confirm.click();
    await dialog.getByText("The upstream answers for this message batch.").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await dialog.getByLabel("Do not ask the upstream").check();
    await confirm.click();
    await drawer.getByText("Unresolved").first().waitFor();
    expect(faults).toEqual([]);
  });

  test("files have their names and sizes, and a file is deleted", async () => {
    const form = new FormData();
    form.append("file", new File(["a,b\n"], "table.csv", { type: "text/csv" }));
    const id = await send("/v1/files", form);
    const { page, faults } = await openSession();
    await goTo(page, `/workspaces/${company().engineeringId}/files`);
    await page.getByRole("row", { name: "invoices.csv" }).getByText("48.2 kB").waitFor();
    await page.getByRole("button", { name: "Actions for table.csv" }).click();
    await page.getByRole("menuitem", { name: "Delete file…" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete file" });
    await dialog.getByText("Requests that name the file fail from then on.").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Delete now" }).click();
    await page.getByRole("row", { name: id }).waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Skills", exact: true }).click();
    await page.getByRole("row", { name: "Invoice checks" }).waitFor();
    await page.getByRole("button", { name: "Threads", exact: true }).click();
    await page.getByRole("heading", { name: "No threads yet" }).waitFor();
    expect(faults).toEqual([]);
  });
}

import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import { owner } from "./company.ts";
import { type Console, findViolations, pressCreate } from "./open-console.ts";

interface Stored {
  id: string;
  name: string;
  base_url: string;
  extra_header_names: string[];
  proxy_url: string | null;
}

/** Declares the tests of upstreams: the page, its dialogs, and the order of a workspace. */
export function testUpstreams({ company, openSession, goTo }: Console): void {
  const admin = (method: "DELETE" | "GET" | "POST", path: string, body?: object) =>
    company().server.mustOperator(method, path, body);
  const listUpstreams = async () => (await admin("GET", "/v1/admin/upstreams"))["data"] as Stored[];
  const readOrder = async (path = "/v1/admin") => {
    const order = await admin("GET", `${path}/upstream_order`);
    const names = new Map((await listUpstreams()).map(({ id, name }) => [id, name]));
    const ids = order["upstream_ids"] as string[];
    return { names: ids.map((id) => names.get(id)), isDefault: order["is_default"] };
  };
  const deleteAll = async () => {
    for (const { id } of await listUpstreams()) await admin("DELETE", `/v1/admin/upstreams/${id}`);
  };
  const store = (name: string) =>
    admin("POST", "/v1/admin/upstreams", {
      ...{ name, base_url: `https://${name}.example.com`, credential: "sk-ant-api03-never" },
    });
  const listRows = (page: Page) =>
    page.getByRole("table", { name: "Upstreams", exact: true }).locator("tbody tr");

  test("stores, moves and deletes an upstream, with the effects on all workspaces", async () => {
    const { page, faults } = await openSession();
    await goTo(page, "/upstreams");
    await pressCreate(page);
    const create = page.getByRole("dialog", { name: "Store upstream" });
    await create.getByLabel("Address").fill("http://claude.example.com");
    await create.getByLabel("Claude API key").fill("sk-ant-api03-never");
    await create.getByText("Proxy, headers and workspace id").click();
    await create.getByLabel("Proxy").fill("http://user:secret@proxy.example.com:3128");
    await create.getByRole("button", { name: "Add header" }).click();
    await create.getByLabel("Name of header 1").fill("x-team");
    await create.getByLabel("Value of header 1").fill("console");
    expect(await findViolations(page)).toEqual([]);
    await create.getByRole("button", { name: "Store upstream" }).click();
    await create.locator("[aria-invalid]").waitFor();
    await create.getByLabel("Address").fill("https://claude.example.com");
    await create.getByRole("button", { name: "Store upstream" }).click();
    await listRows(page).filter({ hasText: "https://claude.example.com" }).waitFor();
    expect(await listUpstreams()).toMatchObject([
      { extra_header_names: ["x-team"], proxy_url: "http://proxy.example.com:3128" },
    ]);

    const openMenu = () => page.getByRole("button", { name: "Actions for Claude API" }).click();
    await openMenu();
    await page.getByRole("menuitem", { name: "Change upstream…" }).click();
    const change = page.getByRole("dialog", { name: "Change upstream" });
    await change.getByText("User and password are stored.").waitFor();
    await change.getByLabel("Address").fill("https://proxy.example.com");
    await change.getByText("Effects at once").waitFor();
    await change
      .getByText(
        /^New requests of all \d+ workspaces are sent to the new address within a second\.$/,
      )
      .waitFor();
    await change.getByText(/^The stored key is deleted\. Without a new one/).waitFor();
    await change.getByText("The stored headers are deleted: x-team.").waitFor();
    await change.getByRole("button", { name: "Change upstream" }).click();
    await page.getByText("no credential").first().waitFor();
    expect(await listUpstreams()).toMatchObject([
      { base_url: "https://proxy.example.com", extra_header_names: [] },
    ]);

    await openMenu();
    await page.getByRole("menuitem", { name: "Delete upstream…" }).click();
    const remove = page.getByRole("dialog", { name: "Delete upstream" });
    await remove.getByText("Effects at once").waitFor();
    await remove
      .getByText(/^New requests of all \d+ workspaces are sent to the upstream/)
      .waitFor();
    await remove.getByLabel("Type Claude API to confirm").fill("Claude API");
    await remove.getByRole("button", { name: "Delete now" }).click();
    await page.getByText("No upstream yet").waitFor();
    expect(await listUpstreams()).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("an order is changed by keyboard, names its effects, and is saved or discarded", async () => {
    await store("first");
    await store("second");
    const { page, faults } = await openSession();
    await goTo(page, "/upstreams");
    const down = page.getByRole("button", { name: "Move first down" });
    await down.focus();
    await page.keyboard.press("Enter");
    expect(await listRows(page).first().textContent()).toContain("second");
    // The row is the last one now, so the focus is on the other button.
    await page.locator('button:focus[aria-label="Move first up"]').waitFor();
    await page.getByText("first: 2 of 2").waitFor();
    await page
      .getByText(
        "New requests of workspaces without an own order go to “second” first, instead of “first”, within a second.",
      )
      .waitFor();
    await page.getByText("Running requests end with their upstream.").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Discard changes" }).click();
    expect(await listRows(page).first().textContent()).toContain("first");
    expect((await readOrder()).names).toEqual(["first", "second"]);

    await down.press("Enter");
    await page.getByRole("button", { name: "Save order" }).click();
    await page.getByRole("button", { name: "Save order" }).waitFor({ state: "detached" });
    expect((await readOrder()).names).toEqual(["second", "first"]);

    // Another administrator changes the order first.
    await page.getByRole("button", { name: "Move first up" }).click();
    const [older, newer] = (await listUpstreams()).map(({ id }) => id).toReversed();
    await admin("POST", "/v1/admin/upstream_order", { upstream_ids: [newer] });
    await page.getByRole("button", { name: "Save order" }).click();
    await page.getByText(/^The order of upstreams has changed/).waitFor();
    await page.getByRole("table", { name: "Upstreams: not in this order" }).waitFor();
    expect((await readOrder()).names).toEqual(["second"]);
    await admin("POST", "/v1/admin/upstream_order", { upstream_ids: [newer, older] });
    await page.reload();

    await page.getByRole("button", { name: "Actions for first" }).click();
    await page.getByRole("menuitem", { name: "Take out of the order" }).click();
    await page.getByText("“first” serves only workspaces with an order that names it.").waitFor();
    await page.getByRole("button", { name: "Save order" }).click();
    await page.getByRole("button", { name: "Save order" }).waitFor({ state: "detached" });
    await page.getByRole("table", { name: "Upstreams: not in this order" }).waitFor();
    expect((await readOrder()).names).toEqual(["second"]);
    await deleteAll();
    expect(faults).toEqual([]);
  });

  test("an order is changed by touch on a narrow dark screen", async () => {
    await store("first");
    await store("second");
    const { page, faults } = await openSession(owner.email, {
      ...{ width: 390, colorScheme: "dark", hasTouch: true },
    });
    await goTo(page, "/upstreams");
    await page.getByRole("button", { name: "Move second up" }).tap();
    expect(await listRows(page).first().textContent()).toContain("second");
    expect(await findViolations(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await page.getByRole("button", { name: "Save order" }).tap();
    await page.getByRole("button", { name: "Save order" }).waitFor({ state: "detached" });
    expect((await readOrder()).names).toEqual(["second", "first"]);
    await deleteAll();
    expect(faults).toEqual([]);
  });

  test("a workspace gets an own order, blocks the deletion of its upstream, and follows the default order again", async () => {
    await store("first");
    await store("second");
    const { page, faults } = await openSession();
    const workspace = `/v1/admin/workspaces/${company().engineeringId}`;
    await goTo(page, `/workspaces/${company().engineeringId}/settings`);
    await page.getByRole("radio", { name: /^Own order/ }).check();
    await page.getByRole("button", { name: "Take first out of the order" }).click();
    await page.getByText("“first” gets no new request of this workspace.").waitFor();
    await page.getByRole("button", { name: "Add first to the order" }).waitFor();
    expect(
      await page.getByRole("button", { name: "Take second out of the order" }).isDisabled(),
    ).toBe(true);
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Save order" }).click();
    await page.getByRole("button", { name: "Save order" }).waitFor({ state: "detached" });
    expect(await readOrder(workspace)).toEqual({ names: ["second"], isDefault: false });

    await goTo(page, "/upstreams");
    await page.getByRole("button", { name: "Actions for second" }).click();
    await page.getByRole("menuitem", { name: "Delete upstream…" }).click();
    const remove = page.getByRole("dialog", { name: "Delete upstream" });
    await remove
      .getByText("A workspace with an order that names it must get another order first.")
      .waitFor();
    await remove.getByLabel("Type second to confirm").fill("second");
    await remove.getByRole("button", { name: "Delete now" }).click();
    await remove
      .getByRole("alert")
      .getByText(/is in the order of the workspace/)
      .waitFor();

    await goTo(page, `/workspaces/${company().engineeringId}/settings`);
    await page.getByRole("radio", { name: /^Default order/ }).check();
    await page.getByText(/^New requests of this workspace go to “first” first/).waitFor();
    await page.getByRole("button", { name: "Save order" }).click();
    await page.getByRole("button", { name: "Save order" }).waitFor({ state: "detached" });
    expect(await readOrder(workspace)).toEqual({ names: ["first", "second"], isDefault: true });
    await deleteAll();
    expect(faults).toEqual([]);
  });

  test("a test of an upstream shows its result, and its failure in the list", async () => {
    // The name does not resolve.
    await admin("POST", "/v1/admin/upstreams", {
      ...{ name: "closed", base_url: "https://upstream.invalid", credential: "sk-ant-api03-never" },
    });
    const { page, faults } = await openSession();
    await goTo(page, "/upstreams");
    const row = listRows(page);
    await row.getByText("no request yet").waitFor();
    await page.getByRole("button", { name: "Test closed" }).click();
    const tested = page.getByRole("dialog", { name: "closed does not work" });
    await tested.getByText("no answer").waitFor();
    await tested.getByText("Problem").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await goTo(page, "/system");
    await listRows(page).getByText("closed", { exact: true }).waitFor();
    expect(await findViolations(page)).toEqual([]);
    await deleteAll();
    expect(faults).toEqual([]);
  });

  test("an upstream of a platform is stored with its settings, and its region changes", async () => {
    const { page, faults } = await openSession(owner.email, { width: 390, colorScheme: "light" });
    await goTo(page, "/upstreams");
    await pressCreate(page);
    const create = page.getByRole("dialog", { name: "Store upstream" });
    await create.getByLabel("Provider").selectOption("Amazon Bedrock");
    expect(await create.getByLabel("Name", { exact: true }).inputValue()).toBe("Amazon Bedrock");
    await create.getByLabel("Region").fill("here");
    await create.getByLabel("Access key id").fill("AKIAIOSFODNN7EXAMPLE");
    await create.getByLabel("Secret access key").fill("never-a-real-secret");
    await create.getByText("Model names, betas, proxy and headers").click();
    await create.getByLabel("Model names").fill("claude-opus-5");
    await create.getByRole("button", { name: "Store upstream" }).click();
    await create.getByText("Write both names: claude-opus-5 = claude-opus-5").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await create.getByLabel("Model names").fill("claude-opus-5 = us.anthropic.claude-opus-5-v1:0");
    await create.getByRole("button", { name: "Store upstream" }).click();
    await create.locator("[aria-invalid]").and(create.getByLabel("Region")).waitFor();
    await create.getByLabel("Region").fill("us-east-1");
    await create.getByRole("button", { name: "Store upstream" }).click();
    await listRows(page).getByText("Amazon Bedrock").first().waitFor();
    const stored = { provider: "bedrock", authentication: "access_key" };
    const model_names = { "claude-opus-5": "us.anthropic.claude-opus-5-v1:0" };
    expect(await listUpstreams()).toMatchObject([
      {
        ...{ provider: "bedrock", has_credential: true },
        provider_settings: { ...stored, region: "us-east-1", model_names },
      },
    ]);

    await page.getByRole("button", { name: "Actions for Amazon Bedrock" }).click();
    await page.getByRole("menuitem", { name: "Change upstream…" }).click();
    const change = page.getByRole("dialog", { name: "Change upstream" });
    await change.getByLabel("Region").fill("eu-west-1");
    await change
      .getByText("The stored key is deleted if the address is the public one of the platform.")
      .waitFor();
    await change.getByRole("button", { name: "Change upstream" }).click();
    await change.waitFor({ state: "detached" });
    expect(await listUpstreams()).toMatchObject([
      {
        ...{ has_credential: false, provider_settings: { ...stored, region: "eu-west-1" } },
        base_url: expect.stringContaining("eu-west-1") as string,
      },
    ]);
    await deleteAll();
    expect(faults).toEqual([]);
  });
}

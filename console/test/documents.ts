import { expect, test } from "vitest";
import { type Console, SLOW_MS } from "./open-console.ts";

/** Lowest place of a heading that its anchor opened, pixels. */
const MAX_TOP = 150;

/** Declares the tests of guides and of the reference page. */
export function testDocuments({ company, open, openOverview, openSession, goTo }: Console): void {
  test(
    "the search finds a guide by a heading, and opens the guide there",
    async () => {
      const { page, faults } = await openOverview();
      await page.keyboard.press("Control+k");
      await page.getByPlaceholder("Search pages").fill("unknown features");
      await page.getByRole("option", { name: "Unknown features" }).click();
      await page.locator("h1", { hasText: "Spend limits" }).waitFor();
      expect(page.url()).toBe(`${company().server.url}/guides/spend-limits#unknown-features`);
      const heading = page.getByRole("heading", { name: "Unknown features" });
      const readTop = async () => (await heading.boundingBox())?.y;
      await expect.poll(readTop).toBeLessThan(MAX_TOP);
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  test("a page links to its guide, and a guide to others", async () => {
    const { page } = await openSession();
    await goTo(page, "/rate-limits");
    await page.getByRole("link", { name: "Guide", exact: true }).click();
    await page.locator("h1:focus", { hasText: "Rate limits" }).waitFor();
    await page.locator("article").getByRole("link", { name: "Spend limits" }).first().click();
    await page.locator("h1:focus", { hasText: "Spend limits" }).waitFor();
  });

  test(
    "a visitor reads the reference: the anchor opens an operation, and the filter finds others",
    async () => {
      const { page, faults } = await open();
      await goTo(page, "/docs#rotateApiKey");
      const operation = page.locator("#rotateApiKey");
      await operation.getByText("api_key.rotated").waitFor();
      await operation.getByRole("button", { name: "Command" }).click();
      await operation.getByText("./bursar api-keys rotate").waitFor();
      await operation.getByRole("button", { name: "Show fields of owner" }).click();
      await operation.getByText("Member id, user_….").first().waitFor();

      await page.getByRole("searchbox", { name: "Filter operations" }).fill("create workspace");
      // The filter waits for a pause of the keys.
      await operation.waitFor({ state: "detached" });
      const found = page.locator("#createWorkspace");
      await found.getByRole("button", { name: "Create a workspace" }).press("Enter");
      await found.getByText("workspace.created").waitFor();
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  test("a visitor who signs in returns to the guide", async () => {
    const { page } = await open();
    await goTo(page, "/guides/tags");
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(new URL(page.url()).searchParams.get("next")).toBe("/guides/tags");
  });
}

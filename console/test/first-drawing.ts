import { expect, test } from "vitest";
import { type Console, MAX_WAIT_MS } from "./open-console.ts";

/** Pages, with a sign that their data is drawn. */
const pages = [
  ["/usage?range=30d", "figure svg"],
  ["/cost?range=30d&by=model", "figure svg"],
] as const;

/** Runs in the page. Counts placeholders of loading content, also those that are removed again. */
const countPlaceholders = `
  globalThis.placeholders = 0;
  new MutationObserver((records) => {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) {
        if (node instanceof Element) placeholders += node.querySelectorAll("main .shimmer").length;
      }
    }
  }).observe(document, { childList: true, subtree: true });
`;

/** Runs in the page. True when early.ts has received the session and every other answer. */
const hasAnswers = `
  (() => {
    const early = [...(globalThis.bursarEarly?.values() ?? [])];
    return early.length > 1 && early.every(({ received }) => received !== null);
  })()
`;

/** Declares the test of the first drawing of a page. */
export function testFirstDrawing({ company, openSession }: Console): void {
  test.each(pages)(
    "%s loads fonts after its start, and draws data that arrived before it at once",
    async (path, data) => {
      const { page, faults } = await openSession(undefined, { hasOwnContext: true });
      await page.addInitScript(countPlaceholders);
      const fonts: string[] = [];
      page.on("request", (request) => {
        if (request.resourceType() === "font") fonts.push(request.url());
      });
      const answered = Promise.withResolvers<void>();
      await page.route("**/assets/index-*.js", async (route) => {
        await answered.promise;
        await route.continue();
      });
      await page.goto(company().server.url + path, { waitUntil: "commit" });
      await expect.poll(() => page.evaluate(hasAnswers), { timeout: MAX_WAIT_MS }).toBe(true);
      expect(fonts).toEqual([]);
      answered.resolve();
      await page.locator(`main ${data}`).first().waitFor();
      expect(await page.evaluate("placeholders")).toBe(0);
      expect(await page.evaluate("bursarEarly.size")).toBe(0);
      expect(fonts.length).toBeGreaterThan(1);
      expect(faults).toEqual([]);
    },
  );
}

import type { Page } from "@playwright/test";

// A person without a mouse. Keys go to the element that has the focus.

const MAX_TABS = 200;

/** Opens a page by `g` and its letter. */
export async function pressShortcut(page: Page, letter: string): Promise<void> {
  await page.keyboard.press("g");
  await page.keyboard.press(letter);
}

/** Waits until a dialog is open and has the focus. Earlier keys would go elsewhere. */
export async function waitForFocus(page: Page, dialog: string): Promise<void> {
  await page.getByRole("dialog", { name: dialog }).locator(":focus").waitFor();
}

export async function pressAll(page: Page, keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

interface Reach {
  selector?: string;
  /** Maximum number of presses. */
  within?: number;
}

/** Presses Tab until an element of this name has the focus. Throws after too many presses. */
export async function focusByTab(
  page: Page,
  name: string,
  { selector = "a, button, input, select", within = MAX_TABS }: Reach = {},
): Promise<void> {
  const seen: unknown[] = [];
  for (let presses = 0; presses < within; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(`(() => {
      const element = document.activeElement;
      const label = element.labels?.[0]?.textContent;
      const name = element.getAttribute("aria-label") ?? label ?? element.textContent ?? "";
      return element.matches(${JSON.stringify(selector)}) ? name.trim() : "";
    })()`);
    if (String(focused).includes(name)) return;
    seen.push(focused);
  }
  throw new Error(`“${name}” was not reached. The focus was on ${seen.join(" · ")}`);
}

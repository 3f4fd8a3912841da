import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { applyTheme } from "./ui/theme.ts";

/** Maximum wait for the fonts, milliseconds: the block period of CSS Fonts 4. */
const MAX_FONT_WAIT_MS = 3_000;

/** Maximum wait for the files of a page, milliseconds. The frame of a page that takes longer is drawn without it. */
const MAX_PAGE_WAIT_MS = 1_000;

/**
 * Draws the content of a document, in the chosen theme and with its fonts. `page`: settles when the files of the page have
 * arrived, so that the first drawing has it.
 */
export async function startDocument(content: ReactNode, page?: Promise<unknown>): Promise<void> {
  applyTheme();
  await Promise.all([waitForFonts(), settleWithin(page, MAX_PAGE_WAIT_MS)]);
  const root = document.getElementById("root");
  if (!root) throw new Error("the document has no root");
  createRoot(root).render(content);
}

/**
 * Waits for the fonts that the document preloads. Text in the device's fonts has another size, so the page would move
 * later.
 */
async function waitForFonts(): Promise<void> {
  const fonts = ["1rem Inter", "1.75rem 'Source Serif 4'"].map((font) => document.fonts.load(font));
  await settleWithin(Promise.all(fonts), MAX_FONT_WAIT_MS);
}

async function settleWithin(wait: Promise<unknown> | undefined, maxMs: number): Promise<void> {
  const timeout = new Promise((resolve) => setTimeout(resolve, maxMs));
  await Promise.race([Promise.allSettled([wait]), timeout]);
}

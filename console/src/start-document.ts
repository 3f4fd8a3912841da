import type { ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { applyTheme } from "./ui/theme.ts";

/** Maximum wait for the fonts, milliseconds: the block period of CSS Fonts 4. */
const MAX_FONT_WAIT_MS = 3_000;

/** Draws the content of a document, in the chosen theme and with its fonts. */
export async function startDocument(content: ReactNode): Promise<void> {
  applyTheme();
  await waitForFonts();
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
  const timeout = new Promise((resolve) => setTimeout(resolve, MAX_FONT_WAIT_MS));
  await Promise.race([Promise.allSettled(fonts), timeout]);
}

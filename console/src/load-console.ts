/** Files of the console that the build lists in the document of the sign-in (build/documents.ts). */
const LATER = 'link[rel="later"]';

/** Fetches the files of the console while a visitor types, so that it opens at once after the sign-in. */
export function loadConsoleOnInput(): void {
  addEventListener("input", loadConsole, { once: true });
}

function loadConsole(): void {
  for (const link of document.querySelectorAll<HTMLLinkElement>(LATER)) link.rel = "prefetch";
}

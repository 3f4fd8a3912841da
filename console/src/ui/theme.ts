import { makeObservable } from "../observable.ts";

export type Theme = "system" | "light" | "dark";
const KEY = "bursar-theme";

/** Theme that was chosen on this device. */
export const theme = makeObservable<Theme>(read());

/** Applies the chosen theme to the document. Called before the first render. */
export function applyTheme(): void {
  const chosen = theme.get();
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}

export function chooseTheme(chosen: Theme): void {
  theme.set(chosen);
  applyTheme();
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // The browser can forbid storage. The choice then lasts until the page is closed.
  }
}

function read(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

import { makeObservable } from "../observable.ts";

export type Theme = "system" | "light" | "dark";
const KEY = "bursar-theme";

/** The theme that was chosen on this device. */
export const theme = makeObservable<Theme>(read());

/** Puts the chosen theme on the document; called before anything is drawn. */
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
    // Storage may be forbidden: the choice then lasts as long as the page.
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

import { makeObservable } from "../observable.ts";
import type { Choices } from "./is-group-open.ts";

// Groups of the rail fold. The device remembers which ones a person opened or folded.

const KEY = "bursar-rail";
/** Choices of this device, and groups that were opened since the document was loaded. */
export const groupChoices = makeObservable<Choices>(readStored());

/** Opens a group until the document closes: its page was opened in another way, such as by the search. */
export function showGroup(title: string): void {
  if (groupChoices.get()[title] === true) return;
  groupChoices.set({ ...groupChoices.get(), [title]: true });
}

/** Opens or folds a group, and remembers it. */
export function setGroupOpen(title: string, isOpen: boolean): void {
  groupChoices.set({ ...groupChoices.get(), [title]: isOpen });
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readStored(), [title]: isOpen }));
  } catch {
    // The browser can forbid storage. The choice then lasts until the page is closed.
  }
}

function readStored(): Choices {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof stored !== "object" || stored === null) return {};
    return Object.fromEntries(
      Object.entries(stored).filter(([, isOpen]) => typeof isOpen === "boolean"),
    );
  } catch {
    return {};
  }
}

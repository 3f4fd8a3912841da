import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { makeObservable } from "../observable.ts";
import { isDialogOpen } from "../ui/open-dialog.ts";
import { places } from "./navigation.ts";

/** Longest wait for the letter after `g`. */
const WAIT_MS = 10_000;

/** True between `g` and the letter of a page. */
export const isGoing = makeObservable(false);

let waitTimer: ReturnType<typeof setTimeout> | undefined;

function startGoing(): void {
  isGoing.set(true);
  waitTimer = setTimeout(stopGoing, WAIT_MS);
}

function stopGoing(): void {
  clearTimeout(waitTimer);
  isGoing.set(false);
}

interface Shortcuts {
  onPalette: () => void;
  onHelp: () => void;
}

/**
 * ⌘K and `/` search, `g` and a letter open a page, `c` presses the create button, `a` focuses the actions of selected rows,
 * `?` lists all shortcuts. Any other key and the mouse end the wait for the letter.
 */
export function useShortcuts({ onPalette, onHelp }: Shortcuts): void {
  const navigate = useNavigate();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const wasGoing = isGoing.get();
      stopGoing();
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        // The search would close an open dialog and lose its secret or its input.
        if (!isDialogOpen()) onPalette();
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isInputContext(event.target)) return;
      const place = places
        .flatMap(({ items }) => items)
        .find(({ shortcut }) => shortcut === event.key);
      if (wasGoing && place) {
        event.preventDefault();
        void navigate({ to: place.to ?? "/" });
        return;
      }
      if (event.key === "g") startGoing();
      if (event.key === "/") {
        event.preventDefault();
        focusSearch(onPalette);
      }
      if (event.key === "?") onHelp();
      if (event.key === "c") {
        event.preventDefault();
        document.querySelector<HTMLElement>("main [data-create]")?.click();
      }
      if (event.key === "a") {
        document.querySelector<HTMLElement>("main [data-selection] button:enabled")?.focus();
      }
    };
    addEventListener("keydown", onKey);
    addEventListener("pointerdown", stopGoing);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("pointerdown", stopGoing);
    };
  }, [navigate, onPalette, onHelp]);
}

/** True in a text field, a dialog or a menu, where keys have another meaning. A check box has no text. */
function isInputContext(target: EventTarget | null): boolean {
  if (isDialogOpen() || document.querySelector('[role="menu"]')) return true;
  if (target instanceof HTMLInputElement) return target.type !== "checkbox";
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

/** Focuses the page's search box. Opens the search over all pages if there is none. */
function focusSearch(onPalette: () => void): void {
  const box = document.querySelector<HTMLInputElement>("main [data-search]");
  if (box) box.focus();
  else onPalette();
}

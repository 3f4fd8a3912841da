import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { isDialogOpen } from "../ui/open-dialog.ts";
import { places } from "./navigation.ts";

const SEQUENCE_MS = 1_000;

interface Shortcuts {
  onPalette: () => void;
  onHelp: () => void;
}

/** ⌘K and `/` search, `g` and a letter open a page, `c` presses the create button, `?` lists all shortcuts. */
export function useShortcuts({ onPalette, onHelp }: Shortcuts): void {
  const navigate = useNavigate();
  useEffect(() => {
    let goPressedAt = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
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
      if (place && performance.now() - goPressedAt < SEQUENCE_MS) {
        goPressedAt = Number.NEGATIVE_INFINITY;
        event.preventDefault();
        void navigate({ to: place.to ?? "/" });
        return;
      }
      goPressedAt = event.key === "g" ? performance.now() : Number.NEGATIVE_INFINITY;
      if (event.key === "/") {
        event.preventDefault();
        focusSearch(onPalette);
      }
      if (event.key === "?") onHelp();
      if (event.key === "c") {
        event.preventDefault();
        document.querySelector<HTMLElement>("main [data-create]")?.click();
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [navigate, onPalette, onHelp]);
}

/** True in a text field, a dialog or a menu, where keys have another meaning. */
function isInputContext(target: EventTarget | null): boolean {
  if (isDialogOpen() || document.querySelector('[role="menu"]')) return true;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

/** Focuses the page's search box. Opens the search over all pages if there is none. */
function focusSearch(onPalette: () => void): void {
  const box = document.querySelector<HTMLInputElement>("main [data-search]");
  if (box) box.focus();
  else onPalette();
}

import { useEffect, useRef } from "react";
import { isDialogOpen } from "../../ui/open-dialog.ts";
import { type Decision, decisions, decisionWords } from "./words.ts";

/** Time in which a letter after `g` opens a page (shell/use-shortcuts.ts) and decides nothing. */
const SEQUENCE_MS = 1_000;

interface DecideKeys {
  /** Moves to the next entry (1) or the previous one (-1). */
  onMove: (by: 1 | -1) => void;
  onDecide: (decision: Decision) => void;
  onReason: () => void;
}

/** Keyboard shortcuts: j and k move, y, n and u decide about the current entry, r opens the reason. */
export function useDecideKeys(keys: DecideKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    let goPressedAt = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || hasOtherUse(event.target)) return;
      const isInSequence = performance.now() - goPressedAt < SEQUENCE_MS;
      goPressedAt = event.key === "g" ? performance.now() : Number.NEGATIVE_INFINITY;
      if (isInSequence) return;
      const decision = decisions.find((each) => decisionWords[each].key === event.key);
      if (decision) latest.current.onDecide(decision);
      else if (event.key === "j") latest.current.onMove(1);
      else if (event.key === "k") latest.current.onMove(-1);
      else if (event.key === "r") latest.current.onReason();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

/** Whether keys have another use: in a text field, a dialog, a list or a menu. */
function hasOtherUse(target: EventTarget | null): boolean {
  if (isDialogOpen() || document.querySelector('[role="menu"],[role="listbox"]')) return true;
  return target instanceof HTMLElement && ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

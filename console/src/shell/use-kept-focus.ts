import { useEffect } from "react";
import { isDialogOpen } from "../ui/open-dialog.ts";

/** Number of elements that had the focus last. */
const MAX_REMEMBERED = 32;

/**
 * Moves the focus when its element is removed, such as a button that its own change removes. Otherwise the next Tab would
 * start at the top of the document. The focus returns to the last remaining element that had it, else to the title of the page.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    let focused: Element[] = [];
    const remember = ({ target }: FocusEvent) => {
      if (!(target instanceof Element) || target === focused.at(-1)) return;
      focused = [...focused.filter((each) => each !== target), target].slice(-MAX_REMEMBERED);
    };
    const watch = new MutationObserver(() => {
      if (focused.at(-1)?.isConnected !== false) return;
      // An open dialog keeps the focus.
      if (document.activeElement !== document.body || isDialogOpen()) return;
      focused = focused.filter(({ isConnected }) => isConnected);
      const next = focused.findLast(canFocus) ?? document.querySelector("main h1");
      if (next instanceof HTMLElement) next.focus({ preventScroll: true });
    });
    addEventListener("focusin", remember);
    watch.observe(document.body, { childList: true, subtree: true });
    return () => {
      removeEventListener("focusin", remember);
      watch.disconnect();
    };
  }, []);
}

function canFocus(element: Element): boolean {
  return element.checkVisibility() && !element.matches(":disabled, [inert] *");
}

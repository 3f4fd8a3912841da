import { useEffect } from "react";
import { loadOverlays } from "../ui/overlays.ts";

const QUIET_MS = 1_500;
/** Slower connections load parts when someone is about to use them, Mbit/s. */
const MIN_DOWNLINK = 2;

/** Part of the Network Information API, which not every browser has. */
interface Connection {
  saveData?: boolean;
  effectiveType?: string;
  downlink?: number;
}

/**
 * Loads likely next parts, so that they open at once, even while the server is unavailable. Dialogs and menus load when
 * the pointer or the focus comes to a button. Fast connections load all parts after the first page.
 */
export function usePreload(): void {
  useEffect(() => {
    const onIntent = ({ target }: Event) => {
      if (!(target instanceof Element) || target.closest("button") === null) return;
      stopWatching();
      void loadOverlays().catch(() => undefined);
    };
    const stopWatching = () => {
      removeEventListener("pointerover", onIntent);
      removeEventListener("focusin", onIntent);
    };
    addEventListener("pointerover", onIntent);
    addEventListener("focusin", onIntent);
    const timer = setTimeout(() => isFast() && void loadParts(), QUIET_MS);
    return () => {
      clearTimeout(timer);
      stopWatching();
    };
  }, []);
}

function loadParts(): Promise<unknown> {
  return Promise.allSettled([
    loadOverlays(),
    import("./person-menu-items.tsx"),
    import("./workspace-switcher-items.tsx"),
    import("./palette.tsx"),
    import("./sign-in-again-dialog.tsx"),
  ]);
}

function isFast(): boolean {
  const { connection } = navigator as Navigator & { connection?: Connection };
  if (!connection) return true;
  const { saveData, effectiveType = "4g", downlink = MIN_DOWNLINK } = connection;
  return saveData !== true && effectiveType === "4g" && downlink >= MIN_DOWNLINK;
}

import { useEffect } from "react";
import { loadPart } from "../load-part.ts";
import { makeObservable, useObservable } from "../observable.ts";
import type { overlayParts } from "./overlay-parts.ts";

// Dialogs, menus and lists over a page, with the library for their behaviour: a quarter of what a page needs. A page is
// drawn without them, and they are loaded at the first press, or before it when the connection has nothing to do.

type Overlays = typeof overlayParts;

const loaded = makeObservable<Overlays | null>(null);
let loading: Promise<void> | null = null;

export function loadOverlays(): Promise<void> {
  loading ??= loadPart(() => import("./overlay-parts.ts")).then(
    ({ overlayParts }) => loaded.set(overlayParts),
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** The parts, which are loaded once one is wanted. Null: not loaded yet. */
export function useOverlays(isWanted: boolean): Overlays | null {
  const overlays = useObservable(loaded);
  useEffect(() => {
    if (isWanted) loadOverlays().catch(reportError);
  }, [isWanted]);
  return overlays;
}

import { makeLatePart, useLatePart } from "../load-part.ts";

// Dialogs, menus and lists over a page, with the library for their behaviour: a quarter of what a page needs. A page is
// drawn without them, and they are loaded at the first press, or before it when the connection has nothing to do.

const overlays = makeLatePart(async () => (await import("./overlay-parts.ts")).overlayParts);

export const loadOverlays = overlays.load;

/** The parts, which are loaded once one is wanted. Null: not loaded yet. */
export const useOverlays = (isWanted: boolean) => useLatePart(overlays, isWanted);

import { makeLatePart, useLatePart } from "../load-part.ts";

// Rows of a long table, with the library that finds those in view: 8 kB. A page is drawn without them.

const longTables = makeLatePart(() => import("./rows-in-view.tsx"));

/** The part for long tables, which is loaded once one is wanted. Null: not loaded yet. */
export const useLongTables = (isWanted: boolean) => useLatePart(longTables, isWanted);

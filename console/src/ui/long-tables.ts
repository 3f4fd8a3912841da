import { useEffect } from "react";
import { loadPart } from "../load-part.ts";
import { makeObservable, useObservable } from "../observable.ts";

// Rows of a long table, with the library that finds those in view: 8 kB. A page is drawn without them.

type LongTables = typeof import("./rows-in-view.tsx");

const loaded = makeObservable<LongTables | null>(null);
let loading: Promise<void> | null = null;

function loadLongTables(): Promise<void> {
  loading ??= loadPart(() => import("./rows-in-view.tsx")).then(
    (part) => loaded.set(part),
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** The part for long tables, which is loaded once one is wanted. Null: not loaded yet. */
export function useLongTables(isWanted: boolean): LongTables | null {
  const part = useObservable(loaded);
  useEffect(() => {
    if (isWanted) loadLongTables().catch(reportError);
  }, [isWanted]);
  return part;
}

import { useSyncExternalStore } from "react";

let list: MediaQueryList | null = null;

function getList(): MediaQueryList {
  list ??= matchMedia("print");
  return list;
}

/** Whether the page is being printed. Components render again before the browser draws the paper. */
export function usePrinting(): boolean {
  return useSyncExternalStore(watch, () => getList().matches);
}

function watch(onChange: () => void): () => void {
  getList().addEventListener("change", onChange);
  return () => getList().removeEventListener("change", onChange);
}

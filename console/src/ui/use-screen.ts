import { useSyncExternalStore } from "react";
import type { Screen } from "./table-columns.ts";

/** Widest first, with the widths of the breakpoints in `styles.css`. */
const widths = [
  ["xl", "(width >= 80rem)"],
  ["lg", "(width >= 64rem)"],
  ["sm", "(width >= 40rem)"],
] as const;

let lists: readonly (readonly [Screen, MediaQueryList])[] | null = null;

function getLists() {
  lists ??= widths.map(([screen, query]) => [screen, matchMedia(query)] as const);
  return lists;
}

/** Width of the screen, for components that place their content by it. */
export function useScreen(): Screen {
  return useSyncExternalStore(watch, read);
}

function watch(onChange: () => void): () => void {
  for (const [, list] of getLists()) list.addEventListener("change", onChange);
  return () => {
    for (const [, list] of getLists()) list.removeEventListener("change", onChange);
  };
}

function read(): Screen {
  return getLists().find(([, list]) => list.matches)?.[0] ?? "xs";
}

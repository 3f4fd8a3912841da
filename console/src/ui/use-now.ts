import { useEffect } from "react";
import { makeObservable, useObservable } from "../observable.ts";

export const TICK_MS = 15_000;
export const now = makeObservable(Date.now());
let readers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Returns the current time, milliseconds. All components of a page update together. */
export function useNow(): number {
  useEffect(watchNow, []);
  return useObservable(now);
}

/** Updates the time until the returned function is called. */
export function watchNow(): () => void {
  readers += 1;
  if (timer === undefined) {
    // The time stood still while a page without times was open.
    now.set(Date.now());
    timer = setInterval(() => now.set(Date.now()), TICK_MS);
  }
  return () => {
    readers -= 1;
    if (readers > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

import { useEffect } from "react";
import { makeObservable, useObservable } from "../observable.ts";

const TICK_MS = 15_000;
const now = makeObservable(Date.now());
let readers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Returns the current time, milliseconds. All components of a page update together. */
export function useNow(): number {
  useEffect(() => {
    readers += 1;
    timer ??= setInterval(() => now.set(Date.now()), TICK_MS);
    return () => {
      readers -= 1;
      if (readers > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return useObservable(now);
}

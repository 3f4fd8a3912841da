import { useSyncExternalStore } from "react";

/** A value outside of React that components subscribe to. */
export interface Observable<T> {
  get(): T;
  set(value: T): void;
  /** Calls `onChange` after every change, until the returned function is called. */
  watch(onChange: () => void): () => void;
}

export function makeObservable<T>(initial: T): Observable<T> {
  let value = initial;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const watcher of watchers) watcher();
    },
    watch: (onChange) => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
  };
}

export function useObservable<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.watch, observable.get);
}

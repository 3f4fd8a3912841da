import { lazyRouteComponent as lazyComponent } from "@tanstack/react-router";
import { type ComponentType, type LazyExoticComponent, lazy, useEffect } from "react";
import { checkServer, reportNoAnswer, waitForServer } from "./connection.ts";
import { makeObservable, type Observable, useObservable } from "./observable.ts";

// Parts of the console are loaded when they are first needed, possibly while the server is unavailable.

/**
 * Loads a part, and waits while the server is unavailable. Throws if the server no longer has the part, because it runs
 * another version now. The router then reloads the page.
 */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load();
  } catch {
    if (!(await checkServer())) {
      reportNoAnswer();
      await waitForServer();
    }
    return load();
  }
}

/** Like the router's function, for pages. Waits for the server. */
export const lazyRouteComponent: typeof lazyComponent = (load, name) =>
  lazyComponent(() => loadPart(load), name);

/** Component for a part of a page: one export of its module. */
export function lazyPart<Name extends string, Props>(
  load: () => Promise<Record<Name, ComponentType<Props>>>,
  name: Name,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(async () => ({ default: (await loadPart(load))[name] }));
}

/** A part that several components share, and that a page is drawn without. */
export interface LatePart<Part> {
  /** Null: not loaded yet. */
  loaded: Observable<Part | null>;
  /** Loads the part once. After a failure the next call tries again. */
  load: () => Promise<void>;
}

export function makeLatePart<Part>(load: () => Promise<Part>): LatePart<Part> {
  const loaded = makeObservable<Part | null>(null);
  let loading: Promise<void> | null = null;
  return {
    loaded,
    load() {
      loading ??= loadPart(load).then(
        (part) => loaded.set(part),
        (error: unknown) => {
          loading = null;
          throw error;
        },
      );
      return loading;
    },
  };
}

/** The part, which is loaded once one is wanted. Null: not loaded yet. */
export function useLatePart<Part>(part: LatePart<Part>, isWanted: boolean): Part | null {
  const loaded = useObservable(part.loaded);
  useEffect(() => {
    if (isWanted) part.load().catch(reportError);
  }, [part, isWanted]);
  return loaded;
}

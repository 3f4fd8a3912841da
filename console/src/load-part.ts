import { lazyRouteComponent as lazyComponent } from "@tanstack/react-router";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { isServerThere, reportSilence, whenServerReturns } from "./connection.ts";

// Parts of the console are loaded when they are first needed, and so perhaps while the server is away.

/**
 * Loads a part; while the server is away, waits for it. Throws where it is there and has no such part: then it runs
 * another version by now, and the page starts anew.
 */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load();
  } catch {
    if (!(await isServerThere())) {
      reportSilence();
      await whenServerReturns();
    }
    return load();
  }
}

/** The router's own, for pages. */
export const lazyRouteComponent: typeof lazyComponent = (load, name) =>
  lazyComponent(() => loadPart(load), name);

/** The same for a part of a page: one export of its module. */
export function lazyPart<Name extends string, Props>(
  load: () => Promise<Record<Name, ComponentType<Props>>>,
  name: Name,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(async () => ({ default: (await loadPart(load))[name] }));
}

import { lazyRouteComponent as lazyComponent } from "@tanstack/react-router";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { checkServer, reportNoAnswer, waitForServer } from "./connection.ts";

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

import { loaders } from "virtual:guides";
import type { Guide } from "../../kit/guides/guide.ts";
import { loadPart } from "../../load-part.ts";

/** Loads one guide. Null: no guide has this name. */
export async function loadGuide(name: string): Promise<Guide | null> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  return load ? (await loadPart(load)).guide : null;
}

import { join } from "node:path";
import type { Plugin } from "vite";
import { guideGroups } from "../src/guide-names.ts";
import type { Guide } from "../src/kit/guides/guide.ts";
import { groupGuides, loadGuideSources, readGuides } from "./read-guides.ts";

const GUIDES = "virtual:guides";
const GUIDE = "virtual:guide/";

/**
 * Guides as modules of the console: a list with titles and headings, and one module for each guide. A page so loads one
 * guide only. A broken link fails the build.
 */
export function guidesPlugin(root: string): Plugin {
  let guides: Guide[] | null = null;
  return {
    name: "bursar-guides",
    resolveId: (id) => (id === GUIDES || id.startsWith(GUIDE) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${GUIDES}`) && !id.startsWith(`\0${GUIDE}`)) return null;
      const sources = loadGuideSources(root);
      for (const { path } of sources) this.addWatchFile(join(root, path));
      guides ??= readGuides(sources);
      if (id === `\0${GUIDES}`) return writeList(guides);
      const guide = guides.find(({ name }) => id === `\0${GUIDE}${name}`);
      return guide ? `export const guide = ${JSON.stringify(guide)};\n` : null;
    },
    watchChange: () => {
      guides = null;
    },
  };
}

function writeList(guides: readonly Guide[]): string {
  const groups = groupGuides(guides, guideGroups).map(({ title, guides: members }) => ({
    title,
    guides: members.map(({ name, title, lead, headings }) => ({ name, title, lead, headings })),
  }));
  const loaders = guides.map(({ name }) => `"${name}": () => import("${GUIDE}${name}")`);
  return `export const groups = ${JSON.stringify(groups)};\nexport const loaders = { ${loaders.join(", ")} };\n`;
}

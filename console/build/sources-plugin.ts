import { relative, sep } from "node:path";
import type { Plugin } from "vite";

/**
 * Fails a build that loads a module of the repository outside `sources`. A change of that file would start no new build: see
 * `scripts/build-console.mjs`. `root`: folder of the repository. `sources`: files and folders in it.
 */
export function sourcesPlugin(root: string, sources: readonly string[]): Plugin {
  let configFiles: readonly string[] = [];
  return {
    name: "bursar-sources",
    apply: "build",
    configResolved: ({ configFileDependencies }) => {
      configFiles = configFileDependencies;
    },
    generateBundle() {
      const read = [...configFiles, ...this.getModuleIds()];
      const others = findOtherFiles(read, root, sources);
      if (others.length > 0) this.error(`no source of the build: ${others.join(", ")}`);
    },
  };
}

/** Returns the files of the repository that are in no source, relative to `root`. Packages and virtual modules are no files of it. */
export function findOtherFiles(
  ids: readonly string[],
  root: string,
  sources: readonly string[],
): string[] {
  const paths = ids
    .map((id) => id.replace(/[?#].*$/, ""))
    .filter((id) => id.startsWith(root + sep) && !id.includes(`${sep}node_modules${sep}`))
    .map((id) => relative(root, id).replaceAll(sep, "/"));
  const isSource = (path: string) =>
    sources.some((source) => path === source || path.startsWith(`${source}/`));
  return [...new Set(paths)].filter((path) => !isSource(path));
}

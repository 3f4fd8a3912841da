import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root folder of the repository, with a slash at the end. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Text of a repository file. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Text of a guide, by its file name. */
export function readGuide(name: string): string {
  return readRepositoryFile(`docs/guides/${name}`);
}

/** Code blocks of one language, in order. */
export function listCodeBlocks(guide: string, language: string): string[] {
  const blocks = guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"));
  return [...blocks].map(([, code = ""]) => code);
}

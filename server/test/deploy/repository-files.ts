import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the clone, with a slash at its end. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Text of a file of the clone. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Text of a guide, by the name of its file. */
export function readGuide(name: string): string {
  return readRepositoryFile(`docs/guides/${name}`);
}

/** The blocks of code of one language, in their order. */
export function listCodeBlocks(guide: string, language: string): string[] {
  const blocks = guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"));
  return [...blocks].map(([, code = ""]) => code);
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import { readReference } from "./read-reference.ts";

const LIST = "virtual:reference-list";
const DETAILS = "virtual:reference-details";
/** Examples of the command line, which `server/test/cli-commands.test.ts` writes. */
const COMMANDS = "build/commands.json";

/**
 * Data of the reference page as two modules: the list of operations, and their details. `folder`: the console.
 */
export function referencePlugin(folder: string): Plugin {
  let reference: ReturnType<typeof readReference> | null = null;
  return {
    name: "bursar-reference",
    resolveId: (id) => (id === LIST || id === DETAILS ? `\0${id}` : null),
    load(id) {
      if (id !== `\0${LIST}` && id !== `\0${DETAILS}`) return null;
      const commands = JSON.parse(readFileSync(join(folder, COMMANDS), "utf8")) as Record<
        string,
        string
      >;
      reference ??= readReference(commands);
      // The browser parses a JSON text faster than an object literal.
      return id === `\0${LIST}`
        ? writeModule("reference", reference.list)
        : writeModule("details", reference.details);
    },
  };
}

function writeModule(name: string, value: object): string {
  return `export const ${name} = JSON.parse(${JSON.stringify(JSON.stringify(value))});\n`;
}

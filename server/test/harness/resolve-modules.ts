import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

// Node loads this module before a test server (`--import`). module-paths.ts creates the file that `?file=` names. With the
// file, imports resolve from it. Without it, the process writes the file when it exits.

/** URL and format of each import, by specifier and folder of the importing module. */
type Paths = Record<string, [url: string, format: string]>;

const file = new URL(import.meta.url).searchParams.get("file");
if (file === null) throw new Error("resolve-modules.ts needs ?file=");
const isRecording = !existsSync(file);
const paths: Paths = isRecording ? {} : (JSON.parse(readFileSync(file, "utf8")) as Paths);

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const { parentURL, conditions } = context;
    // `require` resolves in another way, and has a cache of its own.
    if (parentURL === undefined || !conditions.includes("import")) {
      return nextResolve(specifier, context);
    }
    const key = `${specifier} ${parentURL.slice(0, parentURL.lastIndexOf("/"))}`;
    const known = paths[key];
    if (known !== undefined) return { url: known[0], format: known[1], shortCircuit: true };
    const resolved = nextResolve(specifier, context);
    if (resolved.format && !resolved.url.startsWith("node:")) {
      paths[key] = [resolved.url, resolved.format];
    }
    return resolved;
  },
});

if (isRecording) {
  process.on("exit", () => {
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, JSON.stringify(paths));
    renameSync(unfinished, file);
  });
}

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";

// Node loads this module before a test server (`--import`). module-paths.ts creates the file that `?file=` names. With the
// file, imports resolve from it. Without it, the process writes the file when it exits.

/** URL of each import or require, by kind, specifier and folder of its module. Node finds a null format itself. */
type Paths = Record<string, [url: string, format: string | null]>;

const file = new URL(import.meta.url).searchParams.get("file");
if (file === null) throw new Error("resolve-modules.ts needs ?file=");
const isRecording = !existsSync(file);
const paths: Paths = isRecording ? {} : (JSON.parse(readFileSync(file, "utf8")) as Paths);

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const { parentURL, conditions } = context;
    if (parentURL === undefined) return nextResolve(specifier, context);
    // `require` may resolve to another file than `import`.
    const kind = conditions.includes("import") ? "import" : "require";
    const key = `${kind} ${specifier} ${parentURL.slice(0, parentURL.lastIndexOf("/"))}`;
    const known = paths[key];
    if (known !== undefined) {
      return { url: known[0], format: known[1] ?? undefined, shortCircuit: true };
    }
    const resolved = nextResolve(specifier, context);
    if (resolved.url.startsWith("file:")) {
      paths[key] = [resolved.url, resolved.format ?? null];
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

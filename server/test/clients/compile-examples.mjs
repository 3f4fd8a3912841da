// Compiles the programs of `examples/` for Go and Java into a folder: compile-examples.mjs <folder>. Exits with 1 when one
// fails. The Go SDK takes 116 s of processor time the first time, and 0.3 s with the cache of Go.
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const folder = join(resolve(process.argv[2] ?? ""), "compiled");
for (const name of ["go", "java"]) {
  cpSync(join(root, "examples", name), join(folder, name), { recursive: true });
}
run("go", ["go", "build", "-o", "hello", "."]);
run("java", [
  ...["mvn", "--quiet", "--batch-mode"],
  ...["dependency:copy-dependencies", "-DoutputDirectory=lib"],
]);
run("java", ["javac", "-cp", "lib/*", "Main.java"]);

function run(name, [program, ...args]) {
  const result = spawnSync(program, args, { cwd: join(folder, name), encoding: "utf8" });
  if (result.status === 0) return;
  const reason = result.error?.message ?? result.stdout + result.stderr;
  console.error(`${program} ${args.join(" ")} failed:\n${reason}`);
  process.exit(1);
}

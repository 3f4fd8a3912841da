// Compiles the programs of `examples/` for Go and Java into a folder: compile-examples.mjs <folder>. Exits with 1 when one
// fails. Each program runs once, so nothing is optimized. The Go SDK takes 33 s of processor time instead of 63 s the first
// time, and 0.3 s with the cache of Go. The tools of Java take 5.7 s instead of 9.9 s.
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const QUICK_JAVA = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
/** Go collects garbage only above this memory, and compiles no C. */
const QUICK_GO = { GOGC: "off", GOMEMLIMIT: "3GiB", CGO_ENABLED: "0" };
/** Neither optimized code nor facts for a debugger. */
const QUICK_GO_FLAGS = ["-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w"];

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const folder = join(resolve(process.argv[2] ?? ""), "compiled");
for (const name of ["go", "java"]) {
  cpSync(join(root, "examples", name), join(folder, name), { recursive: true });
}
run("go", ["go", "build", ...QUICK_GO_FLAGS, "-o", "hello", "."], QUICK_GO);
run(
  "java",
  [
    ...["mvn", "--quiet", "--batch-mode"],
    ...["dependency:copy-dependencies", "-DoutputDirectory=lib"],
  ],
  { MAVEN_OPTS: QUICK_JAVA.join(" ") },
);
run("java", ["javac", ...QUICK_JAVA.map((option) => `-J${option}`), "-cp", "lib/*", "Main.java"]);

function run(name, [program, ...args], env = {}) {
  const result = spawnSync(program, args, {
    cwd: join(folder, name),
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (result.status === 0) return;
  const reason = result.error?.message ?? result.stdout + result.stderr;
  console.error(`${program} ${args.join(" ")} failed:\n${reason}`);
  process.exit(1);
}

import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Compiled code is kept between runs: the contract and the schemas load in less than half the time. Where the folder cannot
// be written, nothing is kept. NODE_COMPILE_CACHE and NODE_DISABLE_COMPILE_CACHE are Node's own and go before.
const cacheFolder = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
module.enableCompileCache(process.env["NODE_COMPILE_CACHE"] ?? join(cacheFolder, "bursar"));

// A reader that has seen enough, `bursar audit export | head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

const { run } = await import("./program.ts");
const { terminal } = await import("./terminal.ts");
process.exitCode = await run(
  { env: process.env, terminal, nowMs: () => Date.now() },
  process.argv.slice(2),
);

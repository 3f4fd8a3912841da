import { run } from "./program.ts";
import { terminal } from "./terminal.ts";

// A reader that closes early, as in `bursar audit export | head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

process.exitCode = await run(
  { env: process.env, terminal, nowMs: () => Date.now() },
  process.argv.slice(2),
);

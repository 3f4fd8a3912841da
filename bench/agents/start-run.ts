import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BursarTarget, type RunLimit, startBursar } from "./bursar-target.ts";
import type { StandInOptions } from "./stand-in.ts";
import { type StandIn, startStandIn } from "./start-stand-in.ts";

/** Starts a stand-in and a server before it, and stops both after `use`. */
export async function withBursar<T>(
  standInOptions: Partial<StandInOptions> & Pick<StandInOptions, "seed">,
  limit: RunLimit,
  use: (parts: { standIn: StandIn; target: BursarTarget }) => Promise<T>,
): Promise<T> {
  const folder = makeFolder();
  const standIn = await startStandIn(standInOptions);
  const target = await startBursar(folder, standIn.port, limit);
  try {
    return await use({ standIn, target });
  } finally {
    await target.stop();
    await standIn.stop();
  }
}

/** A folder that is removed with the process. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bursar-agents-"));
  chmodSync(folder, 0o755); // under root, PostgreSQL runs as another user
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

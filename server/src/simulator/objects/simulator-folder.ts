import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folder of the simulator's objects. */
export interface SimulatorFolder {
  path: string;
  /** Removes the folder, if it is temporary. */
  close(): void;
}

/** Uses `path`, or a temporary folder without it. */
export function openSimulatorFolder(path: string | null): SimulatorFolder {
  if (path !== null) return { path, close: () => {} };
  const temporary = mkdtempSync(join(tmpdir(), "bursar-simulator-"));
  return {
    path: temporary,
    close: () => rmSync(temporary, { recursive: true, force: true }),
  };
}

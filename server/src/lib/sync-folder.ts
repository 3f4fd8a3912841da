import { open } from "node:fs/promises";

/** Syncs the names in a folder (a new file, a rename) to disk. A file's own sync does not include its name. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and orders renames itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { open } from "node:fs/promises";

/** Makes the names in a folder (a new file, a rename) survive a power cut; a file's own sync does not cover its name. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and keeps renames in order by itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../../node_modules/.cache/bursar-tests", import.meta.url));

/**
 * Returns the path of the folder with this prefix and hash. Test runs share it. Otherwise `create` writes it to the path that
 * it gets, and folders with the same prefix and other hashes are removed.
 */
export async function prepareCachedFolder(
  prefix: string,
  hash: string,
  create: (path: string) => Promise<void>,
): Promise<string> {
  const name = `${prefix}-${hash}`;
  const target = join(cache, name);
  if (existsSync(target)) return target;
  await mkdir(cache, { recursive: true });
  const names = await readdir(cache);
  // Another worker may have created the current one.
  const earlier = names.filter((other) => other.startsWith(`${prefix}-`) && other !== name);
  for (const other of earlier) await rm(join(cache, other), { recursive: true, force: true });
  const staging = join(cache, `.${name}-${randomBytes(4).toString("hex")}`);
  await create(staging);
  await rename(staging, target).catch(() => rm(staging, { recursive: true }));
  return target;
}

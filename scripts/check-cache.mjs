// Records the files on which each check passed, to skip it while they stay the same. Files are compared by content.
// Checks run when the record is missing or broken.
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listRepository } from "./repository-files.mjs";

/** Named also in tsconfig.json and console/tsconfig.json. Deleted with the installed packages. */
export const CACHE_FOLDER = "node_modules/.cache/checks";

/** A cache without entries that records nothing. */
const noCache = { hasPassed: () => false, addPassed: () => {} };

/** Opens the cache of the repository at `root`. Deletes it first when packages or configuration have changed. */
export function openCheckCache(root) {
  const folder = join(root, CACHE_FOLDER);
  try {
    return openReadableCache(root, folder);
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return noCache;
  }
}

function openReadableCache(root, folder) {
  const files = readFiles(root);
  const configuration = digestFiles(files, isConfiguration);
  const key = hash([process.version, readInstalledPackages(root), configuration]);
  let record = readRecord(folder);
  if (record.key !== key) {
    rmSync(folder, { recursive: true, force: true });
    record = { key, passed: {} };
  }
  const digestInput = ({ reads, ...check }) => hash([check, digestFiles(files, reads)]);
  return {
    hasPassed: (check) => record.passed[check.name] === digestInput(check),
    /** Records checks that passed. Records none when a file changed meanwhile: a check may have read it in either form. */
    addPassed(checks) {
      if (hash([...readFiles(root)]) !== hash([...files])) return;
      for (const check of checks) record.passed[check.name] = digestInput(check);
      writeRecord(folder, record);
    },
  };
}

/** Content and modification time of every repository file, by path. */
function readFiles(root) {
  const paths = [...listRepository(root)].filter((path) => !path.endsWith("/"));
  return new Map(
    paths.map((path) => {
      const { ctimeNs } = lstatSync(join(root, path), { bigint: true });
      return [path, { content: hash(readFileSync(join(root, path))), changedAtNs: `${ctimeNs}` }];
    }),
  );
}

function digestFiles(files, isRead) {
  const read = [...files].filter(([path]) => isRead(path));
  return hash(read.map(([path, { content }]) => [path, content]));
}

/** Reads npm's list of installed packages. */
function readInstalledPackages(root) {
  return readFileSync(join(root, "node_modules", ".package-lock.json"), "utf8");
}

/** Whether the file is a configuration: JSON, CJS or config.ts at the root or at the top of a package. */
function isConfiguration(path) {
  return /^([^/]+[/])?[^/]+([.]json|[.]cjs|config[.]ts)$/.test(path);
}

function readRecord(folder) {
  try {
    const { key, passed } = JSON.parse(readFileSync(join(folder, "passed"), "utf8"));
    return { key, passed: { ...passed } };
  } catch {
    return { key: null, passed: {} };
  }
}

/** Replaces the record. The last of two concurrent runs wins. */
function writeRecord(folder, record) {
  const file = join(folder, "passed");
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(record));
  renameSync(`${file}.${process.pid}`, file);
}

function hash(value) {
  return createHash("sha256")
    .update(Buffer.isBuffer(value) ? value : JSON.stringify(value))
    .digest("hex");
}

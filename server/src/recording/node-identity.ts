import fs from "node:fs";
import path from "node:path";
import { StartError } from "#src/lib/start-error.ts";

// Small files beside the segments name the node and the journal, and the database that their records belong to. The
// process has locked the data folder, so no two processes run this at once.

const NODE_FILE = "node-id";
const JOURNAL_FILE = "journal-id";
const INSTALLATION_FILE = "installation-id";
const ID_TEXT = /^[A-Za-z0-9._-]{1,64}$/;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/**
 * Returns the node id of a journal folder. The first call creates it, from `configuredId` (BURSAR_NODE_ID) if there is one.
 * Throws a StartError for a folder with another id, because its records belong to that node.
 */
export function nodeIdentity(options: {
  directory: string;
  configuredId: string | null;
  makeId: () => string;
}): string {
  const file = path.join(options.directory, NODE_FILE);
  const { configuredId } = options;
  if (configuredId !== null) checkNodeId(configuredId);
  const stored = readId(file);
  if (stored === null) return writeId(file, configuredId ?? options.makeId());
  if (configuredId !== null && configuredId !== stored) {
    throw new StartError(
      `the journal in ${options.directory} belongs to node "${stored}", but BURSAR_NODE_ID is "${configuredId}": ` +
        "set it to that name, or give this node a data folder of its own",
    );
  }
  return stored;
}

/** Finds the node id of a journal folder. Null: it has none yet. Throws a StartError for a damaged file. */
export function findNodeId(directory: string): string | null {
  return readId(path.join(directory, NODE_FILE));
}

/** Throws a StartError for a text that is no valid node id. */
export function checkNodeId(id: string): string {
  if (ID_TEXT.test(id)) return id;
  throw new StartError(
    "BURSAR_NODE_ID must be 1 to 64 letters, digits, dots, underscores or hyphens",
  );
}

/** Returns the id of the journal in this folder. The first call creates it. Each folder has another id. */
export function journalIdentity(directory: string, makeId: () => string): string {
  const file = path.join(directory, JOURNAL_FILE);
  return readId(file) ?? writeId(file, makeId());
}

/**
 * Binds the folder to one database. Its records can only be billed there. Throws a StartError for another database, which
 * would bill them to the wrong keys or skip them.
 */
export function bindInstallation(directory: string, installationId: string): void {
  const file = path.join(directory, INSTALLATION_FILE);
  const stored = readId(file) ?? writeId(file, installationId);
  if (stored === installationId) return;
  throw new StartError(
    `the journal in ${directory} belongs to another database (installation ${stored}, this one is ${installationId}): ` +
      "start with that database, or, if it is gone for good, move the journal folder away",
  );
}

function readId(file: string): string | null {
  if (!fs.existsSync(file)) return null;
  const id = fs.readFileSync(file, "utf8").trim();
  if (!ID_TEXT.test(id)) throw new StartError(`${file} is damaged: it has no id`);
  return id;
}

/** Writes another file and renames it. A crash leaves the whole old file, or none. */
function writeId(file: string, id: string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: DIRECTORY_MODE });
  const draft = `${file}.new`;
  const fd = fs.openSync(draft, "w", FILE_MODE);
  try {
    fs.writeSync(fd, `${id}\n`);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(draft, file);
  return id;
}

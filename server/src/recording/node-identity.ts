import fs from "node:fs";
import path from "node:path";
import { StartError } from "#src/lib/start-error.ts";

// Who writes this journal, and for which database: two small files beside the segments. The owner of the data folder
// holds its lock, so nothing here runs twice at once.

const NODE_FILE = "node-id";
const JOURNAL_FILE = "journal-id";
const INSTALLATION_FILE = "installation-id";
const ID_TEXT = /^[A-Za-z0-9._-]{1,64}$/;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/**
 * The node id of a journal folder, made on the first call. `configuredId` (BURSAR_NODE_ID) names it; a folder that
 * already has another name is refused, since its records belong to that node. Throws StartError.
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

/** The node that the journal of a folder is of, or null where that has none yet. Throws StartError for a damaged file. */
export function findNodeId(directory: string): string | null {
  return readId(path.join(directory, NODE_FILE));
}

/** Throws StartError for a text that cannot name a node. */
export function checkNodeId(id: string): string {
  if (ID_TEXT.test(id)) return id;
  throw new StartError(
    "BURSAR_NODE_ID must be 1 to 64 letters, digits, dots, underscores or hyphens",
  );
}

/** The id of the journal in this folder, made on the first call: no other folder has it, whatever its node is called. */
export function journalIdentity(directory: string, makeId: () => string): string {
  const file = path.join(directory, JOURNAL_FILE);
  return readId(file) ?? writeId(file, makeId());
}

/**
 * Ties the folder to one database. Records that wait here can only be billed there, so another database is refused
 * rather than given them, or left to skip them. Throws StartError.
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
  if (!ID_TEXT.test(id)) throw new StartError(`${file} is damaged: it holds no id`);
  return id;
}

// Written beside and renamed, so that a crash leaves the old file, or none, but never half an id.
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

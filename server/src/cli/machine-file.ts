import {
  chmodSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import {
  type MachineSystem,
  machineFiles,
  makeLoginSettings,
  writeMachineFile,
} from "@bursar/contract/claude-code-file.ts";
import { CommandError, exitCodes } from "./command-error.ts";

// Reads and writes the machine file of Claude Code. Settings of other programs in it stay.

type Settings = Record<string, unknown>;

const systems: Readonly<Partial<Record<NodeJS.Platform, MachineSystem>>> = {
  darwin: "macOS",
  win32: "Windows",
};

/** Path of the machine file on this system. */
export function findMachineFile(platform: NodeJS.Platform): string {
  return machineFiles[systems[platform] ?? "Linux"];
}

/** Reads the settings of a machine file. Null: there is no file. Throws CommandError if they are invalid. */
export function readMachineFile(path: string): Settings | null {
  const text = readText(path);
  if (text === null) return null;
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    throw makeFileError(`${path} is not valid JSON: ${reason}. Nothing was changed.`);
  }
  if (typeof settings === "object" && settings !== null && !Array.isArray(settings)) {
    return settings as Settings;
  }
  throw makeFileError(`${path} has no JSON object. Nothing was changed.`);
}

/** Adds the sign-in at the server, and keeps all other settings. */
export function addLogin(settings: Settings, origin: string): Settings {
  return { ...settings, ...makeLoginSettings(origin) };
}

/** Removes the sign-in at a gateway. Returns null if the settings have none. */
export function removeLogin(settings: Settings): Settings | null {
  if (settings["forceLoginMethod"] !== "gateway") return null;
  const { forceLoginMethod: _, forceLoginGatewayUrl: __, ...others } = settings;
  return others;
}

/** Replaces the file atomically. All users can read it, and its permissions stay. Without settings it is removed. */
export function saveMachineFile(path: string, settings: Settings): void {
  try {
    if (Object.keys(settings).length === 0) {
      rmSync(path, { force: true });
      return;
    }
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const { target, mode } = findTarget(path);
    const next = `${target}.${process.pid}`;
    writeFileSync(next, writeMachineFile(settings));
    chmodSync(next, mode);
    renameSync(next, target);
  } catch (error) {
    throw toFileError(error, path);
  }
}

/** A link stays a link: its target is replaced. */
function findTarget(path: string): { target: string; mode: number } {
  try {
    return { target: realpathSync(path), mode: statSync(path).mode & 0o777 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { target: path, mode: 0o644 };
  }
}

function readText(path: string): string | null {
  try {
    // Some editors on Windows write a byte order mark.
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw toFileError(error, path);
  }
}

function toFileError(error: unknown, path: string): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM") return error as Error;
  return makeFileError(
    `No permission to change ${path}. Run the command as an administrator, for example with sudo. --print only prints the file.`,
  );
}

function makeFileError(message: string): CommandError {
  return new CommandError(message, exitCodes.error);
}

import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CommandError, exitCodes } from "./command-error.ts";
import { type Connection, connectLocally, connectRemotely } from "./connection.ts";
import { makeUsageError } from "./read-value.ts";

// Remote servers, each with a key, in a file that only its owner can read.

export interface Profile {
  url: string;
  key: string;
}

type Profiles = Record<string, Profile>;

/** Profile name of the server on this machine. Not in the file. */
export const LOCAL = "local";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;
const KEY = /^sk-ant-[\x21-\x7e]{1,200}$/;

export function getProfilesPath(env: NodeJS.ProcessEnv): string {
  const folder = env["XDG_CONFIG_HOME"] || join(homedir(), ".config");
  return join(folder, "bursar", "profiles.json");
}

/** Returns all profiles by name. Throws CommandError if other users can read the file. */
export function readProfiles(env: NodeJS.ProcessEnv): Profiles {
  const file = getProfilesPath(env);
  let text: string;
  try {
    const isReadable = process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
    if (isReadable)
      throw makeUsageError(
        `Other users can read ${file}, which contains keys. Run: chmod 600 ${file}`,
      );
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Object.create(null);
    throw error;
  }
  try {
    const { profiles } = JSON.parse(text) as { profiles: Profiles };
    return Object.assign(Object.create(null), profiles);
  } catch {
    throw makeUsageError(`${file} is not a valid profile file: correct or delete it.`);
  }
}

/** Replaces the file atomically. */
export function writeProfiles(env: NodeJS.ProcessEnv, profiles: Profiles): void {
  const file = getProfilesPath(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify({ profiles }, null, 2)}\n`, { mode: 0o600 });
  chmodSync(next, 0o600);
  renameSync(next, file);
}

export function checkName(name: string): void {
  if (name === LOCAL)
    throw makeUsageError(`"${LOCAL}" is the server on this machine: choose another name.`);
  if (!NAME.test(name)) {
    throw makeUsageError(
      "A profile name has at most 40 letters, digits, dots, hyphens and underscores.",
    );
  }
}

/** Checks that a key is valid in a header. Throws CommandError, which does not include the key. */
export function checkKey(key: string): string {
  if (KEY.test(key)) return key;
  throw makeUsageError("Invalid key: expected only sk-ant-admin01-… or sk-ant-api03-….");
}

/** Returns the normalized address of a server: origin and path. */
export function checkUrl(written: string, isHttpAllowed: boolean): string {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw makeUsageError(
      `Expected an address such as https://bursar.example.com, not "${written}".`,
    );
  }
  if (isUnencrypted(url) && !isHttpAllowed) {
    throw makeUsageError(
      `${url.protocol}// sends the key unencrypted: use https, or add --allow-http.`,
    );
  }
  return url.href.replace(/\/+$/, "");
}

function isUnencrypted({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

interface Choice {
  env: NodeJS.ProcessEnv;
  /** Value of `--profile`. */
  profile: string | undefined;
  /** Reads the folder of the server on this machine. Called only if that server is chosen. */
  dataDir: () => Promise<string>;
  warn: (text: string) => void;
}

/** Chooses the server by `--profile`, `BURSAR_PROFILE` or `BURSAR_URL`. Default: the server on this machine. */
export async function chooseConnection({
  env,
  profile,
  dataDir,
  warn,
}: Choice): Promise<Connection> {
  const name = profile ?? (env["BURSAR_PROFILE"] || undefined);
  if (name !== undefined && name !== LOCAL) {
    const found = readProfiles(env)[name];
    if (found) return connectRemotely(found);
    throw new CommandError(
      `Profile not found: ${name}. Add it with \`bursar profile add ${name} --url …\`.`,
      exitCodes.usage,
    );
  }
  const url = env["BURSAR_URL"];
  if (name === undefined && url) {
    const checked = checkUrl(url, true);
    if (isUnencrypted(new URL(checked))) warn(`${checked}: the key is sent unencrypted.`);
    const key = readKeyVariable(env);
    if (key !== null) return connectRemotely({ url: checked, key });
    throw makeUsageError("BURSAR_URL needs a key: set BURSAR_ADMIN_KEY_FILE, or BURSAR_ADMIN_KEY.");
  }
  if (name === undefined && readKeyVariable(env) !== null) {
    // A local command would run as the operator, with more rights than the key.
    throw makeUsageError(
      "A key needs BURSAR_URL, the address of its server. For the server on this machine, unset the key or add --profile local.",
    );
  }
  return connectLocally(await dataDir());
}

/** Key from the environment or the file that it names. Null: neither is set. */
export function readKeyVariable(env: NodeJS.ProcessEnv): string | null {
  const { BURSAR_ADMIN_KEY: key, BURSAR_ADMIN_KEY_FILE: file } = env;
  if (key && file)
    throw makeUsageError("BURSAR_ADMIN_KEY and BURSAR_ADMIN_KEY_FILE are both set; keep one.");
  if (key) return checkKey(key.trim());
  if (!file) return null;
  try {
    return checkKey(readFileSync(file, "utf8").trim());
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw makeUsageError(`BURSAR_ADMIN_KEY_FILE: cannot read ${file}`);
  }
}

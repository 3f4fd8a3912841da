import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CommandError, exitCodes } from "./command-error.ts";
import { type Connection, connectLocally, connectRemotely } from "./connection.ts";
import { usage } from "./read-value.ts";

// Servers elsewhere, each with a key, in a file that its owner alone can read.

export interface Profile {
  url: string;
  key: string;
}

type Profiles = Record<string, Profile>;

/** Of no file: the server on this machine. */
export const LOCAL = "local";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;
const KEY = /^sk-ant-[\x21-\x7e]{1,200}$/;

export function profilesFile(env: NodeJS.ProcessEnv): string {
  const folder = env["XDG_CONFIG_HOME"] || join(homedir(), ".config");
  return join(folder, "bursar", "profiles.json");
}

/** Every profile by its name. Throws CommandError for a file that others may read: a key in it is no secret. */
export function readProfiles(env: NodeJS.ProcessEnv): Profiles {
  const file = profilesFile(env);
  let text: string;
  try {
    const isOpen = process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0;
    if (isOpen) throw usage(`Others may read ${file}, and keys are in it: chmod 600 ${file}`);
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Object.create(null);
    throw error;
  }
  try {
    const { profiles } = JSON.parse(text) as { profiles: Profiles };
    return Object.assign(Object.create(null), profiles);
  } catch {
    throw usage(`${file} is not what this program writes: mend it, or delete it.`);
  }
}

/** Replaces the file at once, so that it is whole whatever happens. */
export function writeProfiles(env: NodeJS.ProcessEnv, profiles: Profiles): void {
  const file = profilesFile(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify({ profiles }, null, 2)}\n`, { mode: 0o600 });
  chmodSync(next, 0o600);
  renameSync(next, file);
}

export function checkName(name: string): void {
  if (name === LOCAL) throw usage(`"${LOCAL}" is the server on this machine: choose another name.`);
  if (!NAME.test(name)) {
    throw usage("A profile's name is letters, digits, dots, hyphens and underscores, at most 40.");
  }
}

/** A key as it may stand in a header. Throws CommandError, without the key. */
export function checkKey(key: string): string {
  if (KEY.test(key)) return key;
  throw usage("This is not a key: expected sk-ant-admin01-… or sk-ant-api03-…, and nothing else.");
}

/** An address of a server: its origin, and the path that a proxy has for it. */
export function checkUrl(written: string, mayBeOpen: boolean): string {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw usage(`Expected an address such as https://bursar.example.com, and not "${written}".`);
  }
  if (isOpen(url) && !mayBeOpen) {
    throw usage(
      `With ${url.protocol}// the key crosses the network in clear text: use https, or add --allow-http.`,
    );
  }
  return url.href.replace(/\/+$/, "");
}

function isOpen({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

interface Choice {
  env: NodeJS.ProcessEnv;
  /** Of `--profile`. */
  profile: string | undefined;
  /** Folder of the server on this machine; only asked for where that is meant. */
  dataDir: () => Promise<string>;
  warn: (text: string) => void;
}

/** The server that a command is about: `--profile`, `BURSAR_PROFILE`, `BURSAR_URL`, else the one on this machine. */
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
      `There is no profile "${name}": make it with \`bursar profile add ${name} --url …\`.`,
      exitCodes.usage,
    );
  }
  const url = env["BURSAR_URL"];
  if (name === undefined && url) {
    const checked = checkUrl(url, true);
    if (isOpen(new URL(checked))) warn(`${checked}: the key crosses the network in clear text.`);
    const key = readKeyVariable(env);
    if (key !== null) return connectRemotely({ url: checked, key });
    throw usage("BURSAR_URL needs a key: set BURSAR_ADMIN_KEY_FILE, or BURSAR_ADMIN_KEY.");
  }
  return connectLocally(await dataDir());
}

/** The key that the environment holds or names a file of; null where it does not. */
export function readKeyVariable(env: NodeJS.ProcessEnv): string | null {
  const { BURSAR_ADMIN_KEY: key, BURSAR_ADMIN_KEY_FILE: file } = env;
  if (key && file)
    throw usage("BURSAR_ADMIN_KEY and BURSAR_ADMIN_KEY_FILE are both set; keep one.");
  if (key) return checkKey(key.trim());
  if (!file) return null;
  try {
    return checkKey(readFileSync(file, "utf8").trim());
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw usage(`BURSAR_ADMIN_KEY_FILE: cannot read ${file}`);
  }
}

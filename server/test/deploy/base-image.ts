// Stands for the official Node image: system programs of this machine, with the Node and npm of the test.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Layers } from "./image-root.ts";

/** Paths of this machine that differ in a slim image. */
const ABSENT = [
  "/usr/local",
  "/usr/lib/node_modules",
  ...["curl", "git", "node", "npm", "npx", "wget"].map((name) => `/usr/bin/${name}`),
];

/** Folders of every image. */
const FOLDERS = ["dev", "home", "opt", "proc", "root/.npm", "run", "sys", "var/tmp"];

const USER_FILES = ["passwd", "group", "shadow", "gshadow"];

/** Makes an image of two layers. The lower layer hides programs, and the upper one adds some. */
export async function makeBaseImage(work: string): Promise<Layers> {
  const hidden = join(work, "hidden");
  for (const path of ABSENT) await hide(hidden, path);
  const base = join(work, "base");
  for (const folder of [...FOLDERS, "usr/local/bin", "usr/local/etc"]) {
    await mkdir(join(base, folder), { recursive: true });
  }
  await mkdir(join(base, "tmp"));
  await chmod(join(base, "tmp"), 0o1777);
  for (const name of readdirSync("/")) {
    // Such as `bin`, a link to `usr/bin`.
    if (lstatSync(`/${name}`).isSymbolicLink())
      await symlink(readlinkSync(`/${name}`), join(base, name));
  }
  for (const name of USER_FILES) await copyWithoutUser(`/etc/${name}`, join(base, "etc", name));
  linkOrCopy(process.execPath, join(base, "usr/local/bin/node"));
  await addNpm(join(base, "usr/local"));
  await copyIfThere(join(homedir(), ".npmrc"), join(base, "root/.npmrc"));
  return { folders: [hidden, base], below: { etc: "/etc", usr: "/usr" } };
}

/** A character device without a number hides the paths below it. */
async function hide(layer: string, path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  const whiteout = join(layer, path);
  await mkdir(dirname(whiteout), { recursive: true });
  run("mknod", [whiteout, "c", "0", "0"]);
}

async function addNpm(prefix: string): Promise<void> {
  const cli = realpathSync(process.env["npm_execpath"] ?? run("which", ["npm"]));
  const npm = dirname(dirname(cli));
  await mkdir(join(prefix, "lib/node_modules"), { recursive: true });
  linkOrCopy(npm, join(prefix, "lib/node_modules/npm"));
  await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(prefix, "bin/npm"));
  await copyIfThere(join(npm, "../../../etc/npmrc"), join(prefix, "etc/npmrc"));
}

/**
 * Links files when both paths are on one disk. The files are safe, because a change in a layer first copies the file.
 */
function linkOrCopy(from: string, to: string): void {
  const { status } = spawnSync("cp", ["-al", from, to]);
  if (status !== 0) run("cp", ["-a", from, to]);
}

/** Copies a list of users or groups without `bursar`. A server that root started here has created that user. */
async function copyWithoutUser(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  const lines = (await readFile(from, "utf8")).split("\n");
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, lines.filter((line) => !line.startsWith("bursar:")).join("\n"), {
    mode: lstatSync(from).mode,
  });
}

async function copyIfThere(from: string, to: string): Promise<void> {
  if (existsSync(from)) await copyFile(from, to);
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

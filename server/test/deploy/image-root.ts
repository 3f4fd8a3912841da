// Root file systems made of layers, as a container engine mounts them: overlays in a mount namespace of their own. Only
// root on Linux can mount them.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Layers {
  /** The lowest first. */
  folders: readonly string[];
  /**
   * Folders of this machine that lie below all layers, by their path in the root. Each is an overlay of its own, since a
   * layer must not lie inside of a folder below it.
   */
  below: Readonly<Record<string, string>>;
}

/** True where this process can mount overlays. */
export function canMountLayers(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "bursar-overlay-"));
  const script =
    "mkdir upper work root && mount -t overlay overlay -o lowerdir=/usr,upperdir=upper,workdir=work root";
  const { status } = spawnSync("unshare", ["--mount", "sh", "-c", script], { cwd: folder });
  rmSync(folder, { recursive: true });
  return status === 0;
}

/** Adds a layer without files. Its own folder comes last. */
export async function addLayer({ folders, below }: Layers, folder: string): Promise<Layers> {
  await mkdir(folder);
  return { folders: [...folders, folder], below };
}

/** Folder of the layer that changes go to. */
export function topOf({ folders }: Layers): string {
  const top = folders.at(-1);
  if (top === undefined) throw new Error("there is no layer");
  return top;
}

/** Shell commands that mount the layers on a folder. Changes go to the last layer. */
export function mountLayers(layers: Layers, folder: string): string {
  const parts = ["", ...Object.keys(layers.below)];
  return parts.map((part) => mountPart(layers, part, join(folder, part))).join("\n");
}

/** Shell commands that make mounted layers read-only. */
export function protectLayers({ below }: Layers, folder: string): string {
  const parts = ["", ...Object.keys(below)];
  return parts.map((part) => `mount -o remount,ro ${join(folder, part)}`).join("\n");
}

function mountPart(layers: Layers, part: string, target: string): string {
  const folders = layers.folders.map((layer) => join(layer, part));
  const upper = folders.at(-1);
  const below = layers.below[part];
  const lower = [...folders.slice(0, -1).reverse(), ...(below === undefined ? [] : [below])];
  // The kernel needs a folder beside the layer to change it.
  const work = `${topOf(layers)}.work-${part.replaceAll("/", "-")}`;
  const options = `lowerdir=${lower.join(":")},upperdir=${upper},workdir=${work}`;
  return `mkdir -p ${folders.join(" ")} ${work}\nmount -t overlay overlay -o ${options} ${target}`;
}

/** Runs a shell script in a mount namespace of its own. Returns its output, and throws with it when the script fails. */
export async function runWithMounts(script: string): Promise<string> {
  const args = ["--mount", "--propagation=private", "sh", "-e", "-c", script];
  const child = spawn("unshare", args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = collectOutput(child);
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status !== 0) throw new Error(`exit ${status} of: ${script}\n${output()}`);
  return output();
}

/** Returns a function that returns the output of both streams so far. */
export function collectOutput(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return () => output;
}

/** One word of a shell script. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** `env` with nothing but these variables, as words of a command. */
export function toEnvCommand(env: Record<string, string>, folder: string): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return ["/usr/bin/env", "-i", `--chdir=${folder}`, ...variables];
}

// Root file systems from layers, mounted as overlays in a mount namespace, as a container engine does. Only root on
// Linux can mount them.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Layers {
  /** Folders of the layers, the lowest first. */
  folders: readonly string[];
  /**
   * Folders of this machine below all layers, by path. Each is a separate overlay, because a layer must not be inside
   * a folder below it.
   */
  below: Readonly<Record<string, string>>;
}

/** True when this process can mount overlays. */
export function canMountLayers(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "bursar-overlay-"));
  const script =
    "mkdir upper work root && mount -t overlay overlay -o lowerdir=/usr,upperdir=upper,workdir=work root";
  const { status } = spawnSync("unshare", ["--mount", "sh", "-c", script], { cwd: folder });
  rmSync(folder, { recursive: true });
  return status === 0;
}

/** Adds an empty layer. Its folder is the last one. */
export async function addLayer({ folders, below }: Layers, folder: string): Promise<Layers> {
  await mkdir(folder);
  return { folders: [...folders, folder], below };
}

/** Folder of the layer that receives changes. */
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
  // The kernel needs a work folder beside the layer.
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

/** Words of an `env` command with only these variables. */
export function toEnvCommand(env: Record<string, string>, folder: string): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return ["/usr/bin/env", "-i", `--chdir=${folder}`, ...variables];
}

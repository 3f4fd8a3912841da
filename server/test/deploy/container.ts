// Runs an image without a container engine, under the rules of compose.yaml: a read-only root, `/tmp` in memory and
// no capability. Process, network and mount namespaces are separate.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Image } from "./build-image.ts";
import {
  addLayer,
  collectOutput,
  type Layers,
  mountLayers,
  protectLayers,
  quote,
  toEnvCommand,
  topOf,
} from "./image-root.ts";

export interface RunOptions {
  /** Folder to create for the container. */
  work: string;
  /** Folders and files of the machine by their path in the container. */
  mounts: Record<string, string>;
  /** Added to the variables of the image. */
  env?: Record<string, string>;
}

export interface Finished {
  code: number | null;
  output: string;
}

export interface Container {
  /** Folder with the changes in the root file system, without mounts. */
  layer: string;
  /** Runs a command in the container, as `docker exec` does. */
  run(command: readonly string[]): Promise<Finished>;
  /** Waits until the health check passes. Throws with the output of the server when it ends before. */
  waitUntilHealthy(): Promise<void>;
  /** Sends a signal to process 1. Returns its exit code, null after SIGKILL. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
  /** Output of process 1 so far. */
  output(): string;
  /** Reads a file in `/proc` of process 1. */
  readProcess(file: string): string;
}

/** Default size of `/dev/shm` in an engine. */
const SHARED_MEMORY = "64m";
const START_INTERVAL_MS = 10;
const HEALTH_INTERVAL_MS = 500;
/** Address in the banner. The server prints it when it listens. */
const ADDRESS = /https?:\/\//;
const HEALTHY_WITHIN_MS = 120_000;

const running = new Set<ChildProcess>();

/** Stops every container of this process. */
export async function killContainers(): Promise<void> {
  await Promise.all([...running].map((child) => end(child, () => child.kill("SIGKILL"))));
}

/** Creates the folder of a new volume, as an engine does. Owner and mode are those of the folder in the image. */
export async function makeVolume(image: Image, path: string, folder: string): Promise<string> {
  const layer = image.layers.folders.findLast((each) => existsSync(join(each, path)));
  if (layer === undefined) throw new Error(`the image has no folder ${path}`);
  const { uid, gid, mode } = statSync(join(layer, path));
  await mkdir(folder, { mode });
  await chown(folder, uid, gid);
  return folder;
}

/** Starts the image's command as process 1 of new namespaces. */
export async function startContainer(image: Image, options: RunOptions): Promise<Container> {
  await mkdir(options.work);
  const layers = await addLayer(image.layers, join(options.work, "layer"));
  const namespaces = ["--mount", "--propagation=private", "--pid", "--net", "--ipc", "--uts"];
  const script = makeStartScript(image, layers, options);
  const words = [...namespaces, "--fork", "--kill-child=SIGKILL", "sh", "-e", "-c", script];
  const child = spawn("unshare", words, { cwd: options.work, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const output = collectOutput(child);
  const pid = await waitForProcessOne(child, output);
  const container: Container = {
    layer: topOf(layers),
    run: (command) => runInside(pid, toCommand(image, options.env, command)),
    waitUntilHealthy: () => waitUntilHealthy(image, container, child),
    stop: (signal) => end(child, () => process.kill(pid, signal)),
    output,
    readProcess: (file) => readFileSync(`/proc/${pid}/${file}`, "utf8"),
  };
  return container;
}

/** Mount points are in a layer of the container that becomes read-only. */
function makeStartScript(image: Image, layers: Layers, { mounts, env }: RunOptions): string {
  return [
    "mkdir -p root",
    mountLayers(layers, "root"),
    "mount -t proc proc root/proc",
    "mount -t tmpfs -o mode=755 tmpfs root/dev",
    "for each in full null random urandom zero; do touch root/dev/$each; mount --bind /dev/$each root/dev/$each; done",
    "mkdir root/dev/shm",
    `mount -t tmpfs -o mode=1777,size=${SHARED_MEMORY} tmpfs root/dev/shm`,
    "mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmpfs root/tmp",
    ...Object.entries(mounts).flatMap(mountInto),
    protectLayers(layers, "root"),
    "ip link set lo up",
    `exec chroot root ${toCommand(image, env, image.command)}`,
  ].join("\n");
}

function mountInto([path, source]: [string, string]): string[] {
  const [from, to] = [quote(source), quote(`root${path}`)];
  return [
    `if [ -d ${from} ]; then mkdir -p ${to}; else mkdir -p $(dirname ${to}); touch ${to}; fi`,
    `mount --bind ${from} ${to}`,
  ];
}

/** Shell words that run the command without capabilities, as the image's user. */
function toCommand(
  image: Image,
  env: Record<string, string> = {},
  command: readonly string[],
): string {
  const [uid = "", gid = uid] = image.user.split(":");
  const user = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  const limits = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
  const variables = toEnvCommand({ ...image.env, ...env }, image.folder);
  return ["/usr/bin/setpriv", ...user, ...limits, ...variables, ...command].map(quote).join(" ");
}

async function runInside(pid: number, command: string): Promise<Finished> {
  const namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--root"];
  const script = `exec nsenter --target ${pid} ${namespaces.join(" ")} ${command}`;
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "pipe"] });
  const output = collectOutput(child);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output: output() };
}

async function waitUntilHealthy(
  image: Image,
  container: Container,
  child: ChildProcess,
): Promise<void> {
  if (image.healthCheck === null) throw new Error("the image has no health check");
  const deadline = performance.now() + HEALTHY_WITHIN_MS;
  while (performance.now() < deadline) {
    if (hasEnded(child)) throw new Error(`process 1 ended:\n${container.output()}`);
    // Each check is a process. None passes before the server listens.
    if (!ADDRESS.test(container.output())) {
      await delay(START_INTERVAL_MS);
      continue;
    }
    const { code } = await container.run(image.healthCheck.command);
    if (code === 0) return;
    await delay(HEALTH_INTERVAL_MS);
  }
  throw new Error(`not healthy within ${HEALTHY_WITHIN_MS} ms:\n${container.output()}`);
}

/** Waits until process 1 has the root of the image. Resolves to its process id on the machine. */
async function waitForProcessOne(child: ChildProcess, output: () => string): Promise<number> {
  while (!hasEnded(child)) {
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    const pid = Number.parseInt(children, 10);
    if (pid > 0 && readlinkSync(`/proc/${pid}/root`) !== "/") return pid;
    await delay(START_INTERVAL_MS);
  }
  throw new Error(`the container could not be started:\n${output()}`);
}

async function end(child: ChildProcess, send: () => void): Promise<number | null> {
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  if (!hasEnded(child)) {
    send();
    await ended;
  }
  running.delete(child);
  return child.exitCode;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

// Performs the steps of the Dockerfile without a container engine. COPY copies the files that `.dockerignore`
// includes. RUN runs as root in a changed root, with this machine as base image (base-image.ts).
import { readFileSync } from "node:fs";
import { copyFile, mkdir, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, posix } from "node:path";
import { makeBaseImage } from "./base-image.ts";
import {
  addLayer,
  type Layers,
  mountLayers,
  quote,
  runWithMounts,
  toEnvCommand,
} from "./image-root.ts";
import { readDockerfile, type Step } from "./read-dockerfile.ts";
import { readDockerignore } from "./read-dockerignore.ts";

export interface Image {
  layers: Layers;
  env: Record<string, string>;
  user: string;
  folder: string;
  volumes: string[];
  command: string[];
  healthCheck: { options: Record<string, string>; command: string[] } | null;
}

export interface BuildOptions {
  /** Folder of the Dockerfile. */
  context: string;
  /** Folder for the layers. */
  work: string;
  /** Called for each RUN. Null: the command runs unchanged. */
  replaceRun?: (command: string) => Replacement | null;
}

/** Replaces a RUN that is too slow for a test. */
export interface Replacement {
  /** Runs in place of the command. */
  command: string;
  /** Folders of this machine that replace the output, by working-folder path. */
  folders: Record<string, string>;
  /** Runs with these folders in place. */
  cleanUp: string;
}

export interface BuildResult {
  image: Image;
  /** Output of each command that ran. */
  outputs: ReadonlyMap<string, string>;
}

interface Build {
  options: BuildOptions;
  /** Copy of the context, without ignored files. */
  context: string;
  stages: Map<string, Image>;
  outputs: Map<string, string>;
  layers: number;
}

/** Variables of the machine that npm needs to reach its registry. Engines pass them to a build too. */
const NETWORK_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS"];
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Returns the image of the last stage. */
export async function buildImage(options: BuildOptions): Promise<BuildResult> {
  const context = join(options.work, "context");
  await copyContext(options.context, context);
  const base = makeEmptyImage(await makeBaseImage(options.work));
  const build: Build = { options, context, stages: new Map(), outputs: new Map(), layers: 0 };
  let image = base;
  for (const stage of readDockerfile(readFileSync(join(options.context, "Dockerfile"), "utf8"))) {
    image = await beginLayer(build, build.stages.get(stage.from) ?? base);
    for (const step of stage.steps) image = await performStep(build, image, step);
    if (stage.name !== null) build.stages.set(stage.name, image);
  }
  return { image, outputs: build.outputs };
}

function makeEmptyImage(layers: Layers): Image {
  return {
    layers,
    env: { PATH: DEFAULT_PATH },
    user: "0:0",
    folder: "/",
    volumes: [],
    command: [],
    healthCheck: null,
  };
}

async function copyContext(from: string, to: string): Promise<void> {
  const isIgnored = readDockerignore(readFileSync(join(from, ".dockerignore"), "utf8"));
  const copyFolder = async (folder: string): Promise<void> => {
    await mkdir(join(to, folder), { recursive: true });
    for (const entry of await readdir(join(from, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (isIgnored(path)) continue;
      if (entry.isDirectory()) await copyFolder(path);
      else await copyFile(join(from, path), join(to, path));
    }
  };
  await copyFolder("");
}

async function beginLayer(build: Build, image: Image): Promise<Image> {
  build.layers += 1;
  const folder = join(build.options.work, `layer-${build.layers}`);
  return { ...image, layers: await addLayer(image.layers, folder) };
}

async function performStep(build: Build, image: Image, step: Step): Promise<Image> {
  switch (step.kind) {
    case "COPY":
      await copyFiles(build, image, step);
      return image;
    case "RUN":
      return runCommand(build, image, step.command);
    case "WORKDIR": {
      const folder = posix.resolve(image.folder, step.value);
      await changeRoot(build, image, `mkdir -p root${folder}`);
      return { ...image, folder };
    }
    case "ENV":
      return { ...image, env: { ...image.env, ...step.values } };
    case "USER":
      return { ...image, user: step.value };
    case "VOLUME":
      return { ...image, volumes: [...image.volumes, step.value] };
    case "CMD":
      return { ...image, command: step.command };
    case "HEALTHCHECK":
      return { ...image, healthCheck: step };
    // Metadata for people and engines. No effect on the image.
    case "EXPOSE":
    case "LABEL":
      return image;
  }
}

/** Copies files as COPY does: a folder without its own name, and everything owned by root. */
async function copyFiles(
  build: Build,
  image: Image,
  { fromStage, sources, target }: Extract<Step, { kind: "COPY" }>,
): Promise<void> {
  const stage = fromStage === null ? null : build.stages.get(fromStage);
  if (stage === undefined) throw new Error(`there is no stage ${fromStage}`);
  const from = stage === null ? build.context : "from";
  const to = `root${posix.resolve(image.folder, target)}`;
  const copies = sources.map((source) => {
    const path = quote(posix.join(from, source));
    const intoFolder = `mkdir -p ${to} && cp -R --preserve=mode,links`;
    if (sources.length > 1 || /(^|\/)\.?$/.test(target)) {
      return `if [ -d ${path} ]; then ${intoFolder} ${path}/. ${to}; else ${intoFolder} ${path} ${to}; fi`;
    }
    return `if [ -d ${path} ]; then ${intoFolder} ${path}/. ${to}; else mkdir -p $(dirname ${to}) && cp ${path} ${to}; fi`;
  });
  // Test runners write their cache below node_modules while it is copied.
  const hide = "find from -maxdepth 4 -name .vitest-cache -prune -exec rm -rf {} +";
  const mounts = stage === null ? [] : ["mkdir -p from", mountLayers(stage.layers, "from"), hide];
  await changeRoot(build, image, [...mounts, ...copies].join("\n"));
}

async function runCommand(build: Build, image: Image, command: string): Promise<Image> {
  if (!/^(root|0)(:|$)/.test(image.user)) throw new Error(`RUN as ${image.user} is not known here`);
  const replacement = build.options.replaceRun?.(command) ?? null;
  const output = await runAsRoot(build, image, replacement?.command ?? command);
  build.outputs.set(command, output);
  if (replacement === null) return image;
  const added = Object.entries(replacement.folders).map(([path, folder]) => [
    posix.join(image.folder, path).slice(1),
    folder,
  ]);
  const below = { ...image.layers.below, ...Object.fromEntries(added) };
  const changed = { ...image, layers: { ...image.layers, below } };
  await runAsRoot(build, changed, replacement.cleanUp);
  return changed;
}

function runAsRoot(build: Build, image: Image, command: string): Promise<string> {
  const env: Record<string, string> = { HOME: "/root", npm_config_prefer_offline: "true" };
  for (const name of NETWORK_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const words = [...toEnvCommand({ ...env, ...image.env }, image.folder), "/bin/sh", "-c", command];
  const cache = quote(join(homedir(), ".npm"));
  const script = [
    "for each in dev proc; do mount --rbind /$each root/$each; done",
    `if [ -d ${cache} ]; then mount --bind ${cache} root/root/.npm; fi`,
    `chroot root ${words.map(quote).join(" ")}`,
  ];
  return changeRoot(build, image, script.join("\n"));
}

/** Runs the script while the image is mounted on `root`. Returns its output. */
async function changeRoot({ options }: Build, { layers }: Image, script: string): Promise<string> {
  const work = quote(options.work);
  return runWithMounts(`cd ${work}\nmkdir -p root\n${mountLayers(layers, "root")}\n${script}`);
}

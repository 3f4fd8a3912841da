// `node bench/peers/install.ts [name…]`: installs other gateways for `npm run bench -- --target <name>` into the user's cache
// folder. Without names it installs all of them. Each has its own folder, and nothing else changes.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  findPeer,
  locatePeer,
  type PeerName,
  peerNames,
  peerPackages,
  TOKEN_TABLES,
} from "./packages.ts";

const GO_VERSION = "1.21";
/** Names that the cache of the token tables expects. */
const TOKEN_TABLE_FILES = {
  "cl100k_base.tiktoken": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
  "o200k_base.tiktoken": "fb374d419588a4632f3f557e76b4b70aebbca790",
};

function main(args: readonly string[]): number {
  const unknown = args.find((name) => !peerNames.some((known) => known === name));
  if (unknown !== undefined) {
    console.error(
      `Unknown peer: ${unknown}.\nusage: node bench/peers/install.ts [${peerNames.join("|")}]…`,
    );
    return 2;
  }
  const chosen = args.length === 0 ? peerNames : peerNames.filter((name) => args.includes(name));
  return chosen.map(install).every((isInstalled) => isInstalled) ? 0 : 1;
}

/** Installs one peer. False after a failure, whose partial folder is removed. */
function install(name: PeerName): boolean {
  const { version, source } = peerPackages[name];
  if (findPeer(name)) {
    console.error(`> ${name} ${version} is installed`);
    return true;
  }
  console.error(`> ${name} ${version} from ${source}`);
  const folder = locatePeer(name);
  mkdirSync(folder, { recursive: true });
  try {
    installers[source](name, folder);
    return true;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    console.error(`> ${name}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

const installers = { npm: installFromNpm, PyPI: installFromPypi, Go: buildWithGo };

function installFromNpm(name: PeerName, folder: string): void {
  const { package: packageName, version, overrides = {} } = peerPackages[name];
  const manifest = { name: "peer", private: true, overrides };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev"];
  run("npm", ["install", ...options, `${packageName}@${version}`], { folder });
}

function installFromPypi(name: PeerName, folder: string): void {
  const { package: packageName, version } = peerPackages[name];
  run("python3", ["-m", "venv", folder], { folder });
  run(join(folder, "bin", "pip"), ["install", "--quiet", `${packageName}==${version}`], { folder });
}

/** Builds the program in a module that requires only it. Go's caches are inside the folder, and removed after the build. */
function buildWithGo(name: PeerName, folder: string): void {
  const { package: module, version, program } = peerPackages[name];
  const build = join(folder, "build");
  mkdirSync(build);
  writeFileSync(
    join(build, "go.mod"),
    `module peer\n\ngo ${GO_VERSION}\n\nrequire ${module} ${version}\n`,
  );
  const env = {
    GOPATH: join(build, "path"),
    GOCACHE: join(build, "cache"),
    GOFLAGS: "-modcacherw -mod=mod",
  };
  const tables = `${TOKEN_TABLES.module}@${TOKEN_TABLES.version}`;
  const { Dir: tablesFolder } = JSON.parse(
    run("go", ["mod", "download", "-json", tables], { folder: build, env }),
  ) as { Dir: string };
  for (const [from, to] of Object.entries(TOKEN_TABLE_FILES)) {
    copyFileSync(join(tablesFolder, "assets", from), join(folder, to));
  }
  run("go", ["build", "-o", join(folder, program), module], { folder: build, env });
  rmSync(build, { recursive: true, force: true });
}

/** Runs a program, and returns its output. Throws when it fails. */
function run(
  program: string,
  args: readonly string[],
  { folder, env = {} }: { folder: string; env?: Record<string, string> },
): string {
  const { status, stdout, error } = spawnSync(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}`);
  return stdout;
}

process.exitCode = main(process.argv.slice(2));

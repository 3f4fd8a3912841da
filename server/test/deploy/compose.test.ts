import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig, settings } from "#src/config.ts";
import { listVariables, readComposeFile } from "./compose-file.ts";
import { readDockerfile } from "./read-dockerfile.ts";
import { listCodeBlocks, readGuide, readRepositoryFile } from "./repository-files.ts";

const compose = readComposeFile();
const { bursar, postgres } = compose.services;
const guide = readGuide("container.md");
const stages = readDockerfile(readRepositoryFile("Dockerfile"));
const image = stages.at(-1);

function readValue(kind: "EXPOSE" | "VOLUME"): string {
  const found = image?.steps.find((step) => step.kind === kind);
  if (found === undefined || !("value" in found)) throw new Error(`the image has no ${kind}`);
  return found.value;
}

test("uses one official Node image with glibc that the engines allow", () => {
  const names = new Set(stages.map(({ name }) => name));
  const bases = new Set(stages.map(({ from }) => from).filter((from) => !names.has(from)));
  expect(bases.size).toBe(1);
  const [, version] = /^node:(\d+)-(?:bookworm|trixie)-slim$/.exec([...bases][0] ?? "") ?? [];
  const { engines } = JSON.parse(readRepositoryFile("package.json")) as {
    engines: { node: string };
  };
  expect(engines.node).toMatch(/^>=\d+$/);
  expect(Number(version)).toBeGreaterThanOrEqual(Number(engines.node.slice(2)));
});

test("sets only known variables, and no secret by value", () => {
  const known = Object.values(settings).map(({ env }) => env as string);
  const secrets = Object.values(settings).flatMap((each) => ("isSecret" in each ? [each.env] : []));
  for (const name of Object.keys(bursar.environment)) {
    expect(known).toContain(name.replace(/_FILE$/, ""));
    expect(secrets).not.toContain(name);
  }
});

test("explains each variable of .env in the guide", () => {
  expect(listVariables()).toEqual(["BURSAR_PUBLIC_URL", "PUBLISHED_ADDRESS"]);
  for (const name of listVariables()) expect(guide).toContain(`\`${name}`);
});

test.each(Object.entries(compose.services))("limits the service %s", (_, service) => {
  expect(service).toMatchObject({
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
  });
  for (const secret of service.secrets) {
    expect(compose.secrets[secret]).toEqual({ file: `./secrets/${secret}` });
  }
  for (const name of service.networks) {
    expect(["default", ...Object.keys(compose.networks)]).toContain(name);
  }
  for (const volume of service.volumes) {
    expect(Object.keys(compose.volumes)).toContain(volume.split(":")[0]);
  }
});

test("publishes the image's port on the local machine only, and no port of PostgreSQL", () => {
  expect(bursar.ports).toEqual([`127.0.0.1:8484:${readValue("EXPOSE")}`]);
  expect(postgres.ports).toBeUndefined();
  expect(postgres.networks).toEqual(["database"]);
  expect(compose.networks["database"]?.internal).toBe(true);
});

test("mounts the volume of the image and the data folder of PostgreSQL 18", () => {
  expect(bursar.volumes).toEqual([`data:${readValue("VOLUME")}`]);
  expect(postgres.volumes).toEqual(["postgres:/var/lib/postgresql"]);
});

test("waits for PostgreSQL on start, and for the drain on stop", () => {
  expect(bursar.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
  expect(postgres.healthcheck?.test[1]).toBe("pg_isready");
  const drainSeconds = Number.parseInt(settings.drainMs.fallback, 10);
  expect(Number.parseInt(bursar.stop_grace_period, 10)).toBeGreaterThanOrEqual(drainSeconds + 45);
});

test("commands of the guide create secrets that the configuration accepts", () => {
  const folder = mkdtempSync(join(tmpdir(), "bursar-secrets-"));
  try {
    const commands = listCodeBlocks(guide, "sh")[0]?.split("\n") ?? [];
    const script = commands.filter((line) => /^(mkdir|openssl|echo|chmod) /.test(line));
    execFileSync("sh", ["-e", "-c", script.join("\n")], { cwd: folder });
    expect(statSync(join(folder, "secrets")).mode & 0o777).toBe(0o700);
    for (const { file } of Object.values(compose.secrets)) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o444);
    }
    const env = Object.entries(bursar.environment).map(([name, value]) => [
      name,
      value.replace("/run/secrets", join(folder, "secrets")),
    ]);
    const { config } = loadConfig(Object.fromEntries(env), folder);
    const password = readFileSync(join(folder, "secrets/postgres_password"), "utf8").trim();
    expect(config.databaseUrl).toBe(
      `postgres://${postgres.environment["POSTGRES_USER"]}:${password}@postgres:5432/${postgres.environment["POSTGRES_DB"]}`,
    );
    expect(config.secret?.length).toBeGreaterThan(32);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("excludes secrets, data and .env from the image and the repository", () => {
  const ignored = readRepositoryFile(".gitignore").split("\n");
  expect(ignored).toEqual(expect.arrayContaining(["/secrets/", "/.env", "/data/"]));
  expect(readRepositoryFile(".dockerignore")).toMatch(/^\*$/m);
});

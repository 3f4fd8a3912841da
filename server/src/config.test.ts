import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError, describeConfig, loadConfig } from "#src/config.ts";
import { settingsReference } from "#src/config-reference.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "config-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const mistakesOf = (env: NodeJS.ProcessEnv): string => {
  try {
    loadConfig(env, directory);
    return "";
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
};

describe("loadConfig", () => {
  test("uses defaults, and resolves a relative data folder below the given directory", () => {
    const { config, sources } = loadConfig({}, directory);
    expect(config.port).toBe(8484);
    expect(config.dataDir).toBe(join(directory, "data"));
    expect(config.leaseTtlMs).toBe(120_000);
    expect(sources.port).toBe("default");
  });

  test("the environment has priority over bursar.toml, which has priority over defaults", () => {
    writeFileSync(join(directory, "bursar.toml"), 'port = 9000\nhost = "0.0.0.0"\n');
    const { config, sources } = loadConfig({ BURSAR_PORT: "9001" }, directory);
    expect([config.port, sources.port]).toEqual([9001, "BURSAR_PORT"]);
    expect([config.host, sources.host]).toEqual(["0.0.0.0", "bursar.toml"]);
  });

  test("rejects an unknown variable or key by name", () => {
    expect(mistakesOf({ BURSAR_PROT: "1" })).toBe("BURSAR_PROT: unknown setting");
    writeFileSync(join(directory, "bursar.toml"), "prot = 1\n");
    expect(mistakesOf({})).toBe("bursar.toml: prot: unknown setting");
  });

  test("reports every mistake at once", () => {
    const message = mistakesOf({ BURSAR_PORT: "many", BURSAR_DRAIN: "soon" });
    expect(message.split("\n")).toHaveLength(2);
    expect(message).toContain("BURSAR_PORT: ");
    expect(message).toContain("BURSAR_DRAIN: expected a duration such as 500ms, 30s, 5m or 1h");
  });

  test.each([
    [{ BURSAR_PORT: " " }, "BURSAR_PORT: expected a port number from 0 to 65535"],
    [{ BURSAR_PORT: "0x50" }, "BURSAR_PORT: expected a port number from 0 to 65535"],
    [{ BURSAR_PORT: "65536" }, "BURSAR_PORT: expected a port number from 0 to 65535"],
    [{ BURSAR_JOURNAL_MAX_SIZE: "20 gigabytes" }, "BURSAR_JOURNAL_MAX_SIZE: expected a size"],
    [{ BURSAR_JOURNAL_MAX_SIZE: "1001TB" }, "BURSAR_JOURNAL_MAX_SIZE: expected a size"],
    [
      { BURSAR_JOURNAL_MAX_SIZE: "39MB", BURSAR_PROCESSES: "4" },
      "BURSAR_JOURNAL_MAX_SIZE must be at least 10MB for each process.",
    ],
    // A timer of more than 24.8 days would fire at once.
    [{ BURSAR_DRAIN: "1000h" }, "BURSAR_DRAIN: expected a duration"],
    // With a lifetime of zero seconds no cached key would be accepted.
    [{ BURSAR_LEASE_TTL: "0" }, "BURSAR_LEASE_TTL: expected at least 1s"],
    [{ BURSAR_UPSTREAM_IDLE: "0s" }, "BURSAR_UPSTREAM_IDLE: expected at least 1s"],
  ])("rejects %j", (env, message) => {
    expect(mistakesOf(env)).toContain(message);
  });

  test("names the file of a mistake", () => {
    writeFileSync(join(directory, "bursar.toml"), 'port = "many"\n');
    expect(mistakesOf({})).toBe("bursar.toml: port: expected a port number from 0 to 65535");
  });

  test("a described value can be set again unchanged", () => {
    const env = {
      BURSAR_DRAIN: "90s",
      BURSAR_LEASE_TTL: "1500ms",
      BURSAR_UPSTREAM_IDLE: "2h",
      BURSAR_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
    };
    const loaded = loadConfig(env, directory);
    const shown = Object.fromEntries(
      describeConfig(loaded).map(({ name, value }) => [name, value]),
    );
    expect(shown).toMatchObject({
      BURSAR_DRAIN: "90s",
      BURSAR_LEASE_TTL: "1500ms",
      BURSAR_UPSTREAM_IDLE: "2h",
      BURSAR_TRUSTED_PROXIES: "10.0.0.0/8,::1",
      BURSAR_PUBLIC_URL: null,
    });
    const written = Object.entries(shown).filter(([, value]) => value !== null);
    expect(loadConfig(Object.fromEntries(written) as NodeJS.ProcessEnv, directory).config).toEqual(
      loaded.config,
    );
  });

  test("a secret can come from a file, but not from both places", () => {
    const path = join(directory, "key");
    writeFileSync(path, "sk-ant-from-file\n");
    const { config } = loadConfig({ ANTHROPIC_API_KEY_FILE: path }, directory);
    expect(config.anthropicApiKey).toBe("sk-ant-from-file");
    expect(mistakesOf({ ANTHROPIC_API_KEY_FILE: path, ANTHROPIC_API_KEY: "x" })).toContain(
      "both set; keep one",
    );
    expect(mistakesOf({ ANTHROPIC_API_KEY_FILE: join(directory, "none") })).toContain(
      "ANTHROPIC_API_KEY_FILE: cannot read",
    );
  });

  test("a description never shows a secret", () => {
    const loaded = loadConfig({ ANTHROPIC_API_KEY: "sk-ant-canary" }, directory);
    expect(JSON.stringify(describeConfig(loaded))).not.toContain("canary");
  });

  test("a replica of reports needs the database that it copies", () => {
    const reports = "postgres://bursar:canary@replica.example.com/bursar";
    expect(mistakesOf({ BURSAR_REPORTS_DATABASE_URL: reports })).toBe(
      "BURSAR_REPORTS_DATABASE_URL requires DATABASE_URL: the embedded PostgreSQL has no standby.",
    );
    const path = join(directory, "reports");
    writeFileSync(path, `${reports}\n`);
    const env = { DATABASE_URL: "postgres://db.example.com/bursar" };
    const loaded = loadConfig({ ...env, BURSAR_REPORTS_DATABASE_URL_FILE: path }, directory);
    expect(loaded.config.reportsDatabaseUrl).toBe(reports);
    expect(JSON.stringify(describeConfig(loaded))).not.toContain("canary");
  });

  test("the reference page equals the text from the settings", () => {
    const page = new URL("../../docs/guides/configuration.md", import.meta.url);
    expect(readFileSync(page, "utf8")).toBe(settingsReference());
  });
});

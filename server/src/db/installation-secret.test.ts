import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import {
  checkSecretFingerprint,
  openInstallationSecret,
  resolveSecret,
} from "./installation-secret.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "bursar-secret-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

const GIVEN = "a".repeat(32);

describe("installation secret", () => {
  test("is created once from 32 random bytes, readable only by its owner", async () => {
    const options = { given: undefined, isDatabaseShared: false, dataDir };
    const made = await resolveSecret(options);
    expect(Buffer.from(made, "base64url").length).toBe(32);
    expect(await resolveSecret(options)).toBe(made);
    expect(await readdir(dataDir)).toEqual(["secret"]);
    expect((await stat(join(dataDir, "secret"))).mode & 0o777).toBe(0o600);
    expect((await readFile(join(dataDir, "secret"), "utf8")).trim()).toBe(made);
  });

  test("a start that was killed during the write does not block the next one", async () => {
    await writeFile(join(dataDir, "secret.new"), "half");
    const made = await resolveSecret({ given: undefined, isDatabaseShared: false, dataDir });
    expect(Buffer.from(made, "base64url").length).toBe(32);
    expect(await readdir(dataDir)).toEqual(["secret"]);
  });

  test("BURSAR_SECRET has priority, and no file is created", async () => {
    for (const isDatabaseShared of [true, false]) {
      expect(await resolveSecret({ given: GIVEN, isDatabaseShared, dataDir })).toBe(GIVEN);
    }
    expect(await readdir(dataDir)).toEqual([]);
  });

  test("rejects a short secret from the environment and from the file", async () => {
    const short = "b".repeat(31);
    await expect(resolveSecret({ given: short, isDatabaseShared: false, dataDir })).rejects.toThrow(
      "BURSAR_SECRET has 31 characters, but at least 32 are required",
    );
    await writeFile(join(dataDir, "secret"), short);
    await expect(
      resolveSecret({ given: undefined, isDatabaseShared: false, dataDir }),
    ).rejects.toThrow(`${join(dataDir, "secret")} has 31 characters, but at least 32 are required`);
  });

  test("is required with DATABASE_URL, and an earlier file is mentioned but not used", async () => {
    const options = { given: undefined, isDatabaseShared: true, dataDir };
    await expect(resolveSecret(options)).rejects.toThrow(
      "BURSAR_SECRET is required with DATABASE_URL",
    );
    await writeFile(join(dataDir, "secret"), GIVEN);
    await expect(resolveSecret(options)).rejects.toThrow(
      `The secret of the earlier embedded database is in ${join(dataDir, "secret")}.`,
    );
  });
});

describe("secret fingerprint", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  test("refuses a node with another secret, and does not store the secret in the database", async () => {
    const nodes = Array.from({ length: 4 }, () => checkSecretFingerprint(db.database, GIVEN));
    await Promise.all(nodes);
    await checkSecretFingerprint(db.database, GIVEN);
    await expect(checkSecretFingerprint(db.database, "c".repeat(32))).rejects.toThrow(
      "This node's secret differs from the secret of this database",
    );
    const rows = await db.database.selectFrom("installation").selectAll().execute();
    expect(rows).toEqual([
      { key: "secret_fingerprint", value: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ]);
  });

  test("a weak secret is refused for a new database, and an existing one gets a warning", async () => {
    const other = await createTestDatabase();
    const { database } = other;
    const options = { database, given: GIVEN, isDatabaseShared: true, dataDir };
    await expect(openInstallationSecret(options)).rejects.toThrow(
      "BURSAR_SECRET has only 1 different characters, so it can be guessed. Create one with",
    );
    await checkSecretFingerprint(database, GIVEN);
    expect(await openInstallationSecret(options)).toEqual({
      secret: GIVEN,
      warning:
        "BURSAR_SECRET has only 1 different characters. Replace it with `./bursar secret rotate`.",
    });
    await other.drop();
  });
});

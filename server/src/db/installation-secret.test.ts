import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { checkSecretFingerprint, resolveSecret } from "./installation-secret.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "bursar-secret-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

const GIVEN = "a".repeat(32);

describe("installation secret", () => {
  test("is made once, of 32 random bytes, readable by its owner only", async () => {
    const options = { given: undefined, isDatabaseShared: false, dataDir };
    const made = await resolveSecret(options);
    expect(Buffer.from(made, "base64url").length).toBe(32);
    expect(await resolveSecret(options)).toBe(made);
    expect(await readdir(dataDir)).toEqual(["secret"]);
    expect((await stat(join(dataDir, "secret"))).mode & 0o777).toBe(0o600);
    expect((await readFile(join(dataDir, "secret"), "utf8")).trim()).toBe(made);
  });

  test("a start that was killed while it wrote the file is no obstacle", async () => {
    await writeFile(join(dataDir, "secret.new"), "half");
    const made = await resolveSecret({ given: undefined, isDatabaseShared: false, dataDir });
    expect(Buffer.from(made, "base64url").length).toBe(32);
    expect(await readdir(dataDir)).toEqual(["secret"]);
  });

  test("BURSAR_SECRET wins, and no file is made", async () => {
    for (const isDatabaseShared of [true, false]) {
      expect(await resolveSecret({ given: GIVEN, isDatabaseShared, dataDir })).toBe(GIVEN);
    }
    expect(await readdir(dataDir)).toEqual([]);
  });

  test("a short secret is refused, from the environment and from the file", async () => {
    const short = "b".repeat(31);
    await expect(resolveSecret({ given: short, isDatabaseShared: false, dataDir })).rejects.toThrow(
      "BURSAR_SECRET has 31 characters; at least 32 are needed",
    );
    await writeFile(join(dataDir, "secret"), short);
    await expect(
      resolveSecret({ given: undefined, isDatabaseShared: false, dataDir }),
    ).rejects.toThrow(`${join(dataDir, "secret")} has 31 characters; at least 32 are needed`);
  });

  test("with DATABASE_URL it is required, and an earlier file is pointed at, not used", async () => {
    const options = { given: undefined, isDatabaseShared: true, dataDir };
    await expect(resolveSecret(options)).rejects.toThrow(
      "BURSAR_SECRET is required with DATABASE_URL",
    );
    await writeFile(join(dataDir, "secret"), GIVEN);
    await expect(resolveSecret(options)).rejects.toThrow(
      `The secret of the embedded database before is in ${join(dataDir, "secret")}.`,
    );
  });
});

describe("secret fingerprint", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  test("a node with another secret is refused, and the secret itself is not in the database", async () => {
    const nodes = Array.from({ length: 4 }, () => checkSecretFingerprint(db.database, GIVEN));
    await Promise.all(nodes);
    await checkSecretFingerprint(db.database, GIVEN);
    await expect(checkSecretFingerprint(db.database, "c".repeat(32))).rejects.toThrow(
      "This node's secret is not the one of this database",
    );
    const rows = await db.database.selectFrom("installation").selectAll().execute();
    expect(rows).toEqual([
      { key: "secret_fingerprint", value: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ]);
  });
});

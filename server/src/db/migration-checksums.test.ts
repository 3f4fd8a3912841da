import { describe, expect, test } from "vitest";
import { VERSION } from "#src/lib/program-version.ts";
import {
  type Checksums,
  findChecksumFaults,
  readChecksums,
  updateChecksums,
} from "./migration-checksums.ts";
import { type Migration, readMigrations } from "./migration-files.ts";

test("every migration has its listed checksum", async () => {
  expect(findChecksumFaults(await readMigrations(), await readChecksums(), VERSION)).toEqual([]);
});

test("the list contains every migration of 0.1.0", async () => {
  const { "0.1.0": first = {} } = await readChecksums();
  const numbers = Object.keys(first).map((file) => Number(file.slice(0, 4)));
  expect(numbers).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
});

const migrations = ["spine", "leases", "members"].map(
  (name, index): Migration => ({ number: index + 1, name, sql: "", sha256: `${name} sum` }),
);
const listed: Checksums = {
  "0.1.0": { "0001_spine.sql": "spine sum", "0002_leases.sql": "leases sum" },
  "0.2.0": { "0003_members.sql": "members sum" },
};
const withSum = (name: string, sha256: string) =>
  migrations.map((each) => (each.name === name ? { ...each, sha256 } : each));
const faultsOf = (found: readonly Migration[]) => findChecksumFaults(found, listed, "0.2.0");

describe("faults", () => {
  test("none if all migrations match the list", () => {
    expect(faultsOf(migrations)).toEqual([]);
  });

  test("a changed released migration, which must be restored", () => {
    expect(faultsOf(withSum("leases", "another"))).toEqual([
      "0002_leases.sql has changed, and it was released with 0.1.0: a server refuses a database that applied another one. " +
        "Restore the file, and put the change into a new migration.",
    ]);
  });

  test("a missing released migration", () => {
    expect(faultsOf(migrations.slice(1))).toEqual([
      expect.stringMatching(/^0001_spine[.]sql is missing, and it was released with 0[.]1[.]0: /),
    ]);
  });

  test("a changed or new migration of the coming version, with the command that lists it", () => {
    const fourth: Migration = { number: 4, name: "later", sql: "", sha256: "later sum" };
    expect(faultsOf([...withSum("members", "another"), fourth])).toEqual([
      "0003_members.sql has changed since its checksum was listed. The file is not released yet: run `node server/src/db/update-checksums.ts`.",
      "0004_later.sql is new and has no checksum: run `node server/src/db/update-checksums.ts`.",
    ]);
  });
});

describe("an update", () => {
  test("lists the migrations of the coming version", () => {
    expect(updateChecksums(withSum("members", "another"), listed, "0.2.0")).toEqual({
      ...listed,
      "0.2.0": { "0003_members.sql": "another" },
    });
    expect(updateChecksums(migrations, { "0.1.0": listed["0.1.0"] ?? {} }, "0.2.0")).toEqual(
      listed,
    );
  });

  test("never changes checksums of earlier versions", () => {
    expect(updateChecksums(withSum("leases", "another"), listed, "0.2.0")).toEqual(listed);
    expect(updateChecksums(withSum("leases", "another"), listed, "0.3.0")).toEqual(listed);
  });
});

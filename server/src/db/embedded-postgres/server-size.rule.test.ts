import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chooseServerMemory,
  findUsableMemory,
  type ServerPlace,
  sizeServer,
} from "./server-size.rule.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const CONNECTION_BYTES = 3 * MIB;

const sizeMachine = (machineBytes: number, place: Partial<ServerPlace> = {}) =>
  sizeServer({
    machineBytes,
    memoryBytes: chooseServerMemory(machineBytes),
    diskBytes: 500 * GIB,
    sharedFolderBytes: null,
    connections: 25,
    ...place,
  });

const toBytes = (settings: Record<string, string>, name: string) =>
  Number.parseInt(settings[name] ?? "", 10) * 1024;

/** Most memory that the settings allow, bytes. */
function addUp(settings: Record<string, string>, connections: number): number {
  const bytes = (name: string) => toBytes(settings, name);
  return (
    bytes("shared_buffers") +
    bytes("wal_buffers") +
    16 * bytes("work_mem") +
    bytes("maintenance_work_mem") +
    3 * bytes("autovacuum_work_mem") +
    connections * CONNECTION_BYTES
  );
}

describe("memory of the embedded PostgreSQL", () => {
  test("is a quarter of the machine's memory, and at most 8 GiB", () => {
    expect([512 * MIB, 4 * GIB, 256 * GIB].map(chooseServerMemory)).toEqual([
      128 * MIB,
      GIB,
      8 * GIB,
    ]);
  });

  test("follows the container's limit when it is below the machine's memory", () => {
    expect(findUsableMemory(64 * GIB, 2 * GIB)).toBe(2 * GIB);
    // Without a limit the platform reports none, zero, or the largest number.
    for (const limit of [undefined, 0, 2 ** 64]) {
      expect(findUsableMemory(64 * GIB, limit)).toBe(64 * GIB);
    }
  });
});

describe("settings of the embedded PostgreSQL", () => {
  test.each([
    [512 * MIB, "27136kB", "636kB", "6784kB", "262144kB", "1048576kB"],
    [4 * GIB, "485888kB", "11388kB", "121472kB", "2097152kB", "2097152kB"],
    [24 * GIB, "3107328kB", "65536kB", "524288kB", "12582912kB", "2097152kB"],
    [256 * GIB, "4155904kB", "65536kB", "524288kB", "134217728kB", "2097152kB"],
  ])("fit a machine of %d bytes", (machineBytes, shared, work, maintenance, cache, wal) => {
    expect(sizeMachine(machineBytes)).toMatchObject({
      shared_buffers: shared,
      work_mem: work,
      maintenance_work_mem: maintenance,
      effective_cache_size: cache,
      max_wal_size: wal,
    });
  });

  test("allow at most a quarter of a machine with 512 MiB or more, unless connections alone need most of it", () => {
    const machine = fc.record({
      machineBytes: fc.integer({ min: 512, max: 1_048_576 }).map((mebibytes) => mebibytes * MIB),
      connections: fc.integer({ min: 8, max: 400 }),
    });
    fc.assert(
      fc.property(machine, ({ machineBytes, connections }) => {
        const memoryBytes = chooseServerMemory(machineBytes);
        fc.pre(connections * CONNECTION_BYTES <= memoryBytes * 0.6);
        const settings = sizeMachine(machineBytes, { connections });
        expect(addUp(settings, connections)).toBeLessThanOrEqual(memoryBytes);
      }),
    );
  });

  test("stay valid for a tiny machine with many connections", () => {
    const settings = sizeMachine(128 * MIB, { connections: 1_600, diskBytes: GIB });
    expect(settings).toMatchObject({
      shared_buffers: "16384kB",
      work_mem: "256kB",
      maintenance_work_mem: "4096kB",
      wal_buffers: "1024kB",
      max_wal_size: "262144kB",
      min_wal_size: "81920kB",
    });
  });

  test("give WAL files at most a twentieth of the disk", () => {
    expect(sizeMachine(24 * GIB, { diskBytes: 20 * GIB })["max_wal_size"]).toBe("1048576kB");
  });

  test("move shared memory of statements to files when its folder is too small", () => {
    const typeIn = (sharedFolderBytes: number | null) =>
      sizeMachine(24 * GIB, { sharedFolderBytes })["dynamic_shared_memory_type"];
    expect([typeIn(64 * MIB), typeIn(12 * GIB), typeIn(null)]).toEqual([
      "mmap",
      undefined,
      undefined,
    ]);
  });
});

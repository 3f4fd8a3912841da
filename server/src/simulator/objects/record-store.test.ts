import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeRecordStore } from "./record-store.ts";

const folder = mkdtempSync(join(tmpdir(), "simulator-records-"));
afterAll(() => rmSync(folder, { recursive: true }));

const nowMs = Date.parse("2026-11-30T12:00:00Z");
const open = (name: string, bounds: { maxRecords: number; maxBytes: number }) =>
  makeRecordStore<{ id: string }>({
    folder: join(folder, name),
    prefix: "x_",
    nowMs: () => nowMs,
    ...bounds,
  });
const filesOf = (name: string) => readdirSync(join(folder, name)).sort();

test("the oldest records are removed with their files above the number of records", async () => {
  const store = open("count", { maxRecords: 2, maxBytes: 1_000 });
  for (const id of ["x_1", "x_2", "x_3"]) {
    writeFileSync(await store.pathFor(id, "bin"), "x");
    await store.put({ id });
  }
  // A process that opens the store sweeps it with its first write.
  await open("count", { maxRecords: 2, maxBytes: 1_000 }).put({ id: "x_4" });
  expect(await store.listIds()).toEqual(["x_4", "x_3"]);
  expect(filesOf("count")).toEqual(["x_3.bin", "x_3.json", "x_4.json"]);
});

test("the oldest records are removed above the number of bytes", async () => {
  const store = open("bytes", { maxRecords: 10, maxBytes: 1_000 });
  for (const id of ["x_1", "x_2"]) {
    writeFileSync(await store.pathFor(id, "bin"), "x".repeat(600));
    await store.put({ id });
  }
  await open("bytes", { maxRecords: 10, maxBytes: 1_000 }).put({ id: "x_3" });
  expect(await store.listIds()).toEqual(["x_3", "x_2"]);
});

test("files of a killed process are removed after some hours", async () => {
  const store = open("orphans", { maxRecords: 10, maxBytes: 1_000 });
  for (const [name, hours] of [["x_1.bin", 7] as const, ["x_2.bin", 5] as const]) {
    const path = await store.pathFor(name.slice(0, 3), "bin");
    writeFileSync(path, "x");
    const time = new Date(nowMs - hours * 3_600_000);
    utimesSync(path, time, time);
  }
  await store.put({ id: "x_3" });
  expect(filesOf("orphans")).toEqual(["x_2.bin", "x_3.json"]);
});

test("an id that is no id of the store finds and removes nothing", async () => {
  const store = open("ids", { maxRecords: 10, maxBytes: 1_000 });
  await store.put({ id: "x_1" });
  for (const id of ["x_../ids/x_1", "../ids/x_1", "y_1", "x_", ""]) {
    expect(await store.find(id)).toBeNull();
    expect(await store.remove(id)).toBe(false);
  }
  expect(await store.find("x_1")).toEqual({ id: "x_1" });
});

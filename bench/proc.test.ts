import { expect, test } from "vitest";
import { parseCoreList, parseSchedstatMicros, parseStat, parseStatusBytes } from "./proc.ts";

test("reads CPU time from the right fields with any program name", () => {
  const text =
    "4711 (nginx: (worker) 1) S 12 4711 4711 0 -1 4194560 2380 900 0 0 523 218 31 7 20 0 11 0 8812 1212416 9000 1844";
  expect(parseStat(text)).toEqual({
    pid: 4711,
    parentPid: 12,
    cpuTicks: 741,
    endedChildrenTicks: 38,
  });
});

test("reads thread time finer than a tick, and zero if the kernel does not record it", () => {
  expect(parseSchedstatMicros("1234567 89 12\n")).toBe(1_234.567);
  expect(parseSchedstatMicros("0 0 0\n")).toBe(0);
  expect(parseSchedstatMicros("")).toBe(0);
});

test("reads memory in bytes, and zero for a missing line", () => {
  const text = "Name:\tnode\nVmHWM:\t  123456 kB\nVmRSS:\t    1000 kB\nThreads:\t11\n";
  expect(parseStatusBytes(text, "VmHWM")).toBe(126_418_944);
  expect(parseStatusBytes(text, "VmRSS")).toBe(1_024_000);
  expect(parseStatusBytes(text, "VmSwap")).toBe(0);
});

test("reads a list of cores with ranges", () => {
  expect(parseCoreList("0-2,5\n")).toEqual([0, 1, 2, 5]);
  expect(parseCoreList("7")).toEqual([7]);
  expect(parseCoreList("")).toEqual([]);
});

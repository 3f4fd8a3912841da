import { expect, test } from "vitest";
import { parseCoreList, parseSchedstatMicros, parseStat, parseStatusBytes } from "./proc.ts";

test("CPU time is read from the right fields, whatever the program is called", () => {
  const text =
    "4711 (nginx: (worker) 1) S 12 4711 4711 0 -1 4194560 2380 900 0 0 523 218 31 7 20 0 11 0 8812 1212416 9000 1844";
  expect(parseStat(text)).toEqual({
    pid: 4711,
    parentPid: 12,
    cpuTicks: 741,
    endedChildrenTicks: 38,
  });
});

test("the time of a thread is read finer than a tick, and nothing where the kernel does not keep it", () => {
  expect(parseSchedstatMicros("1234567 89 12\n")).toBe(1_234.567);
  expect(parseSchedstatMicros("0 0 0\n")).toBe(0);
  expect(parseSchedstatMicros("")).toBe(0);
});

test("memory is read in bytes, and a line that is not there is zero", () => {
  const text = "Name:\tnode\nVmHWM:\t  123456 kB\nVmRSS:\t    1000 kB\nThreads:\t11\n";
  expect(parseStatusBytes(text, "VmHWM")).toBe(126_418_944);
  expect(parseStatusBytes(text, "VmRSS")).toBe(1_024_000);
  expect(parseStatusBytes(text, "VmSwap")).toBe(0);
});

test("a list of cores is read with its ranges", () => {
  expect(parseCoreList("0-2,5\n")).toEqual([0, 1, 2, 5]);
  expect(parseCoreList("7")).toEqual([7]);
  expect(parseCoreList("")).toEqual([]);
});

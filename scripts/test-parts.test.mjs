import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { root } from "./runtime.mjs";

const script = join(root, "scripts", "test-parts.mjs");
let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bursar-test-parts-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function runScript(...args) {
  const { status, stdout } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { status, output: stdout };
}

/** Finishes the run. `result` is the output from the first line about the result. */
function finish(passed = 0, failed = 0) {
  const { status, output } = runScript("finish", join(folder, "parts"), `${passed}`, `${failed}`);
  const secondRuns = output.match(/^== .*, a second time: .*$/gm) ?? [];
  const result = output.slice(output.search(/^(== flaky|== what failed|\d+ flaky)/m));
  return { status, secondRuns, result };
}

const passed = (path, count = 1) => ({
  path,
  isFailed: false,
  passed: count,
  failed: 0,
  failures: [],
});
const failed = (path) => ({
  ...{ path, isFailed: true, passed: 1, failed: 1 },
  failures: [
    {
      test: "a test",
      message: `AssertionError\n    at line 1\n    at ${root}node_modules/vitest/run.js`,
    },
  ],
});

/** Runs a part. `second` has the reports of second runs by path. With a null report the command writes none. */
function runPart(name, { status, report, second = {} }, ...args) {
  const program = join(folder, `${name}.mjs`);
  writeFileSync(
    program,
    `import { writeFileSync } from "node:fs";
    const second = ${JSON.stringify(second)}[process.argv[2]];
    const report = second ?? ${JSON.stringify(report)};
    if (report) writeFileSync(process.env.TEST_REPORT, JSON.stringify(report));
    process.exit(second ? Number(second.files.some((file) => file.isFailed)) : ${status});`,
  );
  return runScript("run", join(folder, "parts"), name, process.execPath, program, ...args);
}
const once = (path) => ({ files: [passed(path, 2)], errors: [] });

test("adds the counts of all parts, and passes without failures", () => {
  runPart("one", { status: 0, report: { files: [passed("a", 3), passed("b", 4)], errors: [] } });
  runPart("two", { status: 0, report: { files: [passed("c")], errors: [] } });
  expect(finish(10)).toEqual({
    status: 0,
    secondRuns: [],
    result: "0 flaky\n18 passed, 0 failed\n",
  });
});

describe("a failed file", () => {
  test("does not fail the run when its second run passes, and is reported as flaky with its reason", () => {
    const report = { files: [passed("a", 3), failed("b")], errors: [] };
    runPart("one", { status: 1, report, second: { b: once("b") } });
    expect(finish()).toEqual({
      status: 0,
      secondRuns: ["== one, a second time: b"],
      result:
        "== flaky: failed in the first run, passed alone in the second\n" +
        "flaky: b\n- one: a test\n    AssertionError\n        at line 1\n1 flaky\n5 passed, 0 failed\n",
    });
  });

  test("fails the run when it fails again", () => {
    const report = { files: [failed("a"), failed("b")], errors: [] };
    const second = { a: { files: [failed("a")], errors: [] }, b: once("b") };
    runPart("one", { status: 1, report, second });
    const { status, result } = finish();
    expect(status).toBe(1);
    expect(result).toContain("== what failed\n- a: a test\n    AssertionError\n");
    expect(result).toMatch(/\n1 flaky\n3 passed, 1 failed\n$/);
  });

  test.each([
    [3, 0, "\n3 flaky\n6 passed, 0 failed\n"],
    [4, 1, "- 4 files are flaky, and a run may have 3\n4 flaky\n8 passed, 1 failed\n"],
  ])("is one of %i flaky files: the run ends with %i", (count, expectedStatus, expectedEnd) => {
    const paths = Array.from({ length: count }, (_, index) => `file-${index}`);
    const second = Object.fromEntries(paths.map((path) => [path, once(path)]));
    runPart("one", { status: 1, report: { files: paths.map(failed), errors: [] }, second });
    const { status, result } = finish();
    expect(status).toBe(expectedStatus);
    expect(result.endsWith(expectedEnd)).toBe(true);
  });

  test("counts as one flaky file when it is flaky in two parts", () => {
    const results = {
      status: 1,
      report: { files: [failed("a")], errors: [] },
      second: { a: once("a") },
    };
    runPart("one", results);
    runPart("two", results);
    expect(finish().result).toMatch(/\n1 flaky\n4 passed, 0 failed\n$/);
  });

  test("gets no second run when more than ten files failed", () => {
    const files = Array.from({ length: 11 }, (_, index) => failed(`file-${index}`));
    runPart("one", { status: 1, report: { files, errors: [] } });
    const { status, secondRuns, result } = finish();
    expect([status, secondRuns]).toEqual([1, []]);
    expect(result).toMatch(
      /- 11 files failed: more than 10 get no second run\n0 flaky\n11 passed, 11 failed\n$/,
    );
  });

  test("is the only file of its second run, also when --files named others", () => {
    const report = { files: [failed("b")], errors: [] };
    // Without `second` for "a", its first run gives the report.
    runPart("one", { status: 1, report, second: { b: once("b") } }, "--files", "a", "b");
    expect(finish().status).toBe(0);
  });
});

describe("a run fails", () => {
  test.each([
    [
      "an error outside all tests",
      { files: [passed("a")], errors: ["Error: outside"] },
      "- one: an error outside all tests\n    Error: outside\n",
    ],
    [
      "no failed test",
      { files: [passed("a")], errors: [] },
      "- one ended with 1 and no failed test; its output says why\n",
    ],
  ])("with %s", (_, report, line) => {
    runPart("one", { status: 1, report });
    expect(finish()).toEqual({
      status: 1,
      secondRuns: [],
      result: `== what failed\n${line}0 flaky\n1 passed, 1 failed\n`,
    });
  });

  test("with an error outside all tests, also when the failed file passes its second run", () => {
    const report = { files: [failed("a")], errors: ["Error: outside"] };
    runPart("one", { status: 1, report, second: { a: once("a") } });
    const { status, result } = finish();
    expect(status).toBe(1);
    expect(result).toMatch(/\n1 flaky\n2 passed, 1 failed\n$/);
  });

  test("without a report", () => {
    runPart("one", { status: 2, report: null });
    expect(finish(5).result).toBe(
      "== what failed\n- one ended with 2 and no failed test; its output says why\n0 flaky\n5 passed, 1 failed\n",
    );
  });

  test("with a failure that another program counted", () => {
    runPart("one", { status: 0, report: { files: [passed("a")], errors: [] } });
    expect(finish(7, 2)).toEqual({
      status: 1,
      secondRuns: [],
      result: "0 flaky\n8 passed, 2 failed\n",
    });
  });
});

test("distinguishes a flaky file, a failed one, a failed hook and an error outside tests in a run of vitest", () => {
  const file = (name, text) => writeFileSync(join(folder, name), text);
  const marker = JSON.stringify(join(folder, "was-here"));
  file(
    "flaky.test.mjs",
    `import { existsSync, writeFileSync } from "node:fs";
    test("fails once", () => {
      const isSecond = existsSync(${marker});
      writeFileSync(${marker}, "");
      expect(isSecond).toBe(true);
    });`,
  );
  file("fine.test.mjs", `test("passes", () => {}); test("passes too", () => {});`);
  file(
    "broken.test.mjs",
    `test("always fails", () => expect(1).toBe(2)); test("passes", () => {});`,
  );
  file(
    "hook.test.mjs",
    `beforeAll(() => { throw new Error("no hook"); }); test("never runs", () => {});`,
  );
  file("import.test.mjs", `import "./missing.mjs"; test("never runs", () => {});`);
  file("outside.test.mjs", `test("passes", () => void Promise.reject(new Error("outside")));`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporter = `--reporter=${join(root, "scripts", "test-report.mjs")}`;
  // One process for all files takes less processor time than one for each.
  const oneWorker = ["--maxWorkers=1", "--no-isolate"];
  const options = ["--root", folder, "--globals", ...oneWorker, reporter];
  const command = [process.execPath, vitest, "run", ...options];
  const { output } = runScript("run", join(folder, "parts"), "vitest", ...command);
  expect(output).toMatch(/^== vitest\n/);
  const { status, secondRuns, result } = finish();
  expect(status).toBe(1);
  expect(secondRuns.map((line) => line.split(": ")[1]).sort()).toEqual([
    ...["broken.test.mjs", "flaky.test.mjs", "hook.test.mjs", "import.test.mjs"],
  ]);
  expect(result).toContain("flaky: flaky.test.mjs\n- vitest: fails once\n");
  expect(result).toContain("- broken.test.mjs: always fails\n");
  expect(result).toContain("- hook.test.mjs\n    Error: no hook\n");
  expect(result).toContain("- import.test.mjs\n");
  expect(result).toContain("- vitest: an error outside all tests\n    Error: outside\n");
  // Passed: flaky 1, fine 2, broken 1, outside 1. Failed: broken, hook, import, the error.
  expect(result).toMatch(/\n1 flaky\n5 passed, 4 failed\n$/);
});

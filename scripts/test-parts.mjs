// Runs the parts of `.ci/run` that are tests of vitest, and repeats failed files once.
//
// - `run <folder> <name> <command…> [--files <file…>]` runs the command with these files, and stores its report.
// - `finish <folder> <passed> <failed>` repeats each failed file once, alone. The result includes the given counts of
//   other tests.
//
// The command of a part accepts paths of test files after its last word, and its vitest has the reporter `test-report.mjs`.
// A file that passes its second run is flaky: it is named and counted, and does not fail the run. Errors outside all files
// fail the run, and so do more than MAX_FLAKY flaky files. Runs on any installed Node.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const MAX_FLAKY = 3;
/** Most files with a second run. With more failures the cause is larger. */
const MAX_SECOND_RUNS = 10;
const MAX_LINES = 6;

const [action, folder, ...rest] = process.argv.slice(2);
const partsFile = join(folder, "parts.jsonl");
mkdirSync(folder, { recursive: true });
if (action === "run") runPart(rest);
else finish(rest.map(Number));

function runPart([name, ...words]) {
  console.log(`== ${name}`);
  const split = words.indexOf("--files");
  const command = split === -1 ? words : words.slice(0, split);
  const files = split === -1 ? [] : words.slice(split + 1);
  if (split !== -1 && files.length === 0) throw new Error(`${name}: --files names no file`);
  const part = { name, command, ...runTests(command, files) };
  appendFileSync(partsFile, `${JSON.stringify(part)}\n`);
}

/** Runs the command. Returns its exit status and its report, null without one. */
function runTests([program, ...args], files) {
  const reportFile = join(folder, `report-${process.pid}-${process.hrtime.bigint()}.json`);
  const { status, error } = spawnSync(program, [...args, ...files], {
    stdio: "inherit",
    env: { ...process.env, TEST_REPORT: reportFile },
  });
  if (error) console.error(error.message);
  const report = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")) : null;
  return { status: status ?? 1, report };
}

function finish([passed, failed]) {
  const parts = existsSync(partsFile)
    ? readFileSync(partsFile, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
  const result = { passed, failed, flaky: new Map(), failures: [] };
  const failedFiles = parts.flatMap(failedFilesOf).length;
  for (const part of parts) {
    countPart(result, part);
    for (const file of failedFilesOf(part)) {
      const second = failedFiles <= MAX_SECOND_RUNS ? runAgain(part, file) : null;
      countFile(result, part, file, second);
    }
  }
  if (failedFiles > MAX_SECOND_RUNS) {
    result.failures.push(
      `- ${failedFiles} files failed: more than ${MAX_SECOND_RUNS} get no second run`,
    );
  }
  if (result.flaky.size > MAX_FLAKY) {
    fail(result, `- ${result.flaky.size} files are flaky, and a run may have ${MAX_FLAKY}`);
  }
  print(result);
  process.exit(result.failed === 0 && result.passed > 0 ? 0 : 1);
}

function failedFilesOf({ report }) {
  return report?.files.filter(({ isFailed }) => isFailed) ?? [];
}

/** Counts the files that passed and the errors outside files. */
function countPart(result, part) {
  const { name, status, report } = part;
  const others = report?.files.filter(({ isFailed }) => !isFailed) ?? [];
  for (const file of others) result.passed += file.passed;
  const errors = report?.errors ?? [];
  for (const error of errors) fail(result, describe(`${name}: an error outside all tests`, error));
  const isExplained = errors.length > 0 || failedFilesOf(part).length > 0;
  if (status !== 0 && !isExplained) {
    fail(result, `- ${name} ended with ${status} and no failed test; its output says why`);
  }
}

/** Runs the file again. Returns its result, or null when the report lacks it. */
function runAgain({ name, command }, { path }) {
  console.log(`== ${name}, a second time: ${path}`);
  const { status, report } = runTests(command, [path]);
  const file = report?.files.find((each) => each.path === path);
  if (file === undefined) return null;
  const errors = report.errors.map((message) => ({ test: null, message }));
  const failures = [...file.failures, ...errors];
  return { ...file, failures, isFailed: file.isFailed || status !== 0 };
}

function countFile(result, part, first, second) {
  if (second?.isFailed === false) {
    result.passed += second.passed;
    const reasons = result.flaky.get(first.path) ?? [];
    result.flaky.set(first.path, [
      ...reasons,
      ...first.failures.map((each) => describeFailure(part.name, each)),
    ]);
    return;
  }
  const { path, passed, failed, failures } = second ?? first;
  result.passed += passed;
  result.failed += Math.max(failed, 1); // a failed hook has no failed test
  if (failures.length === 0) result.failures.push(`- ${path} did not finish`);
  for (const failure of failures) result.failures.push(describeFailure(path, failure));
}

function fail(result, line) {
  result.failed += 1;
  result.failures.push(line);
}

function describeFailure(where, { test, message }) {
  return describe(test === null ? where : `${where}: ${test}`, message);
}

function describe(title, message) {
  const lines = message.split("\n").filter((line) => !line.includes("/node_modules/"));
  return [`- ${title}`, ...lines.slice(0, MAX_LINES).map((line) => `    ${line}`)].join("\n");
}

function print({ passed, failed, flaky, failures }) {
  if (flaky.size > 0) console.log("== flaky: failed in the first run, passed alone in the second");
  for (const [path, reasons] of flaky) console.log([`flaky: ${path}`, ...reasons].join("\n"));
  if (failures.length > 0) console.log(["== what failed", ...failures].join("\n"));
  console.log(`${flaky.size} flaky`);
  console.log(`${passed} passed, ${failed} failed`);
}

// `node scripts/read-test-report.mjs <report> counts|failures`: what a JSON report of vitest says, "passed failed" or a line
// or two for each test and each file that failed. Written for whatever Node the system has.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const MAX_LINES = 6;
const [file, what] = process.argv.slice(2);
const report = JSON.parse(readFileSync(file, "utf8"));

if (what === "counts") console.log(report.numPassedTests, report.numFailedTests);
else for (const result of report.testResults) tellFailures(result);

function tellFailures({ name, status, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === "failed");
  const path = relative(process.cwd(), name);
  for (const { fullName, failureMessages } of failed)
    tell(`${path}: ${fullName}`, failureMessages[0]);
  if (failed.length === 0 && status === "failed") tell(path, message);
}

function tell(where, message) {
  const lines = (message ?? "").split("\n").slice(0, MAX_LINES);
  console.log([`- ${where}`, ...lines.map((line) => `    ${line}`)].join("\n"));
}

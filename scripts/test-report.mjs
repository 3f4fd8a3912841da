// A reporter of vitest. Writes results of each file, and errors outside all files, as JSON to the path in
// TEST_REPORT. vitest's own JSON report omits those errors.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";

export default class TestReport {
  onInit(vitest) {
    this.root = vitest.config.root;
  }

  onTestRunEnd(modules, unhandledErrors) {
    const target = process.env.TEST_REPORT;
    if (!target) return;
    const report = {
      files: modules.map((module) => describeFile(module, this.root)),
      errors: unhandledErrors.map(describeError),
    };
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, JSON.stringify(report));
  }
}

/** `failures` has an entry for each failed test and each failed hook. An unfinished file has failed too. */
function describeFile(module, root) {
  const tests = [...module.children.allTests()];
  const failed = tests.filter((test) => test.result().state === "failed");
  const suites = [module, ...module.children.allSuites()];
  return {
    path: relative(root, module.moduleId),
    isFailed: !["passed", "skipped"].includes(module.state()),
    passed: tests.filter((test) => test.result().state === "passed").length,
    failed: failed.length,
    failures: [
      ...failed.map((test) => ({
        test: test.fullName,
        message: describeError(test.result().errors?.[0]),
      })),
      ...suites.flatMap((suite) =>
        suite.errors().map((error) => ({ test: null, message: describeError(error) })),
      ),
    ],
  };
}

function describeError(error) {
  return error?.stack ?? error?.message ?? "The run did not finish.";
}

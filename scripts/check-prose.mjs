// Fails when comments and documents have more faults of a rule than its ceiling allows. A ceiling may only be lowered.
// `--list <rule>` prints the faults of one rule.
import { findProseFaults } from "./prose.mjs";
import { root } from "./runtime.mjs";

const MINIMUM_FILES = 1000;
/** Most faults of each rule. A rule that has no ceiling allows none. */
const CEILINGS = {
  "nobody, somebody, whoever": 223,
  "sentence that begins without a noun": 639,
  "semicolon in a sentence": 460,
  "comment sentence over 25 words": 118,
  "document sentence over 20 words": 46,
};

const { fileCount, faults } = findProseFaults(root);
const [flag, rule] = process.argv.slice(2);
if (flag === "--list") for (const fault of faults[rule] ?? Object.keys(faults)) console.log(fault);
else process.exitCode = report() ? 0 : 1;

/** Prints the counts, and returns whether all rules hold. */
function report() {
  const lines = Object.entries(faults).map(([rule, found]) => {
    const ceiling = CEILINGS[rule] ?? 0;
    if (found.length < ceiling) return `${rule}: ${found.length}. Lower the ceiling of ${ceiling}.`;
    if (found.length === ceiling) return `${rule}: ${found.length}`;
    const advice = `npm run prose -- --list "${rule}"`;
    const details = ceiling === 0 ? found.join("\n  ") : `List all: ${advice}`;
    return `${rule}: ${found.length}, but at most ${ceiling} are allowed.\n  ${details}`;
  });
  console.log([`prose: ${fileCount} files`, ...lines].join("\n"));
  const hasEnoughFiles = fileCount >= MINIMUM_FILES;
  if (!hasEnoughFiles) console.log(`At least ${MINIMUM_FILES} files are expected.`);
  const isWithin = ([rule, found]) => found.length <= (CEILINGS[rule] ?? 0);
  return hasEnoughFiles && Object.entries(faults).every(isWithin);
}

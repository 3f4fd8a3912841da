// Fails when comments, documents, screens or messages have a fault. The faults of a room in the list below may only
// become fewer. `--list <room>` prints them.
import { findProseFaults } from "./prose.mjs";
import { root } from "./runtime.mjs";

const MINIMUM_FILES = 1000;
/** Rooms whose words are not yet revised, with the number of their faults. The list may only become shorter. */
const UNREVISED_ROOMS = {};

const { fileCount, faults } = findProseFaults(root);
const [flag, room] = process.argv.slice(2);
if (flag === "--list") console.log(listFaults((fault) => fault.startsWith(room ?? "")).join("\n"));
else process.exitCode = report() ? 0 : 1;

/** Faults that a filter selects, each with its rule. */
function listFaults(isWanted) {
  return Object.entries(faults).flatMap(([rule, found]) =>
    found.filter(isWanted).map((fault) => `${fault} (${rule})`),
  );
}

/** Prints what is wrong, and returns whether all rules hold. */
function report() {
  const rooms = Object.keys(UNREVISED_ROOMS);
  const problems = listFaults((fault) => !rooms.some((each) => fault.startsWith(each)));
  for (const [each, allowed] of Object.entries(UNREVISED_ROOMS)) {
    const count = listFaults((fault) => fault.startsWith(each)).length;
    const name = `${each} has ${count} faults`;
    if (count > allowed)
      problems.push(`${name}, but at most ${allowed}: npm run prose -- --list ${each}`);
    else if (count < allowed) problems.push(`${name}: lower its number from ${allowed}`);
    else if (count === 0) problems.push(`${name}: remove it from the list`);
  }
  if (fileCount < MINIMUM_FILES) problems.push(`at least ${MINIMUM_FILES} files are expected`);
  console.log([`prose: ${fileCount} files, ${problems.length} problems`, ...problems].join("\n"));
  return problems.length === 0;
}

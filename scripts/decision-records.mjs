// Checks the decision records: number, date, status and the row in their README.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = "docs/decisions";
const RECORD_NAME = /^(\d{4})-[a-z0-9-]+\.md$/;
const DATE_AND_STATUS =
  /^Date: \d{4}-\d\d-\d\d · Status: (?:accepted|superseded by (?<successor>\d{4}))$/;
/** Last record written while numbers had gaps. The README lists the unused numbers below it. */
const LAST_WITH_GAPS = 43;

/** Faults of all records below the root, one line each. */
export function findDecisionFaults(root) {
  const names = readdirSync(join(root, FOLDER)).filter((name) => name !== "README.md");
  const table = readFileSync(join(root, FOLDER, "README.md"), "utf8");
  const numbers = names.map((name) => RECORD_NAME.exec(name)?.[1] ?? "");
  return names.flatMap((name, index) => {
    const number = numbers[index];
    if (number === "") return [`${FOLDER}/${name}: the name is not <number>-<short-name>.md`];
    const text = readFileSync(join(root, FOLDER, name), "utf8");
    const others = numbers.toSpliced(index, 1);
    return [
      ...listTextFaults(text, number, others),
      ...(table.includes(`| [${number}](${name}) |`) ? [] : ["no row in the README"]),
      ...(others.includes(number) ? [`another record has the number ${number}`] : []),
      ...(hasGapBefore(number, others) ? [`no record has the number before ${number}`] : []),
    ].map((fault) => `${FOLDER}/${name}: ${fault}`);
  });
}

function listTextFaults(text, number, others) {
  const [title, blank, facts] = text.split("\n");
  const faults = [];
  if (!title.startsWith(`# ${number} `))
    faults.push(`the title does not begin with "# ${number} "`);
  const found = blank === "" ? DATE_AND_STATUS.exec(facts) : null;
  if (found === null) {
    faults.push(
      'line 3 is not "Date: YYYY-MM-DD · Status: accepted" or "… superseded by <number>"',
    );
  }
  const successor = found?.groups.successor;
  if (successor !== undefined && !others.includes(successor)) {
    faults.push(`superseded by ${successor}, which does not exist`);
  }
  return faults;
}

function hasGapBefore(number, others) {
  const previous = Number(number) - 1;
  return previous >= LAST_WITH_GAPS && !others.includes(String(previous).padStart(4, "0"));
}

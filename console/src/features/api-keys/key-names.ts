/** Maximum number of keys of one creation. */
const MAX_KEYS = 500;
const RANGE = /\[(\d{1,4})-(\d{1,4})\]/;

/** Names of lines such as `deploy` and `ci-[1-20]`. Returns a sentence for text that names no keys. */
export function readNames(text: string): string[] | string {
  const lines = text.split("\n").flatMap((line) => line.trim() || []);
  const names: string[] = [];
  for (const line of lines) {
    const range = RANGE.exec(line);
    if (range === null) names.push(line);
    else {
      const [written, first = "", last = ""] = range;
      const [from, to] = [Number(first), Number(last)];
      if (to < from) return `${written}: the first number is larger than the last one.`;
      const end = Math.min(to, from + MAX_KEYS);
      for (let number = from; number <= end; number += 1) {
        names.push(line.replace(RANGE, String(number).padStart(last.length, "0")));
      }
    }
    if (names.length > MAX_KEYS) return `At most ${MAX_KEYS} keys are created at once.`;
  }
  if (names.length === 0) return "Enter at least one name.";
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return twice === undefined ? names : `The name ${twice} is twice in the list.`;
}

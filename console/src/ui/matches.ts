/** Positions of the text in a name, best first: at its start, at the start of a word, anywhere. */
const ranks = [
  (text: string, wanted: string) => text.startsWith(wanted),
  (text: string, wanted: string) => text.includes(` ${wanted}`),
  (text: string, wanted: string) => text.includes(wanted),
];

/** Returns at most `max` items whose text contains `wanted`, best first. */
export function findMatches<Item>(
  items: readonly Item[],
  textOf: (item: Item) => string,
  wanted: string,
  max: number,
): Item[] {
  const text = wanted.trim().toLowerCase();
  const found: Item[][] = ranks.map(() => []);
  for (const item of items) {
    const own = textOf(item).toLowerCase();
    const rank = ranks.findIndex((isMatch) => isMatch(own, text));
    if (rank >= 0) found[rank]?.push(item);
  }
  return found.flat().slice(0, max);
}

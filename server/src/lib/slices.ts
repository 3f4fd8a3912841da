// Work on long lists in slices. Requests are served between two slices, so that no list delays them by more than one.

/** Items of a slice whose conversion takes up to 4 µs: about a millisecond. */
export const SLICE_ITEMS = 256;

/** Maps a list in slices, in order. Rejects with the error of `map`. */
export async function mapInSlices<Item, Result>(
  items: readonly Item[],
  map: (item: Item, index: number) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  await forEachInSlices(items, (item, index) => void results.push(map(item, index)));
  return results;
}

/** Calls `use` for each item, in slices and in order. Rejects with its error. */
export async function forEachInSlices<Item>(
  items: readonly Item[],
  use: (item: Item, index: number) => void,
): Promise<void> {
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % SLICE_ITEMS === 0) await waitForNextTurn();
    use(item, index);
  }
}

/** Items that one statement reads or writes. With 1,000, the longest delay of a request was a third longer. */
const PART_ITEMS = 250;

/** Calls `work` for each part of a list, one after the other. Returns all results, in order. */
export async function mapInParts<Item, Result>(
  items: readonly Item[],
  work: (part: readonly Item[]) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += PART_ITEMS) {
    for (const result of await work(items.slice(start, start + PART_ITEMS))) results.push(result);
  }
  return results;
}

/** Resolves in the next turn of the event loop, after its input and output. */
export function waitForNextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

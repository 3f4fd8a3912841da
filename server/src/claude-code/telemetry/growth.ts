/** Bytes that verified attributes may add to one export. Many small claims would otherwise make a large message. */
const MAX_ADDED_BYTES = 4 * 1024 * 1024;

/** Counts the bytes that are added to one export. Throws an Error if they are too many. */
export function makeGrowth(): (bytes: number) => void {
  let added = 0;
  return (bytes) => {
    added += bytes;
    if (added > MAX_ADDED_BYTES) throw new Error("the export has too many claims");
  };
}

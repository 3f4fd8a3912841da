/**
 * Makes a reload that may overlap with itself. The result of an earlier read never replaces that of a later one. The reload
 * throws the error of `read`, and then applies nothing.
 */
export function makeLatestRead<Result>(
  read: () => Promise<Result>,
  apply: (result: Result) => void,
): () => Promise<void> {
  let reads = 0;
  let applied = 0;
  return async () => {
    reads += 1;
    const number = reads;
    const result = await read();
    if (number < applied) return;
    applied = number;
    apply(result);
  };
}

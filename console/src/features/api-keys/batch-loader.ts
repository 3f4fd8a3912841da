interface BatchSettings<Value> {
  /** Maximum number of keys of one load. */
  maxKeys: number;
  /** Time in which keys are collected, milliseconds. */
  waitMs: number;
  load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;
}

interface Waiting<Value> {
  resolve: (value: Value | null) => void;
  reject: (error: unknown) => void;
}

/** Returns a function that loads one key, and together with it all keys of the same moment. Null: no value. */
export function makeBatchLoader<Value>({
  maxKeys,
  waitMs,
  load,
}: BatchSettings<Value>): (key: string) => Promise<Value | null> {
  let waiting = new Map<string, Waiting<Value>[]>();
  const loadWaiting = () => {
    const entries = [...waiting];
    waiting = new Map();
    for (let start = 0; start < entries.length; start += maxKeys) {
      const part = entries.slice(start, start + maxKeys);
      load(part.map(([key]) => key)).then(
        (values) => {
          for (const [key, askers] of part) {
            for (const { resolve } of askers) resolve(values.get(key) ?? null);
          }
        },
        (error: unknown) => {
          for (const [, askers] of part) for (const { reject } of askers) reject(error);
        },
      );
    }
  };
  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.size === 0) setTimeout(loadWaiting, waitMs);
      waiting.set(key, [...(waiting.get(key) ?? []), { resolve, reject }]);
    });
}

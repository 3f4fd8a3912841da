import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Memory in use after garbage collection, bytes. Excludes other tests of the process. */
export function measureLiveBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

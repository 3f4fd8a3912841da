import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Memory in use, bytes, without what only waits to be collected. Other tests of the process do not count. */
export function measureLiveBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

import type { Target } from "./target.ts";

/** The mock upstream itself. Its result is the baseline of the other targets. */
export function directTarget(upstream: { port: number; pid: number }): Target {
  return {
    name: "direct",
    port: upstream.port,
    headers: { "x-api-key": "sk-ant-api03-direct" },
    pids: [upstream.pid],
    database: null,
    readyMs: 0,
    createLimitedKeys: null,
    countRecorded: null,
    stop: async () => {},
  };
}

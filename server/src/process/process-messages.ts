import type { LoadedConfig } from "#src/config.ts";
import type { DatabasePlace } from "#src/db/storage.ts";
import type { UpstreamDescription } from "#src/upstreams/upstream.ts";
import type { NextSteps } from "./next-steps.ts";

// Messages between the supervisor and its processes. They can contain secrets and use only the private channel.

export type ToProcess =
  /** First message, with the supervisor's configuration, so that a changed file has no effect. */
  | {
      kind: "start";
      index: number;
      loaded: LoadedConfig;
      isSimulated: boolean;
      database: DatabasePlace;
      /** Address of the supervisor's listener. */
      url: string;
    }
  /** A socket comes with the message, unless it broke in transit. */
  | { kind: "connection" }
  | { kind: "stop" }
  /** Requests the process's own metrics. */
  | { kind: "tell_metrics"; ask: number }
  /** Response to `ask_metrics`: one text of each process that responded, and of the supervisor. */
  | { kind: "all_metrics"; ask: number; texts: readonly string[] };

export type FromProcess =
  | { kind: "ready"; server: ServerFacts }
  /** The start failed. `isForPeople`: the message states the remedy. */
  | { kind: "failed"; message: string; isForPeople: boolean }
  /** The last connection has arrived. */
  | { kind: "taken" }
  /** The process stops and accepts no more connections. */
  | { kind: "leaving" }
  | { kind: "ask_metrics"; ask: number }
  | { kind: "metrics"; ask: number; text: string };

export interface ServerFacts {
  nextSteps: NextSteps;
  upstream: UpstreamDescription | null;
  upstreamVariables: string;
  warnings: readonly string[];
}

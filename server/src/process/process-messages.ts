import type { LoadedConfig } from "#src/config.ts";
import type { DatabasePlace } from "#src/db/storage.ts";
import type { UpstreamDescription } from "#src/upstreams/upstream.ts";
import type { NextSteps } from "./next-steps.ts";

// What a supervisor and its processes tell each other, over the channel between them. Secrets cross it and nothing else.

export type ToProcess =
  /** The first message. The configuration is the supervisor's: a file that changed meanwhile changes nothing. */
  | {
      kind: "start";
      index: number;
      loaded: LoadedConfig;
      isSimulated: boolean;
      database: DatabasePlace;
      /** Where the supervisor listens. */
      url: string;
    }
  /** With a socket beside it, unless that broke on the way. */
  | { kind: "connection" }
  | { kind: "stop" }
  /** Tell your own metrics. */
  | { kind: "tell_metrics"; ask: number }
  /** The answer to `ask_metrics`: a text of each process that answered, and of the supervisor. */
  | { kind: "all_metrics"; ask: number; texts: readonly string[] };

export type FromProcess =
  | { kind: "ready"; server: ServerFacts }
  /** It could not start. `isForPeople`: the message says what to do. */
  | { kind: "failed"; message: string; isForPeople: boolean }
  /** The last connection has arrived. */
  | { kind: "taken" }
  /** It stops, and wants no more connections. */
  | { kind: "leaving" }
  | { kind: "ask_metrics"; ask: number }
  | { kind: "metrics"; ask: number; text: string };

export interface ServerFacts {
  nextSteps: NextSteps;
  upstream: UpstreamDescription | null;
  upstreamVariables: string;
  warnings: readonly string[];
}

// One of several processes of a data folder. The supervisor starts it and sends its configuration.
import { Socket } from "node:net";
import { mergeMetrics } from "#src/http/merge-metrics.ts";
import { makeProcessLogger } from "#src/lib/logger.ts";
import { explainFailure, StartError } from "#src/lib/start-error.ts";
import type { FromProcess, ToProcess } from "./process-messages.ts";
import { warmUp } from "./warm-up.ts";
import { type RunningServer, startServer } from "./wiring.ts";

type Start = Extract<ToProcess, { kind: "start" }>;

/** A longer wait would time out in the scraper. The text of this process is available at once. */
const METRICS_WITHIN_MS = 2_000;

const started = Promise.withResolvers<Start>();
const stopRequested = Promise.withResolvers<string>();
const asked = new Map<number, (texts: readonly string[]) => void>();
let ownMetrics: (() => Promise<string>) | null = null;
let accept: ((connection: Socket) => void) | null = null;
let asks = 0;

// Without the supervisor, the database and the folder lock are unprotected, so this process ends at once. Its journal
// contains the running requests, as after `kill -9`.
process.on("disconnect", () => process.exit(1));
process.on("message", (message, handle) => void handleMessage(message as ToProcess, handle));
// A closed terminal or a service manager signals every process. A single signal makes room for a successor.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  process.on(signal, () => stopRequested.resolve(signal));
}
await run(await started.promise);

async function run(start: Start): Promise<void> {
  const { index, loaded, isSimulated, database, url } = start;
  const { logLevel, logFormat, http, warmUpMs } = loaded.config;
  const logger = makeProcessLogger(logLevel, logFormat).child({ process: index });
  let server: RunningServer;
  try {
    const acceptInto = (into: (connection: Socket) => void) => {
      accept = into;
    };
    const share = { index, database, url, acceptInto, collectMetrics };
    const warming = warmUp({ logger, http, withinMs: warmUpMs });
    server = await startServer({ loaded, logger, isSimulated, place: share, warming });
  } catch (error) {
    const isForPeople = error instanceof StartError;
    await send({ kind: "failed", message: explainFailure(error), isForPeople });
    process.exit(1);
  }
  ownMetrics = server.metrics;
  await send({
    kind: "ready",
    server: {
      nextSteps: server.nextSteps,
      upstream: server.upstream(),
      upstreamVariables: server.upstreamVariables,
      warnings: server.warnings,
    },
  });
  const reason = await Promise.race([stopRequested.promise, server.failed]);
  logger.info({ reason }, "stopping");
  await send({ kind: "leaving" });
  await server.stop();
  process.exit(process.exitCode ?? 0);
}

async function handleMessage(message: ToProcess, handle: unknown): Promise<void> {
  switch (message.kind) {
    case "connection":
      if (handle instanceof Socket) accept?.(handle);
      return send({ kind: "taken" });
    case "start":
      return started.resolve(message);
    case "stop":
      return stopRequested.resolve("requested by the supervisor");
    case "tell_metrics":
      return send({ kind: "metrics", ask: message.ask, text: (await ownMetrics?.()) ?? "" });
    case "all_metrics":
      asked.get(message.ask)?.(message.texts);
      asked.delete(message.ask);
  }
}

/** Collects metrics through the supervisor, because a scraper reaches any process of the port. */
async function collectMetrics(own: string): Promise<string> {
  asks += 1;
  const ask = asks;
  const answer = Promise.withResolvers<readonly string[]>();
  asked.set(ask, answer.resolve);
  const timer = setTimeout(() => answer.resolve([]), METRICS_WITHIN_MS);
  await send({ kind: "ask_metrics", ask });
  const others = await answer.promise;
  clearTimeout(timer);
  asked.delete(ask);
  return mergeMetrics([own, ...others]);
}

/** Resolves when the message was sent. A lost supervisor is noticed by `disconnect`. */
function send(message: FromProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve();
    process.send(message, () => resolve());
  });
}

// One node of the ingest benchmark, a separate process. The driver starts it and talks over the IPC channel.
import { startNodeAccounting } from "./accounting.ts";
import { Feeder } from "./feeder.ts";
import type { NodeReady, NodeReport, NodeStart, ToNode } from "./messages.ts";
import { loadNodeModules } from "./product.ts";

const parts = new AsyncDisposableStack();
const started = Promise.withResolvers<Feeder>();

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToNode) => {
  handleMessage(message).then(
    (answer) => {
      if (answer !== null) process.send?.(answer);
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function handleMessage(message: ToNode): Promise<NodeReady | NodeReport | null> {
  return message.kind === "start" ? startNode(message) : control(await started.promise, message);
}

async function control(
  feeder: Feeder,
  message: Exclude<ToNode, NodeStart>,
): Promise<NodeReport | null> {
  switch (message.kind) {
    case "feed":
      feeder.start(message);
      return null;
    case "allow":
      feeder.allow(message.upTo);
      return null;
    case "reset":
      feeder.reset();
      return null;
    case "report":
      return feeder.report();
    case "pause":
      await feeder.pause();
      return feeder.report();
    case "leave":
      await parts.disposeAsync();
      return feeder.report();
  }
}

async function startNode(start: NodeStart): Promise<NodeReady> {
  const modules = await loadNodeModules(start.source);
  const feeder = new Feeder(modules, await startNodeAccounting(modules, start, parts));
  started.resolve(feeder);
  return { costNanoUsd: Number(feeder.costNanoUsd) };
}

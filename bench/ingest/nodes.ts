import { ScriptProcess } from "../children.ts";
import { type CoreSplit, pinProcesses } from "../cores.ts";
import { cpuMicrosOf } from "../proc.ts";
import type { BenchDatabase } from "./database.ts";
import type { FeedPlan, NodeReady, NodeReport, ToNode } from "./messages.ts";

/** Load of all nodes together. */
export interface Load extends Omit<FeedPlan, "organizationId" | "position" | "nodes" | "probeKey"> {
  /** True: key number `position` of each node is used for its probes only. */
  hasProbes: boolean;
}

/** Node processes on one database. They share the cores that PostgreSQL does not use. */
export class BenchNodes {
  readonly costNanoUsd: number;
  readonly #processes: readonly ScriptProcess[];
  readonly #database: BenchDatabase;

  private constructor(
    processes: readonly ScriptProcess[],
    database: BenchDatabase,
    costNanoUsd: number,
  ) {
    this.#processes = processes;
    this.#database = database;
    this.costNanoUsd = costNanoUsd;
  }

  static async start(options: {
    source: string;
    database: BenchDatabase;
    nodes: number;
    split: CoreSplit | null;
  }): Promise<BenchNodes> {
    const { source, database, nodes, split } = options;
    const { folder, connectionString } = database;
    const processes = Array.from({ length: nodes }, () => new ScriptProcess("./ingest/node.ts"));
    if (split)
      pinProcesses(
        processes.map(({ pid }) => pid),
        split.rest,
      );
    const ready = await Promise.all(
      processes.map((process, at) =>
        process.ask<NodeReady>({
          kind: "start",
          source,
          folder,
          connectionString,
          index: at + 1,
          nodes,
        } satisfies ToNode),
      ),
    );
    return new BenchNodes(processes, database, ready[0]?.costNanoUsd ?? 0);
  }

  feed({ hasProbes, ...load }: Load): void {
    const nodes = this.#processes.length;
    const share = (total: number | null) => total && Math.ceil(total / nodes);
    for (const [position, process] of this.#processes.entries()) {
      process.tell({
        kind: "feed",
        ...load,
        organizationId: this.#database.organizationId,
        position,
        nodes,
        backlog: Math.ceil(load.backlog / nodes),
        ratePerSecond: load.ratePerSecond && load.ratePerSecond / nodes,
        requests: share(load.requests),
        probeKey: hasProbes ? position : null,
      } satisfies ToNode);
    }
  }

  /** Lets the nodes begin requests up to this number in total. */
  allow(requests: number): void {
    this.#tell({ kind: "allow", upTo: Math.ceil(requests / this.#processes.length) });
  }

  reset(): void {
    this.#tell({ kind: "reset" });
  }

  report(): Promise<NodeReport[]> {
    return this.#ask({ kind: "report" });
  }

  /** Ends all running requests and begins no more. */
  pause(): Promise<NodeReport[]> {
    return this.#ask({ kind: "pause" });
  }

  /** CPU time of all nodes, microseconds. */
  cpuMicros(): number {
    return cpuMicrosOf(this.#processes.map(({ pid }) => pid));
  }

  /** Stops the nodes as a server does. */
  async leave(): Promise<void> {
    await this.#ask({ kind: "leave" });
    await Promise.all(this.#processes.map((process) => process.stop()));
  }

  #tell(message: ToNode): void {
    for (const process of this.#processes) process.tell(message);
  }

  #ask(message: ToNode): Promise<NodeReport[]> {
    return Promise.all(this.#processes.map((process) => process.ask<NodeReport>(message)));
  }
}

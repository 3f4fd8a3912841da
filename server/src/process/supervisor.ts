import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openInstallationSecret } from "#src/db/installation-secret.ts";
import type { Storage } from "#src/db/storage.ts";
import {
  type Distributor,
  distributeConnections,
  type Receiver,
} from "#src/http/distribute-connections.ts";
import { systemClock } from "#src/lib/clock.ts";
import { getSocketPath, socketName } from "#src/lib/local-socket.ts";
import type { Logger } from "#src/lib/logger.ts";
import { StartError } from "#src/lib/start-error.ts";
import { relayAdminSocket } from "./admin-relay.ts";
import type { OpenedStorage } from "./open-server-storage.ts";
import type { FromProcess, ServerFacts, ToProcess } from "./process-messages.ts";
import type { RunningServer, StartOptions } from "./wiring.ts";

// Supervises several gateway processes on one port. This process serves no requests. The supervisor owns the data
// folder and the database, distributes connections, and restarts processes that die. Failure policy: a process that fails at the first
// start ends all. A process that dies later restarts under its index while the others continue. Without the supervisor
// all processes end at once.

export interface SuperviseOptions extends Omit<StartOptions, "place"> {
  /** The supervisor closes the storage. */
  place: OpenedStorage;
}

const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 5_000;
/** Older deaths do not delay a restart. */
const DEATH_WINDOW_MS = 60_000;
/** Time after BURSAR_DRAIN for the last flush, the return of leases, and closing. */
const STOP_WITHIN_MS = 20_000;
const METRICS_WITHIN_MS = 1_000;

/** Starts `config.processes` gateways. Throws a StartError with the remedy, after stopping everything. */
export async function startProcesses(options: SuperviseOptions): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const { config } = options.loaded;
  const { storage, failed } = options.place;
  parts.defer(() => storage.close());
  // Created here once, so that the processes find it.
  await openInstallationSecret({
    database: storage.database,
    given: config.secret,
    isDatabaseShared: !storage.isEmbedded,
    dataDir: storage.folder,
  });
  const { host, port, tlsCertFile } = config;
  const distributor = await distributeConnections({ host, port, isTls: tlsCertFile !== undefined });
  parts.defer(() => distributor.close());
  const supervisor = new Supervisor(options, storage, distributor);
  parts.defer(() => supervisor.stop());
  // Opened before the first process serves, because `./bursar` must work when /readyz returns 200.
  const relay = await relayAdminSocket(getSocketPath(storage.folder, "admin.sock"), () =>
    supervisor.chooseAdminSocket(),
  );
  parts.defer(() => relay.close());
  const facts = await supervisor.start();
  const started = parts.move();
  return {
    ...facts,
    url: distributor.url,
    upstream: () => facts.upstream,
    isDatabaseEmbedded: storage.isEmbedded,
    failed,
    metrics: async () => supervisor.metrics(),
    stop: () => started.disposeAsync(),
  };
}

interface Slot {
  index: number;
  worker: ChildProcess;
  isReady: boolean;
  restarts: number;
  /** Recent deaths, monotonic milliseconds. */
  deaths: number[];
}

class Supervisor {
  readonly #options: SuperviseOptions;
  readonly #storage: Storage;
  readonly #distributor: Distributor;
  readonly #logger: Logger;
  readonly #slots: Slot[] = [];
  readonly #stopping = new AbortController();
  readonly #restarting = new Set<Promise<void>>();
  readonly #scrapes = new Map<number, (worker: ChildProcess, text: string) => void>();
  #scrapeCount = 0;
  #adminTurn = 0;

  constructor(options: SuperviseOptions, storage: Storage, distributor: Distributor) {
    this.#options = options;
    this.#storage = storage;
    this.#distributor = distributor;
    this.#logger = options.logger;
  }

  /** Resolves when all processes serve. */
  async start(): Promise<ServerFacts> {
    const { processes } = this.#options.loaded.config;
    const starts: Promise<ServerFacts>[] = [];
    for (let index = 1; index <= processes; index++) {
      const slot = { index, worker: forkProcess(), isReady: false, restarts: 0, deaths: [] };
      this.#slots.push(slot);
      starts.push(this.#launch(slot));
    }
    const [first] = await Promise.all(starts);
    if (first === undefined) throw new StartError("BURSAR_PROCESSES is at least 1.");
    for (const slot of this.#slots) this.#watch(slot);
    return first;
  }

  /** Socket of a ready process, in rotation. */
  chooseAdminSocket(): string | null {
    const ready = this.#slots.filter(({ isReady }) => isReady);
    this.#adminTurn += 1;
    const slot = ready[this.#adminTurn % Math.max(ready.length, 1)];
    if (slot === undefined) return null;
    return getSocketPath(this.#storage.folder, socketName("admin-process", slot.index));
  }

  metrics(): string {
    const lines = (name: string, type: string, help: string, read: (slot: Slot) => number) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...this.#slots.map((slot) => `${name}{process="${slot.index}"} ${read(slot)}`),
    ];
    return [
      ...lines("bursar_process_up", "gauge", "1 if the process serves, else 0.", ({ isReady }) =>
        isReady ? 1 : 0,
      ),
      ...lines(
        "bursar_process_restarts_total",
        "counter",
        "Restarts of the process.",
        ({ restarts }) => restarts,
      ),
    ].join("\n");
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#distributor.close();
    await Promise.all(this.#restarting);
    const { drainMs } = this.#options.loaded.config;
    await Promise.all(
      this.#slots.map(async ({ worker, index }) => {
        const exited = waitForExit(worker);
        sendMessage(worker, { kind: "stop" });
        const timer = setTimeout(() => {
          this.#logger.error({ process: index }, "a process did not stop in time and is killed");
          worker.kill("SIGKILL");
        }, drainMs + STOP_WITHIN_MS);
        await exited;
        clearTimeout(timer);
      }),
    );
  }

  /** Resolves when the process serves. Throws its error if it ends instead. */
  #launch(slot: Slot): Promise<ServerFacts> {
    const { worker, index } = slot;
    const ready = Promise.withResolvers<ServerFacts>();
    const receiver = makeReceiver(worker);
    let failure: Extract<FromProcess, { kind: "failed" }> | null = null;
    worker.on("message", (message: FromProcess) => {
      switch (message.kind) {
        case "failed":
          failure = message;
          return;
        case "ready":
          slot.isReady = true;
          this.#logger.info({ process: index, pid: worker.pid }, "a process is ready");
          this.#distributor.add(receiver);
          return ready.resolve(message.server);
        case "taken":
          return this.#distributor.confirmReceipt(receiver);
        case "leaving":
          return this.#distributor.remove(receiver);
        case "ask_metrics":
          return void this.#answerMetrics(worker, message.ask);
        case "metrics":
          return this.#scrapes.get(message.ask)?.(worker, message.text);
      }
    });
    // A process died during a message. Its exit reports the cause.
    worker.on("error", (error) => this.#logger.debug({ err: error, process: index }, "a process"));
    void waitForExit(worker).then((how) => {
      slot.isReady = false;
      this.#distributor.discard(receiver);
      const message = failure?.message ?? `Process ${index} ended with ${how} before it was ready.`;
      ready.reject(failure?.isForPeople === false ? new Error(message) : new StartError(message));
    });
    const { loaded, isSimulated } = this.#options;
    const database = this.#storage.place;
    const { url } = this.#distributor;
    sendMessage(worker, { kind: "start", index, loaded, isSimulated, database, url });
    return ready.promise;
  }

  #watch(slot: Slot): void {
    void waitForExit(slot.worker).then((how) => {
      if (this.#stopping.signal.aborted) return;
      this.#logger.error({ process: slot.index, how }, "a process ended and restarts");
      const restarting = this.#restart(slot).finally(() => this.#restarting.delete(restarting));
      this.#restarting.add(restarting);
    });
  }

  /** Resolves when the slot has a process, whether it becomes ready or not. */
  async #restart(slot: Slot): Promise<void> {
    const nowMs = systemClock.monotonicMs();
    slot.deaths = [...slot.deaths.filter((atMs) => nowMs - atMs < DEATH_WINDOW_MS), nowMs];
    const waitMs = Math.min(FIRST_RESTART_MS * 2 ** (slot.deaths.length - 1), MAX_RESTART_MS);
    const { signal } = this.#stopping;
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    slot.worker = forkProcess();
    slot.restarts += 1;
    this.#launch(slot).catch((error: unknown) => {
      this.#logger.error({ err: error, process: slot.index }, "a process could not start");
    });
    this.#watch(slot);
  }

  /** Asks the other processes and sends the responses that arrive in time. */
  async #answerMetrics(asker: ChildProcess, ask: number): Promise<void> {
    this.#scrapeCount += 1;
    const scrape = this.#scrapeCount;
    const others = this.#slots.filter(({ worker, isReady }) => isReady && worker !== asker);
    const texts = new Map<ChildProcess, string>();
    const complete = Promise.withResolvers<void>();
    const isComplete = () => texts.size >= others.length;
    this.#scrapes.set(scrape, (worker, text) => {
      texts.set(worker, text);
      if (isComplete()) complete.resolve();
    });
    if (isComplete()) complete.resolve();
    for (const { worker } of others) sendMessage(worker, { kind: "tell_metrics", ask: scrape });
    const timer = setTimeout(complete.resolve, METRICS_WITHIN_MS);
    await complete.promise;
    clearTimeout(timer);
    this.#scrapes.delete(scrape);
    sendMessage(asker, { kind: "all_metrics", ask, texts: [...texts.values(), this.metrics()] });
  }
}

/** Resolves with the exit code or the signal. */
function waitForExit(worker: ChildProcess): Promise<string> {
  const { exitCode, signalCode } = worker;
  if (exitCode !== null || signalCode !== null) {
    return Promise.resolve(String(signalCode ?? exitCode));
  }
  return new Promise((resolve) => {
    worker.once("exit", (code, signal) => resolve(String(signal ?? code)));
  });
}

/** Sends a message, or nothing to a process that is gone. */
function sendMessage(worker: ChildProcess, message: ToProcess): void {
  if (worker.connected) worker.send(message, () => undefined);
}

/** Starts a process without arguments or variables of its own. The first message has its configuration. */
function forkProcess(): ChildProcess {
  const script = fileURLToPath(new URL("./node-process.ts", import.meta.url));
  return fork(script, [], { serialization: "advanced" });
}

function makeReceiver(worker: ChildProcess): Receiver {
  const message: ToProcess = { kind: "connection" };
  return {
    sendConnection: (connection, sent) =>
      void worker.send(message, connection, { keepOpen: true }, sent),
  };
}

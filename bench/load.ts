import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ConnectionPool, type Exchange } from "./connection-pool.ts";
import { monotonicMs } from "./monotonic.ts";
import type { Schedule } from "./pacer.ts";
import { computeQuantiles, type Quantiles } from "./quantiles.ts";

// The load generator, a separate process so that its cost is not the target's. The process runs one plan after the
// other over the IPC channel, reports each, and ends with the channel.

export interface LoadPlan {
  port: number;
  path: string;
  headers: Record<string, string>;
  /** Keys that the requests use in turn. Without them, `headers` has the key. */
  apiKeys?: readonly string[];
  body: string;
  mode: OpenLoop | ClosedLoop;
}

/** Open loop: requests are due at fixed times, whether or not earlier ones have responses. */
export interface OpenLoop {
  kind: "open";
  ratePerSecond: number;
  count: number;
  /** Connections opened before the first request. More are opened when all are busy. */
  warmConnections: number;
}

/** Closed loop: each connection sends its next request after the complete response to the last one. */
export interface ClosedLoop {
  kind: "closed";
  connections: number;
  durationMs: number;
}

export interface LoadReport {
  sent: number;
  answered: number;
  /** Failed requests by reason. */
  errors: Record<string, number>;
  /** Seconds from the first request to the last response. */
  seconds: number;
  answersPerSecond: number;
  /** Bytes of all bodies, without HTTP framing. */
  bodyBytes: number;
  mostInFlight: number;
  /** Milliseconds from a request's due time to the first and the last body byte. */
  firstByteMs: Quantiles;
  lastByteMs: Quantiles;
  /** Milliseconds from the due time of a request to its write: delay of the generator itself. */
  latenessMs: Quantiles;
}

const MOST_CONNECTIONS = 4_096;
const MOST_ANSWERS = 2_000_000; // of a closed-loop run, to bound the memory of samples
const MOST_ERRORS = 10_000;
const ANSWER_TIMEOUT_MS = 60_000;
const SWEEP_MS = 250;
/** Time between the schedule and its first request, milliseconds. */
const SCHEDULE_LEAD_MS = 10;

process.on("disconnect", () => process.exit(0));
process.on("message", (plan: LoadPlan) => {
  runPlan(plan).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function runPlan(plan: LoadPlan): Promise<LoadReport> {
  const recorder = new Recorder(plan.mode.kind === "open" ? plan.mode.count : MOST_ANSWERS);
  const pool = new ConnectionPool({
    port: plan.port,
    requests: makeRequests(plan),
    mostConnections: MOST_CONNECTIONS,
    onAnswer: (exchange) => recorder.addAnswer(exchange),
    onFailure: (reason) => recorder.addError(reason),
  });
  const sweep = setInterval(() => pool.expireRequests(ANSWER_TIMEOUT_MS), SWEEP_MS);
  try {
    if (plan.mode.kind === "open") await runOpenLoop(plan.mode, pool, recorder);
    else await runClosedLoop(plan.mode, pool, recorder);
    return recorder.report(pool.mostInFlight);
  } finally {
    clearInterval(sweep);
    pool.close();
  }
}

async function runOpenLoop(mode: OpenLoop, pool: ConnectionPool, recorder: Recorder) {
  await pool.open(mode.warmConnections);
  const intervalMs = 1_000 / mode.ratePerSecond;
  // The thread starts first. Its start takes 40 ms or more, and requests that are due meanwhile would arrive together.
  const pacer = new Worker(new URL("./pacer.ts", import.meta.url));
  await once(pacer, "message");
  const startMs = monotonicMs() + SCHEDULE_LEAD_MS;
  const schedule: Schedule = { startMs, intervalMs, count: mode.count };
  let started = 0;
  pacer.on("message", (due: number) => {
    for (; started < due; started++) {
      recorder.addStart(startMs);
      pool.send(startMs + started * intervalMs);
    }
  });
  pacer.postMessage(schedule);
  await recorder.waitForResults(mode.count);
}

async function runClosedLoop(mode: ClosedLoop, pool: ConnectionPool, recorder: Recorder) {
  await pool.open(mode.connections);
  const startMs = monotonicMs();
  const hasEnded = () => monotonicMs() - startMs > mode.durationMs || recorder.isFull();
  let running = mode.connections;
  await new Promise<void>((resolve) => {
    const next = () => {
      if (hasEnded()) {
        running -= 1;
        if (running === 0) resolve();
        return;
      }
      recorder.addStart(startMs);
      pool.send(monotonicMs());
    };
    recorder.onEnd = next;
    for (let i = 0; i < mode.connections; i++) next();
  });
}

/** Records the result of each request. */
class Recorder {
  onEnd: () => void = () => {};
  readonly #firstByteMs: Float64Array;
  readonly #lastByteMs: Float64Array;
  readonly #latenessMs: Float64Array;
  readonly #errors: Record<string, number> = {};
  #startMs = 0;
  #endMs = 0;
  #sent = 0;
  #answered = 0;
  #failed = 0;
  #bodyBytes = 0;

  constructor(mostAnswers: number) {
    this.#firstByteMs = new Float64Array(mostAnswers);
    this.#lastByteMs = new Float64Array(mostAnswers);
    this.#latenessMs = new Float64Array(mostAnswers);
  }

  addStart(startMs: number): void {
    this.#startMs = startMs;
    this.#sent += 1;
  }

  addAnswer({ dueMs, writtenMs, firstByteMs, bodyBytes }: Exchange): void {
    const nowMs = monotonicMs();
    this.#firstByteMs[this.#answered] = firstByteMs - dueMs;
    this.#lastByteMs[this.#answered] = nowMs - dueMs;
    this.#latenessMs[this.#answered] = writtenMs - dueMs;
    this.#answered += 1;
    this.#bodyBytes += bodyBytes;
    this.#endMs = nowMs;
    this.onEnd();
  }

  addError(reason: string): void {
    this.#errors[reason] = (this.#errors[reason] ?? 0) + 1;
    this.#failed += 1;
    this.onEnd();
  }

  isFull(): boolean {
    return this.#sent >= this.#lastByteMs.length || this.#failed >= MOST_ERRORS;
  }

  /** Settles when `count` requests have responses or failed. */
  waitForResults(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.onEnd = () => {
        if (this.#answered + this.#failed >= count) resolve();
      };
    });
  }

  report(mostInFlight: number): LoadReport {
    const seconds = Math.max(0, this.#endMs - this.#startMs) / 1_000;
    return {
      sent: this.#sent,
      answered: this.#answered,
      errors: this.#errors,
      seconds,
      answersPerSecond: seconds > 0 ? this.#answered / seconds : 0,
      bodyBytes: this.#bodyBytes,
      mostInFlight,
      firstByteMs: computeQuantiles(this.#firstByteMs, this.#answered),
      lastByteMs: computeQuantiles(this.#lastByteMs, this.#answered),
      latenessMs: computeQuantiles(this.#latenessMs, this.#answered),
    };
  }
}

function makeRequests(plan: LoadPlan): readonly Buffer[] {
  const { apiKeys, headers } = plan;
  if (apiKeys === undefined) return [requestBytes(plan)];
  return apiKeys.map((key) => requestBytes({ ...plan, headers: { ...headers, "x-api-key": key } }));
}

function requestBytes({ port, path, headers, body }: LoadPlan): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

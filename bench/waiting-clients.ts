import { Agent, request as openRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

// Clients that wait for budget, as a separate process. Each client sends its request, and sends it again `retry-after`
// after the refusal, as official SDKs do. The process reports the number of responses by status and code.

export interface WaitingClients {
  port: number;
  path: string;
  headers: Record<string, string>;
  body: string;
  clients: number;
}

/** Ends the clients. The process then reports. */
export interface StopClients {
  stop: true;
}

export type WaitingReport = Record<string, number>;

const DEFAULT_RETRY_S = 1;
const STOP_WITHIN_MS = 5_000;

let stopping = new AbortController();
let running: Promise<WaitingReport> = Promise.resolve({});

process.on("disconnect", () => process.exit(0));
process.on("message", (message: WaitingClients | StopClients) => {
  if ("clients" in message) {
    stopping = new AbortController();
    running = runClients(message, stopping.signal);
    return;
  }
  stopping.abort();
  // A client whose response lacks its end is not counted.
  const late = delay(STOP_WITHIN_MS).then((): WaitingReport => ({ late: 1 }));
  void Promise.race([running, late]).then((report) => process.send?.(report));
});

async function runClients(plan: WaitingClients, signal: AbortSignal): Promise<WaitingReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.clients });
  const report: WaitingReport = {};
  const runOne = async () => {
    while (!signal.aborted) {
      const { outcome, retryAfterS } = await send(plan, agent, signal);
      report[outcome] = (report[outcome] ?? 0) + 1;
      await delay(retryAfterS * 1_000, undefined, { signal }).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: plan.clients }, runOne));
  agent.destroy();
  return report;
}

function send(
  { port, path, headers, body }: WaitingClients,
  agent: Agent,
  signal: AbortSignal,
): Promise<{ outcome: string; retryAfterS: number }> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) =>
      resolve({
        outcome: signal.aborted ? "stopped" : (error.code ?? error.message),
        retryAfterS: 1,
      });
    const sent = openRequest({ port, path, method: "POST", headers, agent, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        const code = /"error_code":"([a-z_]+)"/.exec(Buffer.concat(chunks).toString())?.[1] ?? "";
        const retryAfterS = Number(response.headers["retry-after"] ?? DEFAULT_RETRY_S);
        resolve({ outcome: `${response.statusCode} ${code}`.trim(), retryAfterS });
      });
    });
    sent.on("error", fail);
    sent.end(body);
  });
}

// `node bench/second-choice.ts [--requests 400]`: measures what a healthy second upstream adds to a request whose first
// upstream is away or refuses it, against a request with one upstream. Cases take turns request by request, so that other load
// on the machine adds to all of them. Client, gateway and stand-ins share this process, so each figure includes the work of
// all of them. Exits with 1 if a median adds more than 5 ms.
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { type FakeUpstream, startFakeUpstream } from "../server/test/harness/fake-upstream.ts";
import {
  call,
  messageBody,
  startTestGateway,
  type TestGateway,
  withKey,
} from "../server/test/harness/gateway.ts";
import { monotonicMs } from "./monotonic.ts";
import { computeQuantiles, type Quantiles } from "./quantiles.ts";

const MOST_ADDED_MS = 5;
const WARM_UP = 50;
const PROMPT = "x".repeat(1_500);

interface Case {
  name: string;
  gateway: TestGateway;
}

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { requests: { type: "string", default: "400" } } });
  const count = Number(values.requests);
  const healthy = await startFakeUpstream();
  const limited = await startRefusing(429);
  const overloaded = await startRefusing(529);
  const open = async (name: string, [origin = "", ...others]: string[]): Promise<Case> => ({
    name,
    gateway: await startTestGateway({ origin, others }),
  });
  const away = `http://127.0.0.1:${await findClosedPort()}`;
  const one = await open("one upstream", [healthy.origin]);
  const cases = [
    one,
    await open("first refuses connections", [away, healthy.origin]),
    await open("first answers 429", [limited.origin, healthy.origin]),
    await open("first answers 529", [overloaded.origin, healthy.origin]),
    await open("first is left out", [away, healthy.origin]),
  ];
  const measured = await measure(cases, count);
  for (const { gateway } of cases) await gateway.close();
  await Promise.all([healthy, limited, overloaded].map((upstream) => upstream.close()));
  return report(measured, count);
}

async function startRefusing(status: number): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream();
  const body = { type: "error", error: { type: "overloaded_error", message: "no" } };
  upstream.script = ({ json }) => json(body, { status });
  return upstream;
}

async function findClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function measure(cases: readonly Case[], count: number): Promise<Map<string, Quantiles>> {
  const samples = new Map(cases.map(({ name }) => [name, new Float64Array(count)]));
  for (let i = -WARM_UP; i < count; i++) {
    for (const { name, gateway } of cases) {
      const { health } = gateway.order[0];
      // Except in the last case, each request tries the first upstream.
      if (name !== "first is left out") health.noteAnswer(200, Date.now());
      const startMs = monotonicMs();
      const { status } = await call(gateway.origin, {
        headers: withKey(gateway.secret),
        body: messageBody({ system: PROMPT }),
      });
      if (status !== 200) throw new Error(`${name}: status ${status}`);
      if (i >= 0) (samples.get(name) ?? new Float64Array())[i] = monotonicMs() - startMs;
    }
  }
  return new Map([...samples].map(([name, each]) => [name, computeQuantiles(each, count)]));
}

function report(measured: ReadonlyMap<string, Quantiles>, count: number): number {
  const [base] = measured.values();
  let isSlow = false;
  console.log(`${count} requests of each case, milliseconds`);
  for (const [name, { p50, p90, p99 }] of measured) {
    const added = p50 - (base?.p50 ?? 0);
    isSlow ||= added > MOST_ADDED_MS;
    const figures = [p50, p90, p99, added].map((ms) => ms.toFixed(2).padStart(8)).join("");
    console.log(`${name.padEnd(28)}${figures}`);
  }
  console.log("columns: p50, p90, p99, and the median added to that of one upstream");
  return isSlow ? 1 : 0;
}

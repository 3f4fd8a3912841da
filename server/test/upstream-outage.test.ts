import { createServer } from "node:net";
import { afterEach, describe, expect, onTestFinished } from "vitest";
import { MAX_FAILURES_IN_ROW, OPEN_MS } from "#src/upstreams/upstream-health.ts";
import { test } from "./harness/database-test.ts";
import {
  type Exchange,
  messageEvents,
  messageJson,
  type Script,
  startFakeUpstream,
} from "./harness/fake-upstream.ts";
import { messageBody } from "./harness/gateway.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import { COST, StrictGateway, waitFor, worstCaseOf } from "./harness/strict-gateway.ts";

// The first upstream of two fails for a minute of the gateway's clock, under a load with a strict limit. The stand-ins log
// each POST of which they got a byte.

// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

const OUTAGE_MS = 60_000;
/** Time of each round of requests. */
const ROUND_MS = 2_000;
const PER_ROUND = 3;
/** Rounds before, during and after the outage. The circuit breaker may wait its longest time after the outage. */
const ROUNDS = {
  before: 3,
  during: OUTAGE_MS / ROUND_MS,
  after: OPEN_MS.most / ROUND_MS + 3,
};
const TOTAL = PER_ROUND * (ROUNDS.before + ROUNDS.during + ROUNDS.after);
/** Silence of an upstream that ends a request, milliseconds. Longer than any answer. */
const IDLE_MS = { hanging: 1_000, others: 20_000 };
/** Failed attempts of an outage: until the breaker opens, and after 5, 10, 20 and 40 s. */
const MOST_FAILURES = MAX_FAILURES_IN_ROW + PER_ROUND - 1 + 4;

const refuse =
  (status: number): Script =>
  ({ json }) =>
    json({ type: "error", error: { type: "overloaded_error", message: "no" } }, { status });

/** Behaviour of a stand-in during the outage. `closed`: its port refuses connections. */
const outages = {
  "refuses connections": "closed",
  "resets each connection at its first byte": "reset_first_byte",
  "resets each request after its body": ({ reset }) => reset(),
  hangs: () => undefined,
  "answers 429": refuse(429),
  "answers 529": refuse(529),
} satisfies Record<string, Script | "closed" | "reset_first_byte">;
type Outage = (typeof outages)[keyof typeof outages];

/** A POST of which a stand-in got at least a byte. */
interface Arrival {
  id: string;
  place: "first" | "second";
  isOutage: boolean;
}

const idAt = (number: number) => `r${String(number).padStart(4, "0")}`;
/** One request of each round is a stream. */
const isStream = (id: string) => Number(id.slice(1)) % PER_ROUND === 0;
const bodyOf = (id: string) => messageBody({ system: id, stream: isStream(id) });
/** A request after all others. */
const LAST = idAt(9_998);
const idOf = (text: string) => /"system":"(r[0-9]{4})"/.exec(text)?.[1] ?? "unknown";

/** An upstream whose port is taken over by an outage. */
class StandIn {
  readonly #log: Arrival[];
  #port = 0;
  #close: () => Promise<void> = () => Promise.resolve();

  constructor(log: Arrival[]) {
    this.#log = log;
  }

  async serve(script: Script, isOutage: boolean): Promise<string> {
    await this.#close();
    const fake = await startFakeUpstream(this.#port);
    fake.script = (exchange) => {
      const id = idOf(exchange.received.body.toString());
      this.#log.push({ id, place: "first", isOutage });
      return script(exchange);
    };
    this.#port = Number(new URL(fake.origin).port);
    this.#close = () => fake.close();
    return fake.origin;
  }

  async fail(outage: Outage): Promise<void> {
    if (typeof outage === "function") {
      await this.serve(outage, true);
      return;
    }
    await this.#close();
    this.#close = () => Promise.resolve();
    if (outage === "reset_first_byte") await this.#resetAll();
  }

  async #resetAll(): Promise<void> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (bytes) => {
        this.#log.push({ id: idOf(bytes.toString()), place: "first", isOutage: true });
        socket.resetAndDestroy();
      });
    });
    await new Promise<void>((done) => server.listen(this.#port, "127.0.0.1", done));
    this.#close = () => new Promise<void>((done) => server.close(() => done()));
  }

  stop(): Promise<void> {
    return this.#close();
  }
}

const answer: Script = (exchange: Exchange) => {
  const id = idOf(exchange.received.body.toString());
  return isStream(id) ? exchange.stream(messageEvents(3)) : exchange.json(messageJson());
};

let s: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
});

afterEach(() => s.stop());

/** Runs the load. Returns the log of both stand-ins and the status of each request. */
async function runOutage(outage: Outage) {
  const log: Arrival[] = [];
  const statuses = new Map<string, number>();
  const first = new StandIn(log);
  const origin = await first.serve(answer, false);
  const second = await startFakeUpstream();
  second.script = (exchange) => {
    const id = idOf(exchange.received.body.toString());
    log.push({ id, place: "second", isOutage: false });
    return answer(exchange);
  };
  onTestFinished(async () => {
    await first.stop();
    await second.close();
  });
  let nowMs = Date.now();
  const idleTimeoutMs = outage === outages.hangs ? IDLE_MS.hanging : IDLE_MS.others;
  await s.reopen({ origin, others: [second.origin], databaseNowMs: () => nowMs, idleTimeoutMs });
  const health = () => s.gateway.order[0].health.facts();

  let sent = 0;
  const runRounds = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      const ids = Array.from({ length: PER_ROUND }, () => idAt(sent++));
      const asked = ids.map(async (id) => {
        const { status, text } = await s.ask(bodyOf(id));
        statuses.set(id, status);
        return status === 200 && isStream(id) ? text.includes("message_stop") : true;
      });
      expect(await Promise.all(asked)).toEqual(ids.map(() => true));
      nowMs += ROUND_MS;
    }
  };
  await runRounds(ROUNDS.before);
  await first.fail(outage);
  await runRounds(ROUNDS.during);
  const stateAtEnd = health().state;
  await first.serve(answer, false);
  await runRounds(ROUNDS.after);
  return { log, statuses, stateAtEnd, health: health() };
}

/** Fails if a POST reached the second stand-in although the first one got a byte of it and did not refuse it. */
function checkArrivals(log: readonly Arrival[], isRefused: boolean): void {
  for (const [id, arrivals] of Map.groupBy(log, (arrival) => arrival.id)) {
    const places = arrivals.map(({ place }) => place);
    const mayMove = isRefused && arrivals[0]?.isOutage === true;
    const expected = mayMove ? ["first", "second"] : [places[0]];
    expect([id, places]).toEqual([id, expected]);
  }
}

/** Checks that each request is either settled or unresolved, and that nothing else of the limit is held. */
async function checkHolds(statuses: ReadonlyMap<string, number>): Promise<void> {
  const failed = [...statuses].filter(([, status]) => status !== 200).map(([id]) => id);
  const settled = COST * BigInt(TOTAL - failed.length);
  const unresolved = failed.reduce((sum, id) => sum + worstCaseOf(bodyOf(id)), 0n);
  await waitFor(async () => (await s.balance()).settled === settled);
  expect(await s.balance()).toMatchObject({ settled, unresolved, overrun: 0n });
  expect(s.overruns).toEqual([]);
  expect(s.gateway.gateway.stats().inFlight).toBe(0);
  // Room for exactly one more request, which any hold that is left would refuse.
  await s.limit(settled + unresolved + worstCaseOf(bodyOf(LAST)));
  expect((await s.ask(bodyOf(LAST))).status).toBe(200);
}

const canMove = (outage: Outage) => outage === outages["refuses connections"];
const isRefusal = (outage: Outage) =>
  outage === outages["answers 429"] || outage === outages["answers 529"];

describe("an upstream fails for a minute under a load with a strict limit", () => {
  test.for(Object.entries(outages))("it %s", async ([, outage]) => {
    const worst = worstCaseOf(bodyOf(LAST));
    await s.limit(COST * BigInt(TOTAL) + worst * BigInt(MOST_FAILURES + PER_ROUND + 1));
    const { log, statuses, stateAtEnd, health } = await runOutage(outage);
    checkArrivals(log, isRefusal(outage));

    expect(statuses.size).toBe(TOTAL);
    const failed = [...statuses].filter(([, status]) => status !== 200).map(([id]) => id);
    const tried = log.filter(({ isOutage }) => isOutage).map(({ id }) => id);
    if (canMove(outage)) expect([failed, tried]).toEqual([[], []]);
    else if (isRefusal(outage)) {
      expect(failed).toEqual([]);
      expect(tried.length).toBe(PER_ROUND * ROUNDS.during);
    } else {
      // Requests of which the first upstream got a byte fail, and no others.
      expect(failed.toSorted()).toEqual(tried.toSorted());
      expect(tried.length).toBeGreaterThanOrEqual(MAX_FAILURES_IN_ROW);
      expect(tried.length).toBeLessThanOrEqual(MOST_FAILURES);
    }

    // The circuit breaker opens for failures only, and one request finds out that the upstream is back.
    expect(stateAtEnd).toBe(isRefusal(outage) ? "closed" : "open");
    expect(health).toMatchObject({ state: "closed", failuresInRow: 0 });
    const last = log.slice(-PER_ROUND);
    expect(last.map(({ place }) => place)).toEqual(["first", "first", "first"]);
    await checkHolds(statuses);
  });
});

import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { BeginRecord, EndRecord } from "../../server/src/domain/request-record.ts";
import { parseMessage } from "../../server/src/gateway/parse-message.ts";
import { monotonicMs } from "../monotonic.ts";
import type { HoldResult, NodeAccounting } from "./accounting.ts";
import { type CompanyKey, chooseModel, getKey } from "./company.ts";
import type { FeedPlan, NodeReport } from "./messages.ts";
import type { NodeModules } from "./product.ts";

/** Time from begin to end of each request, milliseconds. */
const REQUEST_MS = 20;
/** Requests begun in one turn of the event loop. */
const CHUNK = 50;
const IDLE_MS = 5;
const MOST_WAITING = 2_000;
const PROBE_EVERY_MS = 50;
const HOUR_MS = 3_600_000;
/** The worst case of a request is a multiple of its cost. */
const HOLD_FACTOR = 4n;
const USED = { inputTokens: 1_200, cacheReadTokens: 8_000, outputTokens: 400 };
const MESSAGE = parseMessage(
  Buffer.from(
    JSON.stringify({
      model: "claude-sonnet-5",
      max_tokens: 4_096,
      messages: [{ role: "user", content: "x".repeat(40_000) }],
    }),
  ),
);

interface Running {
  begin: BeginRecord;
  /** Monotonic milliseconds. */
  endAtMs: number;
}

/** Runs requests without HTTP: admission, hold, begin and, after a moment, settle. Follows gateway/handle-request.ts. */
export class Feeder {
  /** Cost of each request. */
  readonly costNanoUsd: bigint;
  readonly #modules: NodeModules;
  readonly #accounting: NodeAccounting;
  readonly #running: Running[] = [];
  readonly #refused = new Map<string, number>();
  readonly #probesEndedMs: number[] = [];
  #waitsMs: number[] = [];
  #holds = 0;
  /** Requests that wait for their hold. */
  #waiting = 0;
  /** Requests so far, with refused ones. */
  #attempts = 0;
  #refusals = 0;
  #ended = 0;
  #allowed = 0;
  #startedMs = 0;
  #probedMs = 0;
  #feeding: Promise<void> = Promise.resolve();
  #state: "new" | "feeding" | "paused" = "new";

  constructor(modules: NodeModules, accounting: NodeAccounting) {
    this.#modules = modules;
    this.#accounting = accounting;
    this.costNanoUsd = this.#priceOne();
  }

  start(plan: FeedPlan): void {
    this.#state = "feeding";
    this.#allowed = plan.backlog;
    this.#startedMs = monotonicMs();
    this.#feeding = this.#feed(plan);
  }

  allow(upTo: number): void {
    this.#allowed = upTo;
  }

  reset(): void {
    this.#waitsMs = [];
    this.#holds = 0;
  }

  report(): NodeReport {
    return {
      ended: this.#ended,
      pending: this.#accounting.meter.status().pendingRecords,
      holds: this.#holds,
      waitsMs: this.#waitsMs,
      refused: Object.fromEntries(this.#refused),
      probesEndedMs: this.#probesEndedMs,
    };
  }

  /** Begins no more requests. Resolves when all are ended. */
  async pause(): Promise<void> {
    this.#state = "paused";
    await this.#feeding;
  }

  async #feed(plan: FeedPlan): Promise<void> {
    while (this.#state === "feeding" || this.#running.length + this.#waiting > 0) {
      const nowMs = monotonicMs();
      this.#endDue(nowMs);
      const room = this.#state === "feeding" ? this.#measureRoom(plan, nowMs) : 0;
      for (let i = 0; i < Math.min(room, CHUNK); i++) this.#startOne(plan, nowMs);
      if (plan.probeKey !== null) this.#probe(plan, nowMs);
      await (room > CHUNK ? nextTurn() : sleep(IDLE_MS));
    }
  }

  /** Number of requests that may begin now. */
  #measureRoom({ backlog, ratePerSecond, requests }: FeedPlan, nowMs: number): number {
    const { pendingRecords } = this.#accounting.meter.status();
    const due =
      ratePerSecond === null
        ? Number.POSITIVE_INFINITY
        : Math.floor(((nowMs - this.#startedMs) * ratePerSecond) / 1_000);
    // A refused request takes no place of an allowed one. At a fixed rate it is not repeated.
    const accepted = this.#attempts - this.#refusals;
    return Math.min(
      backlog - pendingRecords - this.#running.length,
      MOST_WAITING - this.#waiting,
      Math.min(this.#allowed, requests ?? Number.POSITIVE_INFINITY) - accepted,
      due - this.#attempts,
    );
  }

  #startOne(plan: FeedPlan, nowMs: number): void {
    const order = this.#attempts * plan.nodes + plan.position;
    this.#attempts += 1;
    // Every key once, then any key.
    const drawn = order < plan.keys ? order : Math.floor(Math.random() * plan.keys);
    const index = plan.firstKey + drawn;
    const key = getKey(index);
    const atMs = this.#findStart(plan);
    const requestId = this.#modules.newId("req_", atMs);
    const { organizationId } = plan;
    const scope = { ...key, organizationId, memberId: key.memberId ?? undefined };
    const requestedModel = chooseModel(index, Math.random());
    const begin = makeBegin(
      { ...key, organizationId },
      { requestId, startedAtMs: atMs, requestedModel },
    );
    if (this.#accounting.ledger.admit(scope, atMs).kind !== "admitted") this.#refuse("soft limit");
    else if (this.#accounting.leases.isHoldRequired(scope.organizationId)) this.#hold(begin, nowMs);
    else this.#begin(begin);
  }

  #hold(begin: BeginRecord, nowMs: number): void {
    const asked = this.#accounting.leases.hold({
      requestId: begin.requestId,
      scope: begin,
      amountNanoUsd: this.costNanoUsd * HOLD_FACTOR,
      isOpenEnded: false,
    });
    if (!(asked instanceof Promise)) {
      this.#beginHeld(begin, asked);
      return;
    }
    this.#waiting += 1;
    void asked.then((decided) => {
      this.#waiting -= 1;
      this.#waitsMs.push(monotonicMs() - nowMs);
      this.#beginHeld(begin, decided);
    });
  }

  /** Milliseconds since the epoch on the database's clock. */
  #findStart({ hours, requests }: FeedPlan): number {
    const nowMs = Math.floor(this.#accounting.nowMs());
    if (hours === 0 || requests === null) return nowMs;
    const left = 1 - this.#attempts / requests;
    return nowMs - Math.floor(hours * HOUR_MS * left);
  }

  #beginHeld(begin: BeginRecord, decided: HoldResult): void {
    this.#holds += 1;
    if (decided.kind !== "held") {
      this.#refuse(decided.kind === "refused" ? decided.reason : decided.kind);
      return;
    }
    const { startedAtMs, holdNanoUsd, smallerHolds } = decided;
    this.#begin({
      ...begin,
      startedAtMs,
      ...(holdNanoUsd !== null && { holdNanoUsd }),
      ...(smallerHolds !== null && { smallerHolds }),
    });
  }

  #begin(begin: BeginRecord): void {
    this.#accounting.meter.begin(begin);
    this.#running.push({ begin, endAtMs: monotonicMs() + REQUEST_MS });
  }

  #refuse(reason: string): void {
    this.#refusals += 1;
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  #endDue(nowMs: number): void {
    let due = 0;
    for (const { begin, endAtMs } of this.#running) {
      if (endAtMs > nowMs) break;
      this.#settle(begin);
      due += 1;
    }
    this.#running.splice(0, due);
  }

  #settle(begin: BeginRecord): void {
    this.#price(begin, this.#accounting.meter);
    this.#ended += 1;
  }

  /** Computes the cost and passes the record to `meter`. */
  #price(begin: BeginRecord, meter: { end(record: EndRecord): void }): void {
    const { startedAtMs, requestedModel: model } = begin;
    const ending = {
      outcome: "answered" as const,
      httpStatus: 200,
      usage: {
        model,
        total: { ...this.#modules.noTokens, ...USED },
        iterations: null,
        serviceTier: "standard",
        inferenceGeo: null,
        speed: "standard",
      },
      isEstimated: false,
      isFinal: true,
      isRefusal: false,
      isUsageMissing: false,
      endedAtMs: startedAtMs + REQUEST_MS,
      upstreamRequestId: `req_upstream_${begin.requestId}`,
      firstByteAtMs: startedAtMs + REQUEST_MS / 2,
      stepped: null,
    };
    // Version 0.1 takes the begin alone.
    const message = { ...MESSAGE, model };
    const served = { upstream: null, failover: null, isSimulated: false };
    const metered = { ...begin, begin, message, bound: null, ...served, stream: null };
    this.#modules.settle({ ...this.#accounting.settleDeps, meter }, metered, ending);
  }

  /** A request of a key of its own, ended at once. */
  #probe({ organizationId, probeKey }: FeedPlan, nowMs: number): void {
    if (this.#state !== "feeding" || nowMs - this.#probedMs < PROBE_EVERY_MS) return;
    this.#probedMs = nowMs;
    const startedAtMs = Math.floor(this.#accounting.nowMs());
    const requestId = this.#modules.newId("req_", startedAtMs);
    const scope = { ...getKey(probeKey ?? 0), organizationId };
    const begin = makeBegin(scope, { requestId, startedAtMs, requestedModel: chooseModel(0, 1) });
    this.#accounting.meter.begin(begin);
    this.#settle(begin);
    this.#probesEndedMs.push(monotonicMs());
  }

  #priceOne(): bigint {
    let cost = 0n;
    const scope = { ...getKey(0), organizationId: "00000000-0000-4000-8000-000000000000" };
    const startedAtMs = Math.floor(this.#accounting.nowMs());
    const begin = makeBegin(scope, {
      requestId: "",
      startedAtMs,
      requestedModel: chooseModel(0, 1),
    });
    this.#price(begin, {
      end: (record) => {
        cost = record.cost.total;
      },
    });
    return cost;
  }
}

function makeBegin(
  key: CompanyKey & { organizationId: string },
  request: Pick<BeginRecord, "requestId" | "startedAtMs" | "requestedModel">,
): BeginRecord {
  const { memberId, ...scope } = key;
  return { ...scope, ...(memberId !== null && { memberId }), ...request, isStream: true };
}

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Config } from "#src/config.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { makeModelLabels } from "#src/domain/model-labels.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { makeGateway } from "#src/gateway/handle-request.ts";
import { noObjects } from "#src/gateway/object-call.ts";
import { makeClientAddress } from "#src/http/client-address.ts";
import { dispatch } from "#src/http/dispatch.ts";
import { acceptConnections, startListening } from "#src/http/listen.ts";
import { makeSocketClient } from "#src/http1/upstream-client.ts";
import { makeAccessTokens } from "#src/key-lookup/access-tokens.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { makeKeyCache } from "#src/key-lookup/key-cache.ts";
import { systemClock } from "#src/lib/clock.ts";
import { newId, systemRandomBytes } from "#src/lib/ids.ts";
import { getSocketPath } from "#src/lib/local-socket.ts";
import { type Logger, makeLogger } from "#src/lib/logger.ts";
import { parseAllowedTargets } from "#src/lib/target-address.ts";
import { makeTurnEnd, type TurnEnd } from "#src/lib/turn-end.ts";
import { openJournal } from "#src/recording/journal.ts";
import { rehearseFlush } from "#src/recording/rehearse-flush.ts";
import { makeRehearsedLeases } from "#src/spend/ledger/rehearsed-leases.ts";
import { NO_STORED_UPSTREAMS, openUpstreams } from "#src/upstreams/resolve-upstream.ts";
import { startLocalSimulator } from "./start-upstreams.ts";
import { sendWarmUpRequests, type WarmUpKeys } from "./warm-up-requests.ts";

// Runs requests through the code of the hot path before the server is ready. Without it, the first second of a server
// compiles this code, and requests wait for hundreds of milliseconds. The requests use a gateway of their own, with a key
// that exists only here, a simulator, and a journal in a temporary folder. So no record, metric, rate or bill has them.
// Failure policy: a failure is logged, and the server starts without a warm-up.

export interface WarmUpOptions {
  logger: Logger;
  /** `BURSAR_HTTP`: the code that the requests run through. */
  http: Config["http"];
  /** Most requests of the warm-up. */
  maxRequests?: number;
  /** Time after which no further request starts, milliseconds. 0: no warm-up. */
  withinMs: number;
}

export interface WarmUpResult {
  /** Number of requests that were answered as expected. */
  requests: number;
  durationMs: number;
}

const MAX_REQUESTS = 600;
/** Time for the last responses, milliseconds. */
const GRACE_MS = 400;
const IDLE_TIMEOUT_MS = 5_000;
/** Never reached, but always held. */
const WIDE_LIMIT_NANO_USD = 1_000_000_000_000_000n;
const ORGANIZATIONS = {
  unlimited: "00000000-0000-4000-8000-000000000001",
  limited: "00000000-0000-4000-8000-000000000002",
};

/** Runs the warm-up. Returns null if it is off or failed. A failure is logged. Never rejects. */
export async function warmUp(options: WarmUpOptions): Promise<WarmUpResult | null> {
  const { logger, withinMs } = options;
  if (withinMs === 0) return null;
  const startedMs = systemClock.monotonicMs();
  try {
    const requests = await runRequests(options);
    const durationMs = Math.round(systemClock.monotonicMs() - startedMs);
    logger.debug({ requests, durationMs }, "warm-up is complete");
    return { requests, durationMs };
  } catch (error) {
    logger.warn({ err: error }, "the warm-up failed: the first requests take longer");
    return null;
  }
}

async function runRequests(options: WarmUpOptions): Promise<number> {
  const { http, maxRequests = MAX_REQUESTS, withinMs } = options;
  await using parts = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "bursar-warm-up-"));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { keys, socketPath, ended } = await startRehearsal({ folder, http }, parts);
  const client = makeSocketClient({
    address: { socketPath },
    connectTimeoutMs: IDLE_TIMEOUT_MS,
    maxOpening: null,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    keepAliveMs: IDLE_TIMEOUT_MS,
    keepAliveMaxMs: IDLE_TIMEOUT_MS,
    turnEnd: makeTurnEnd(),
    nowMs: systemClock.monotonicMs,
  });
  parts.defer(() => client.destroy());
  const late = new AbortController();
  parts.defer(() => late.abort());
  const timeout = delay(withinMs + GRACE_MS, null, { signal: late.signal });
  timeout.catch(() => undefined);
  const sending = sendWarmUpRequests({
    client,
    keys,
    maxRequests,
    endAtMs: systemClock.monotonicMs() + withinMs,
    clock: systemClock,
    signal: late.signal,
  });
  const sent = await Promise.race([sending, timeout]);
  if (sent !== null) {
    await rehearseFlush(ended);
    return sent;
  }
  sending.catch(() => undefined);
  throw new Error(`a request of the warm-up had no response within ${withinMs + GRACE_MS} ms`);
}

/** Opens a gateway that knows only the keys of the warm-up, on a socket in the folder. */
async function startRehearsal(
  { folder, http }: { folder: string; http: Config["http"] },
  parts: AsyncDisposableStack,
): Promise<{ keys: WarmUpKeys; socketPath: string; ended: readonly EndRecord[] }> {
  const turnEnd = http === "sockets" ? makeTurnEnd() : null;
  const logger = makeLogger("silent");
  const upstreams = await openUpstreams({
    environment: null,
    findStored: () => Promise.resolve(NO_STORED_UPSTREAMS),
    sealingKey: Buffer.alloc(0),
    privateUpstreams: parseAllowedTargets([]),
    isMachineAllowed: false,
    environmentProxy: null,
    startSimulator: () => startLocalSimulator(folder, "simulator.sock"),
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    turnEnd,
    logger,
  });
  parts.defer(() => upstreams.close());
  const { keys, lookup } = makeKeys();
  const meter = await startMeter({ folder, turnEnd }, parts);
  const book = makePriceBook([]);
  const gateway = makeGateway({
    keys: makeKeyCache({
      lookup,
      msSinceContact: () => 0,
      leaseTtlMs: IDLE_TIMEOUT_MS,
      clock: systemClock,
    }),
    accessTokens: makeAccessTokens(() => ""),
    users: { findCached: () => null, find: () => Promise.resolve(null), forget: ignore },
    keyUse: { record: ignore },
    clientAddress: makeClientAddress([]),
    ledger: { admit: () => ({ kind: "admitted" }) },
    leases: meter.leases,
    exceededBounds: { isHeldWhole: () => false, report: ignore },
    personSpend: { prepare: ignore, findCaps: () => null },
    rates: { take: () => null, charge: ignore, headersOf: () => ({}) },
    meter,
    ...(turnEnd !== null && { writeBegin: meter.writeBegin }),
    prices: { get: () => book },
    labels: makeModelLabels(1),
    upstreams,
    objects: noObjects,
    publicUrl: () => null,
    databaseNowMs: () => systemClock.nowMs(),
    metrics: {
      observeRequest: ignore,
      observeHoldRefusal: ignore,
      observeRateRefusal: ignore,
      observeOverrun: ignore,
      observeDoubt: ignore,
      observeCut: ignore,
      observeFasterStream: ignore,
      observeStep: ignore,
    },
    newRequestId: () => newId(idPrefixes.request, systemClock.nowMs()),
    clock: systemClock,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    logger,
  });
  // Every request is one of the Claude API.
  const { handles, handle, ...requests } = dispatch(
    gateway,
    { routing: ignore },
    { nowMs: systemClock.nowMs, origins: { isAllowed: () => false } },
  );
  const sockets = turnEnd && { turnEnd, handles, handle };
  const acceptor = acceptConnections({ tls: null, sockets, ...requests });
  const server = createServer({ pauseOnConnect: true }, (socket) => acceptor.accept(socket));
  const socketPath = getSocketPath(folder, "gateway.sock");
  await startListening(server, { path: socketPath });
  parts.defer(async () => {
    server.close();
    await acceptor.close(gateway.drain(GRACE_MS));
  });
  return { keys, socketPath, ended: meter.ended };
}

/** Makes keys that no database has. */
function makeKeys() {
  const known = new Map<string, FoundKey>();
  const addKey = (id: string, organizationId: string) => {
    const { secret, hash } = makeSecret("api", systemRandomBytes);
    known.set(hash.toString("hex"), { ...KEY, id, organizationId, workspaceId: `wrkspc_${id}` });
    return secret;
  };
  const keys = {
    unlimited: addKey("unlimited", ORGANIZATIONS.unlimited),
    limited: addKey("limited", ORGANIZATIONS.limited),
    spent: addKey("spent", ORGANIZATIONS.limited),
    unknown: makeSecret("api", systemRandomBytes).secret,
  };
  const lookup = (hashes: readonly Uint8Array[]) =>
    Promise.resolve(hashes.map((hash) => known.get(Buffer.from(hash).toString("hex")) ?? null));
  return { keys, lookup };
}

const KEY: FoundKey = {
  id: "",
  organizationId: "",
  workspaceId: "",
  permission: "write",
  status: "active",
  purpose: "calls",
  expiresAtMs: null,
  isHeld: false,
  isUnsigned: false,
  isWorkspaceArchived: false,
  secretId: 0,
  secretValidUntilMs: null,
  ownerMemberId: null,
  ownerState: null,
  groupIds: [],
  tagIds: [],
  groupTags: null,
  seesOwnUsageOnly: false,
  allowedModels: null,
  allowedAddresses: null,
  userDirectoryId: null,
  requiresUser: false,
  allowedOrigins: null,
};

/** Opens a journal in the folder, and leases of strict limits. No database counts their requests. */
async function startMeter(
  { folder, turnEnd }: { folder: string; turnEnd: TurnEnd | null },
  parts: AsyncDisposableStack,
) {
  const logger = makeLogger("silent");
  const directory = join(folder, "journal");
  const options = { directory, nodeId: "warm-up", clock: systemClock, logger };
  const journal = openJournal(turnEnd === null ? options : { ...options, turnEnd });
  parts.defer(() => journal.close());
  journal.mark.open();
  await journal.start({ flushedSeq: 0, onUnflushedEnd: ignore });
  const limitOf = (id: string, amountNanoUsd: bigint) => ({
    id,
    organizationId: ORGANIZATIONS.limited,
    scopeType: "workspace" as const,
    scopeId: `wrkspc_${id}`,
    period: "monthly" as const,
    amountNanoUsd,
  });
  const limits = [limitOf("limited", WIDE_LIMIT_NANO_USD), limitOf("spent", 0n)];
  const leases = makeRehearsedLeases({ limits, clock: systemClock });
  const ended: EndRecord[] = [];
  return {
    leases,
    ended,
    begin: journal.begin.bind(journal),
    writeBegin: journal.beginWritten.bind(journal),
    amendBegin: journal.amendBegin.bind(journal),
    end: (record: EndRecord) => {
      ended.push(record);
      journal.end(record);
      leases.recordEnd(record);
    },
  };
}

function ignore(): void {}

import type { ApiError } from "#src/domain/api-error.ts";
import { removeNeutralParts } from "#src/domain/feature-book.ts";
import { ALL_MODELS, modelGroupOf } from "#src/domain/model-groups.ts";
import type { BeginRecord, Outcome } from "#src/domain/request-record.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { KeyUse } from "#src/key-lookup/key-use.ts";
import type { Clock } from "#src/lib/clock.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { RateScope } from "#src/rates/buckets/node-rates.ts";
import type { RateTicket } from "#src/rates/buckets/rate-limiter.ts";
import { scopeIdsOf } from "#src/spend/ledger/charges.ts";
import type { RunningHold } from "#src/spend/ledger/lease-table.ts";
import type { UpstreamChoice } from "#src/upstreams/upstream.ts";
import { acquireRate, countScopeOf, type RateDeps, rateScopeOf } from "./acquire-rate.ts";
import { adaptRefusal } from "./adapt-laptop-refusal.ts";
import { type AdmitDeps, admit, confirmAdmission } from "./admit-request.ts";
import { type AuthenticateDeps, authenticateKey, type KeyCall } from "./authenticate-key.ts";
import { checkModels } from "./check-models.ts";
import { checkPage } from "./check-page.ts";
import { checkWorkspace } from "./check-workspace.ts";
import { chooseUpstreams } from "./choose-upstreams.ts";
import { type Exchange, isClientGone, makeRunningExchanges } from "./exchange.ts";
import { findWorking } from "./failover.ts";
import { applyGroupTag } from "./group-tag.ts";
import type { HoldDeps } from "./hold-spend.ts";
import { findUsageHeaders, type LaptopUsageDeps, prepareUsage } from "./laptop-usage.ts";
import { findListFilter, listModels } from "./list-models.ts";
import { makeNotFoundError } from "./not-found.ts";
import type { ObjectServer } from "./object-call.ts";
import type { ObjectRoute } from "./object-routes.ts";
import { parseMessage } from "./parse-message.ts";
import {
  type BodyLimits,
  checkBodyHeaders,
  MAX_BODY_BYTES,
  makeBodyMemory,
  readBody,
} from "./read-body.ts";
import { RecentCuts } from "./recent-cuts.ts";
import {
  makeStoppingError,
  type RefusalForm,
  type RefusedRequest,
  refuse,
  toRefusal,
} from "./refuse.ts";
import type { RelayDeps } from "./relay-response.ts";
import { reportRefusal } from "./report-refusal.ts";
import { type ClaudeRoute, findRoute, notFound } from "./routes.ts";
import { toRunningHold } from "./running-hold.ts";
import { sendRequest } from "./send-request.ts";
import { serveObject } from "./serve-object.ts";
import { type Ending, type Metered, type SettleDeps, settle } from "./settle.ts";
import { makeOverloadedError, Shares } from "./shares.ts";
import { StreamControl, type StreamControlDeps } from "./stream-control.ts";

// The hot path. Fails closed before the upstream, never after.

export interface GatewayDeps extends Omit<SettleDeps, "meter">, AuthenticateDeps, LaptopUsageDeps {
  keyUse: Pick<KeyUse, "record">;
  /** Address of the client. Null: unknown. */
  clientAddress: (call: ClientCall) => string | null;
  ledger: AdmitDeps["ledger"];
  /** Strict limits. */
  leases: HoldDeps["leases"] & StreamControlDeps["leases"];
  /** Rate limits. */
  rates: RateDeps["rates"];
  onLimitReached?: NonNullable<HoldDeps["onLimitReached"]>;
  exceededBounds: StreamControlDeps["exceededBounds"];
  /** Called for each request that the gateway itself answers with an error. Synchronous, must not throw. */
  onRefused?: (refused: RefusedRequest) => void;
  meter: SettleDeps["meter"] & {
    begin(record: BeginRecord): void;
    /** Adds the current hold of a running request to its begin. Never throws. */
    amendBegin(record: BeginRecord): void;
  };
  /** Replaces `meter.begin` if each request waits until its record is written or durable. If it rejects, nothing is sent. */
  writeBegin?: (record: BeginRecord) => Promise<void>;
  /** Upstreams by workspace. Throws a 503 if a workspace has none. */
  upstreams: UpstreamChoice;
  /** Files, skills and message batches. */
  objects: ObjectServer;
  publicUrl: HoldDeps["publicUrl"];
  metrics: HoldDeps["metrics"] &
    RateDeps["metrics"] &
    SettleDeps["metrics"] &
    StreamControlDeps["metrics"] & { observeRequest(request: ObservedRequest): void };
  newRequestId: () => string;
  clock: Clock;
  /** `BURSAR_UPSTREAM_IDLE`, milliseconds. */
  idleTimeoutMs: number;
  /** `BURSAR_UPSTREAM_ANSWER`, milliseconds. The idle time applies if it is longer. */
  answerTimeoutMs?: number;
  bodyLimits?: BodyLimits;
  /** Highest number of running requests. One more gets a 529. */
  maxInFlight?: number;
  /**
   * Highest number of bytes of request bodies in memory, from their arrival until they are sent to the upstream. A request
   * beyond it gets a 529.
   */
  maxHeldBodyBytes?: number;
}

export interface ObservedRequest {
  /** Status of the response. Null: the client got none. */
  status: number | null;
  /** `rejected`: the gateway refused it. `abandoned`: the client left before the dispatch. */
  outcome: Outcome | "rejected" | "abandoned";
  durationMs: number;
}

export interface Gateway {
  /** True for a request of the Claude API, also for a path that is not served. */
  handles(method: string, target: string): boolean;
  /**
   * Serves a request for which `handles` is true. Earlier requests on its connection must have ended. Resolves after the
   * dispatch or the response. Never rejects.
   */
  handle(call: ClientCall): Promise<void>;
  /** Refuses new requests, and resolves when the running ones have ended. Ends the others after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
  stats(): { inFlight: number; isDraining: boolean };
  /**
   * Lists running requests of these scopes without a hold. Adds their worst cases to their begins, so that the caller can
   * hold them.
   */
  holdRunningRequests(scopeIds: ReadonlySet<string>): RunningHold[];
}

/** At least 1 KB/s on average over each 15 seconds. The slowest mobile networks have several times that rate. */
const DEFAULT_BODY_LIMITS: BodyLimits = {
  periodMs: 15_000,
  leastBytes: 15 * 1_024,
  totalMs: 300_000,
};
const DEFAULT_MAX_IN_FLIGHT = 20_000;
const DEFAULT_MAX_HELD_BODY_BYTES = 1024 * 1024 * 1024;

export function makeGateway(deps: GatewayDeps): Gateway {
  const maxInFlight = deps.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT;
  const shares = makeShares(deps);
  const running = makeRunningExchanges(({ user }) => {
    if (user !== null) shares.release(user, "running_requests", 1);
  });
  const streams = new StreamControl(deps);
  const serving: ServingDeps = { ...deps, streams, cuts: new RecentCuts() };
  let isDraining = false;

  const relayDeps = makeRelayDeps(serving, {
    onDone,
    onBodySent: releaseBody,
    isDraining: () => isDraining,
  });

  function releaseBody(exchange: Exchange): void {
    if (exchange.user === null) return;
    shares.release(exchange.user, "body_bytes", exchange.heldBytes);
    exchange.heldBytes = 0;
  }

  function onDone(
    exchange: Exchange,
    outcome: ObservedRequest["outcome"],
    status: number | null,
  ): void {
    const durationMs = deps.clock.monotonicMs() - exchange.startedMs;
    deps.metrics.observeRequest({ status, outcome, durationMs });
    releaseBody(exchange);
    running.markDone(exchange);
  }

  function reject(exchange: Exchange, thrown: unknown): void {
    const error = toRefusal(thrown);
    const { call, requestId, identity } = exchange;
    if (error !== thrown) deps.logger.error({ err: thrown, requestId }, "a request failed");
    const form = toForm(serving, exchange, error);
    const isClosing = isDraining;
    const canAnswer = !isClientGone(exchange);
    if (canAnswer) reportRefusal(deps, exchange, { error, status: form.status });
    refuse(call, { error, form, requestId, identity, isClosing });
    onDone(exchange, canAnswer ? "rejected" : "abandoned", canAnswer ? form.status : null);
  }

  return {
    handles: (method, target) => findRoute(method, target) !== null,
    async handle(call) {
      const exchange = openExchange(deps, call);
      running.add(exchange);
      try {
        if (isDraining) throw makeStoppingError();
        if (running.countOccupying() > maxInFlight) throw makeOverloadedError("running_requests");
        const route = findRoute(call.method, call.target) ?? notFound;
        if (route.kind === "hello") {
          sendHello(exchange);
          onDone(exchange, "answered", 200);
          return;
        }
        const isSent = await serve(serving, { relayDeps, shares, exchange }, route);
        if (!isSent) onDone(exchange, "abandoned", null);
      } catch (error) {
        reject(exchange, error);
      }
    },
    drain(timeoutMs) {
      isDraining = true;
      return running.drain(timeoutMs);
    },
    stats: () => ({ inFlight: running.count(), isDraining }),
    holdRunningRequests(scopeIds) {
      const isCounted = (begin: BeginRecord) => scopeIdsOf(begin).some((id) => scopeIds.has(id));
      return running.claimUnheld(isCounted).map((unheld) => toRunningHold(deps, unheld));
    },
  };
}

function makeRelayDeps(
  deps: ServingDeps,
  own: Pick<RelayDeps, "onDone" | "onBodySent" | "isDraining">,
): RelayDeps {
  return {
    ...own,
    streams: deps.streams,
    objects: deps.objects,
    adaptRefusal: (exchange, error) => toForm(deps, exchange, error),
    settle: (exchange, metered, ending) => settleExchange(deps, exchange, metered, ending),
    rateHeaders: (rate) => deps.rates.headersOf(rate),
    usageHeaders: (exchange) => findUsageHeaders(deps, exchange),
    onRefused: (exchange, error) => reportRefusal(deps, exchange, { error, status: error.status }),
    databaseNowMs: deps.databaseNowMs,
    logger: deps.logger,
    idleTimeoutMs: deps.idleTimeoutMs,
    answerTimeoutMs: Math.max(deps.answerTimeoutMs ?? 0, deps.idleTimeoutMs),
  };
}

function makeShares({ maxInFlight, maxHeldBodyBytes }: GatewayDeps): Shares {
  const running_requests = maxInFlight ?? DEFAULT_MAX_IN_FLIGHT;
  const body_bytes = maxHeldBodyBytes ?? DEFAULT_MAX_HELD_BODY_BYTES;
  return new Shares(
    { running_requests, body_bytes },
    { running_requests: 1, body_bytes: MAX_BODY_BYTES },
  );
}

/** Ends the record of a request, and charges its tokens to the rate limits. Never throws. */
function settleExchange(
  deps: ServingDeps,
  { rate }: Exchange,
  metered: Metered,
  ending: Ending,
): void {
  const { rated, costNanoUsd } = settle(deps, metered, ending);
  if (rate !== null && rated !== null) deps.rates.charge(rate, rated);
  if (ending.stepped === null || ending.outcome !== "answered") return;
  const { apiKeyId, requestedModel } = metered.begin;
  // A short stream ends before the meter has seen its hold.
  const hasPeak = ending.stepped.peakNanoUsd > costNanoUsd;
  const usual = hasPeak ? ending.stepped.peakNanoUsd : costNanoUsd;
  deps.streams.usual.add(apiKeyId, requestedModel, usual);
}

function openExchange(deps: GatewayDeps, call: ClientCall): Exchange {
  return {
    call,
    requestId: deps.newRequestId(),
    startedMs: deps.clock.monotonicMs(),
    identity: null,
    key: null,
    laptop: null,
    keyCheckedAtMs: 0,
    requestedModel: null,
    isStream: null,
    relay: null,
    waiting: null,
    unheld: null,
    rate: null,
    user: null,
    heldBytes: 0,
    isClosed: false,
    isDone: false,
    isLingering: false,
    place: -1,
  };
}

/** Answers the check of the connection that Claude Code sends once in each process, without a key. */
function sendHello({ call, requestId }: Exchange): void {
  call.writeHead(200, FieldLines.fromList(["content-length", "0", "request-id", requestId]));
  call.end();
}

interface ServingDeps extends GatewayDeps {
  streams: StreamControl;
  cuts: RecentCuts;
}

/** Form of a refusal that the client expects. */
function toForm(deps: ServingDeps, exchange: Exchange, error: ApiError): RefusalForm {
  const form = adaptRefusal(deps, exchange, error);
  return deps.cuts.explain(exchange, error, form, deps.clock.monotonicMs());
}

interface Serving {
  relayDeps: RelayDeps;
  shares: Shares;
  exchange: Exchange;
}

/** Runs the steps of one request, as in ARCHITECTURE.md. False if the client left before the dispatch. */
async function serve(
  deps: ServingDeps,
  { relayDeps, shares, exchange }: Serving,
  route: Exclude<ClaudeRoute, { kind: "hello" }>,
): Promise<boolean> {
  const { call } = exchange;
  if (route.kind === "not_found") throw makeNotFoundError(call, deps.publicUrl());
  const keyCall: KeyCall = {
    fields: call.fields,
    action: route.action,
    address: () => deps.clientAddress(call),
    onKnown: ({ key, laptop, checkedAtMs }) => {
      exchange.key = key;
      exchange.laptop = laptop;
      exchange.keyCheckedAtMs = checkedAtMs;
    },
  };
  const found = authenticateKey(deps, keyCall);
  const key = found instanceof Promise ? await found : found;
  const { organizationId, workspaceId } = key;
  exchange.identity = { requestId: exchange.requestId, organizationId, workspaceId };
  if (call.page !== null) checkPage(call.page, key);
  checkWorkspace(call.fields, workspaceId);
  if (isClientGone(exchange)) return false;
  const user = shares.findUser(key);
  shares.take(user, "running_requests", 1);
  exchange.user = user;
  if (route.kind === "models") return serveModels(deps, relayDeps, exchange, key);
  if (route.kind === "object")
    return acceptObject(deps, { relayDeps, shares, exchange }, { route, key });
  checkBodyHeaders(call);
  const isMessage = route.kind !== "count_tokens";
  if (exchange.laptop !== null && isMessage) prepareUsage(deps, exchange.laptop, key);
  const scope = isMessage ? rateScopeOf(key, ALL_MODELS) : countScopeOf(key);
  const early = acquireEarlyRate(deps, exchange, key, scope);
  exchange.rate = early instanceof Promise ? await early : early;
  if (isClientGone(exchange)) return false;
  const received = readBody(exchange, deps.bodyLimits ?? DEFAULT_BODY_LIMITS, shares);
  const arrived = received instanceof Promise ? await received : received;
  if (arrived === null || isClientGone(exchange)) return false;
  const sent = call.adaptBody === null ? arrived : call.adaptBody(arrived);
  const { features } = deps.prices.get(organizationId);
  const message = removeNeutralParts(parseMessage(sent), features);
  exchange.requestedModel = message.model;
  exchange.isStream = message.isStream;
  recordKeyUse(deps, exchange, key, message.model);
  checkModels(key, message);
  const { key: payer, body } = applyGroupTag(exchange.laptop, { key, message, body: sent });
  const chosen = chooseUpstreams(deps, key, message.objects);
  let order = chosen instanceof Promise ? await chosen : chosen;
  if (!isMessage) return sendRequest(relayDeps, exchange, { order, body, metered: null });
  scope.modelGroup = modelGroupOf(message.model);
  const taken = acquireRate(deps, scope, exchange.rate);
  exchange.rate = taken instanceof Promise ? await taken : taken;
  if (isClientGone(exchange)) return false;
  const admitting = { exchange, key: payer, message, body, order };
  const admitted = admit(deps, admitting);
  let ready = admitted instanceof Promise ? await admitted : admitted;
  if (ready === null) return false;
  try {
    const hasWaited = admitted instanceof Promise || taken instanceof Promise;
    if (hasWaited || early instanceof Promise || chosen instanceof Promise) {
      // During a wait the key can be revoked, and the upstreams can change.
      const confirmed = await confirmAdmission(deps, admitting, ready, async () => {
        checkModels(await authenticateKey(deps, keyCall), message);
        return chooseUpstreams(deps, key, message.objects);
      });
      if (confirmed === null) return false;
      ({ metered: ready, order } = confirmed);
    }
    // From here on, the request ends in exactly one record.
    if (deps.writeBegin === undefined) deps.meter.begin(ready.begin);
    else await deps.writeBegin(ready.begin);
  } catch (error) {
    deps.leases.drop(exchange.requestId);
    throw error;
  }
  [ready.upstream] = order;
  ready.isSimulated = ready.upstream.kind === "simulator";
  return sendRequest(relayDeps, exchange, { order, body, metered: ready });
}

function serveModels(
  deps: ServingDeps,
  relayDeps: RelayDeps,
  exchange: Exchange,
  key: FoundKey,
): boolean | Promise<boolean> {
  recordKeyUse(deps, exchange, key, null);
  const order = deps.upstreams.forWorkspace(key.organizationId, key.workspaceId);
  const allowed = findListFilter(exchange.call.target, key.allowedModels);
  const { onDone } = relayDeps;
  if (allowed !== null)
    return listModels(exchange, { upstream: findWorking(order), allowed, onDone });
  return sendRequest(relayDeps, exchange, { order, body: null, metered: null });
}

/** Accepts a call about a stored object. The rate limits of all models count a batch as one request. */
async function acceptObject(
  deps: ServingDeps,
  { relayDeps, shares, exchange }: Serving,
  accepted: { route: ObjectRoute; key: FoundKey },
): Promise<boolean> {
  const { onDone } = relayDeps;
  const { route, key } = accepted;
  if (route.operation === "batches.create") {
    exchange.rate = await acquireEarlyRate(deps, exchange, key, rateScopeOf(key, ALL_MODELS));
  }
  recordKeyUse(deps, exchange, key, null);
  if (isClientGone(exchange)) return false;
  const bodyLimits = deps.bodyLimits ?? DEFAULT_BODY_LIMITS;
  const bodyMemory = makeBodyMemory(shares);
  return serveObject({ ...deps, onDone, bodyLimits, bodyMemory }, exchange, accepted);
}

/**
 * Records the use of a key before a possible refusal, because a member who rotates or revokes the key must see refused
 * attempts too. The use has the time of the key's check, which is never after the end of the accepted secret.
 */
function recordKeyUse(
  deps: GatewayDeps,
  exchange: Exchange,
  key: FoundKey,
  model: string | null,
): void {
  deps.keyUse.record({
    secretId: key.secretId,
    atMs: exchange.keyCheckedAtMs,
    address: deps.clientAddress(exchange.call),
    model,
  });
}

/** Acquires the rate limits that need no model. A refused attempt is a use of its key too. */
function acquireEarlyRate(
  deps: GatewayDeps,
  exchange: Exchange,
  key: FoundKey,
  scope: RateScope,
): RateTicket | null | Promise<RateTicket> {
  const onRefused = (error: unknown): never => {
    recordKeyUse(deps, exchange, key, null);
    throw error;
  };
  try {
    const ticket = acquireRate(deps, scope, null);
    return ticket instanceof Promise ? ticket.catch(onRefused) : ticket;
  } catch (error) {
    return onRefused(error);
  }
}

import type { Readable } from "node:stream";
import { TLSSocket } from "node:tls";
import { ApiError } from "#src/domain/api-error.ts";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import type { Logger } from "#src/lib/logger.ts";
import { readWhole, type StreamedAnswer } from "#src/lib/streamed-answer.ts";
import {
  hasBatches,
  makeLackedObjectsError,
  type Upstream,
  type UpstreamChoice,
  type UpstreamOrder,
} from "#src/upstreams/upstream.ts";
import { type Exchange, isClientGone, isUserKnown } from "./exchange.ts";
import { addIdentityHeaders, toClientHeaders, toUpstreamHeaders } from "./forward-headers.ts";
import {
  makeGoneError,
  openBody,
  type RequestBody,
  readDeclaredLength,
  toKeptBody,
  toStreamedBody,
} from "./object-body.ts";
import type { ObjectReferences } from "./object-references.ts";
import type { ObjectRoute } from "./object-routes.ts";
import { type BodyLimits, type BodyMemory, MAX_BODY_BYTES } from "./read-body.ts";
import { makeStoppingError } from "./refuse.ts";
import { toApiError } from "./relay-failure.ts";
import {
  type ServedAnswer,
  sendObjectRequest,
  type UpstreamRequest,
} from "./send-object-request.ts";

/** Answers calls about stored objects, and knows the owners of those that messages name. */
export interface ObjectServer extends ObjectReferences {
  /** Answers one call. A rejection is sent to the client as an error, if no head was sent. */
  serve(call: ObjectCall): Promise<void>;
}

/** Server of an installation without stored objects. */
export const noObjects: ObjectServer = {
  serve: ({ route, target }) =>
    Promise.reject(
      new ApiError(
        "route_not_found",
        `Not found: ${route.operation} (${target}) is not served here.`,
      ),
    ),
  findUpstreamId() {
    throw new ApiError("route_not_found", "This server stores no objects.");
  },
  recordGiven: () => Promise.resolve(),
};

/** Longest body that is kept for another upstream, bytes: as of a message. */
const MAX_KEPT_BYTES = MAX_BODY_BYTES;

function featureOf({ operation }: ObjectRoute): "files" | "skills" | "message_batches" {
  if (operation.startsWith("batches.")) return "message_batches";
  return operation.startsWith("files.") ? "files" : "skills";
}

export interface ObjectCallDeps {
  upstreams: UpstreamChoice;
  bodyMemory: BodyMemory;
  databaseNowMs: () => number;
  logger: Logger;
  /** Address of this server for clients. Null: unknown. */
  publicUrl: () => string | null;
  bodyLimits: BodyLimits;
  /** Longest silence of an upstream or a client, milliseconds. */
  idleTimeoutMs: number;
}

/** One call about a stored object, after its key was accepted. */
export class ObjectCall {
  readonly route: ObjectRoute;
  readonly key: FoundKey;
  readonly #deps: ObjectCallDeps;
  readonly #exchange: Exchange;
  readonly #leaving = new AbortController();
  readonly #stopping = new AbortController();
  #body: Readable | null = null;

  constructor(
    deps: ObjectCallDeps,
    exchange: Exchange,
    { route, key }: { route: ObjectRoute; key: FoundKey },
  ) {
    this.#deps = deps;
    this.#exchange = exchange;
    this.route = route;
    this.key = key;
  }

  get requestId(): string {
    return this.#exchange.requestId;
  }

  /** Claims of a laptop. Null: the key has a secret of its own. */
  get laptop(): LaptopClaims | null {
    return this.#exchange.laptop;
  }

  /** Path and query as sent. */
  get target(): string {
    return this.#exchange.call.target;
  }

  get fields(): HeaderFields {
    return this.#exchange.call.fields;
  }

  get query(): URLSearchParams {
    const { target } = this;
    const start = target.indexOf("?");
    return new URLSearchParams(start === -1 ? "" : target.slice(start + 1));
  }

  /** Aborts when the client leaves or the server stops. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#leaving.signal, this.#stopping.signal]);
  }

  /** Address of this server for the client: the public one, or the one that the client used. */
  get origin(): string {
    const { call } = this.#exchange;
    const scheme = call.socket instanceof TLSSocket ? "https" : "http";
    return this.#deps.publicUrl() ?? `${scheme}://${call.fields.find("host") ?? "localhost"}`;
  }

  /** Returns the upstreams of the workspace that have such objects, in order. Throws if none has them. */
  upstreams(): UpstreamOrder {
    const { organizationId, workspaceId } = this.key;
    const order = this.#deps.upstreams.forWorkspace(organizationId, workspaceId);
    const feature = featureOf(this.route);
    const [first, ...others] = order.filter((upstream) =>
      feature === "message_batches" ? hasBatches(upstream) : upstream.objects !== null,
    );
    if (first !== undefined) return [first, ...others];
    throw makeLackedObjectsError(order[0].kind, feature);
  }

  /** Returns the upstream of a stored object. Throws a 503 if the upstream cannot be used. */
  getUpstream(id: string): Upstream {
    const upstream = this.#deps.upstreams.find(this.key.organizationId, id);
    if (upstream !== null) return upstream;
    throw new ApiError(
      "upstream_unusable",
      "The upstream that stores this object is no longer set up, or cannot be used.",
    );
  }

  /** Opens the body of the client. Throws a 413 or a 400 by its headers. `bytes`: its declared length. Null: none. */
  openBody(maxBytes: number): { body: Readable; bytes: number | null } {
    const { call } = this.#exchange;
    const bytes = readDeclaredLength(call, maxBytes);
    this.#body = openBody(call, { maxBytes, limits: this.#deps.bodyLimits });
    return { body: this.#body, bytes };
  }

  /**
   * Receives the body of a creation. With several upstreams, a body of at most `MAX_KEPT_BYTES` is read into memory, so that
   * each of them can get it. Any other body is a stream. Rejects as `openBody` does, and with the refusals of `Shares`.
   */
  async receiveBody(maxBytes: number): Promise<RequestBody> {
    const { body, bytes } = this.openBody(maxBytes);
    const isKept =
      bytes !== null &&
      bytes <= MAX_KEPT_BYTES &&
      this.upstreams().length > 1 &&
      this.#deps.bodyMemory.hasRoom(this.#exchange, bytes);
    if (!isKept) return toStreamedBody(body, bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) {
      this.#deps.bodyMemory.take(this.#exchange, chunk.length);
      chunks.push(chunk);
    }
    return toKeptBody(Buffer.concat(chunks, bytes));
  }

  /** Sends a request to one upstream, as `sendInOrder` does. */
  async send(upstream: Upstream, request: UpstreamRequest): Promise<StreamedAnswer> {
    return (await this.sendInOrder([upstream], request)).answer;
  }

  /**
   * Sends a request with the client's headers to the first upstream that takes it, once to each. A read ends when the client
   * leaves. Others continue, so that their result can be recorded. Rejects with the error for the client.
   */
  async sendInOrder(order: UpstreamOrder, request: UpstreamRequest): Promise<ServedAnswer> {
    const { logger, databaseNowMs, idleTimeoutMs: silenceMs } = this.#deps;
    const user = isUserKnown(this.#exchange);
    const served = await sendObjectRequest(
      {
        makeHeaders: ({ credential }) => toUpstreamHeaders(this.fields, credential, user),
        databaseNowMs,
        isClientGone: () => isClientGone(this.#exchange),
        silenceMs,
        signal: request.method === "GET" ? this.signal : this.#stopping.signal,
      },
      order,
      request,
    );
    const { upstream, failover } = served;
    if (failover !== null) {
      const { requestId, route } = this;
      const facts = { requestId, operation: route.operation, upstreamId: upstream.id, failover };
      logger.info(facts, "another upstream has answered a call about an object");
    }
    return served;
  }

  /** Sends a JSON answer of this server. */
  answer(status: number, value: unknown): void {
    const { call, identity, requestId } = this.#exchange;
    if (call.isGone || call.isHeadSent) return;
    const body = Buffer.from(JSON.stringify(value));
    const headers = FieldLines.fromList(["content-type", "application/json"]);
    headers.add("content-length", String(body.length));
    headers.add("request-id", requestId);
    if (identity !== null) addIdentityHeaders(headers, identity);
    call.writeHead(status, headers);
    call.end(body);
  }

  /** Sends an answer of an upstream unchanged, with its listed headers. */
  async relay({ status, fields, body }: StreamedAnswer): Promise<void> {
    const { call } = this.#exchange;
    if (call.isGone) {
      body.destroy();
      return;
    }
    call.writeHead(status, this.#toClientLines(status, fields));
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (!call.write(chunk)) await this.#waitForReader();
    }
    call.end(undefined, this.#deps.idleTimeoutMs);
  }

  /** Reads the body of an answer of an upstream. Rejects with the error for the client. */
  async readAnswer(answer: StreamedAnswer, maxBytes: number): Promise<Buffer> {
    try {
      return await readWhole(answer, maxBytes);
    } catch (error) {
      throw toApiError(error, true);
    }
  }

  /** Sends an answer of an upstream whose body was read. */
  relayRead({ status, fields }: StreamedAnswer, body: Buffer): void {
    const { call } = this.#exchange;
    if (call.isGone) return;
    call.writeHead(status, this.#toClientLines(status, fields));
    call.end(body);
  }

  /** Releases the body of the client, and drops the rest of it. */
  closeBody(): void {
    this.#body?.destroy();
  }

  /** Called when the client leaves. */
  onClientGone(): void {
    this.#body?.destroy(makeGoneError());
    this.#leaving.abort(makeGoneError());
  }

  abortForShutdown(): void {
    this.#body?.destroy(makeStoppingError());
    this.#stopping.abort(makeStoppingError());
  }

  #toClientLines(status: number, fields: HeaderFields): FieldLines {
    const { identity, requestId, laptop } = this.#exchange;
    const ours = identity ?? { requestId, organizationId: "", workspaceId: "" };
    const facts = { status, isStream: false, isLaptop: laptop !== null, rates: null };
    return toClientHeaders(fields, ours, facts);
  }

  /** Resolves when a slow client has read the buffered bytes. Rejects if that takes too long, or the client leaves. */
  async #waitForReader(): Promise<void> {
    const { call } = this.#exchange;
    const drained = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => drained.reject(new Error("the client does not read")),
      this.#deps.idleTimeoutMs,
    );
    const onAbort = () => drained.reject(makeGoneError());
    const { signal } = this;
    signal.addEventListener("abort", onAbort, { once: true });
    call.onDrain = () => drained.resolve();
    try {
      await drained.promise;
    } finally {
      call.onDrain = null;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }
}

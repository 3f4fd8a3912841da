import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import type { Logger } from "#src/lib/logger.ts";
import { markJson } from "./mark-json.ts";
import { markProtobuf } from "./mark-protobuf.ts";
import { toPersonAttributes } from "./person-attributes.ts";

// Relays telemetry of laptops to the company's receiver. The client has its answer before, so a slow receiver delays no one.
// A bounded queue in memory waits for the receiver, and drops what does not fit.

type TelemetrySignal = "metrics" | "logs" | "traces";

/** Result of one export: relayed, dropped before, or refused by the receiver. */
export type TelemetryOutcome = "relayed" | "queue_full" | "invalid" | "failed";

interface TelemetryReceiver {
  /** Address without a slash at its end, such as `https://otel.example.com`. */
  url: string;
  headers: Readonly<Record<string, string>>;
}

export interface TelemetryExport {
  signal: TelemetrySignal;
  contentType: "application/json" | "application/x-protobuf";
  isCompressed: boolean;
  body: Buffer;
  claims: LaptopClaims;
}

interface TelemetryRelayOptions {
  receiver: TelemetryReceiver;
  client: Pick<GuardedClient, "post">;
  /** Finds the address of a member. Rejects without the database. */
  findEmail: (claims: Pick<LaptopClaims, "organizationId" | "memberId">) => Promise<string | null>;
  observe: (outcome: TelemetryOutcome) => void;
  logger: Logger;
}

/** Bytes of exports that wait or are sent. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const MAX_RUNNING = 4;
/** Bytes of a decompressed export. */
const MAX_EXPORT_BYTES = 8 * 1024 * 1024;

const decompress = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

export class TelemetryRelay {
  readonly #options: TelemetryRelayOptions;
  readonly #waiting: TelemetryExport[] = [];
  #queuedBytes = 0;
  #running = 0;
  #hasFailed = false;

  constructor(options: TelemetryRelayOptions) {
    this.#options = options;
  }

  /** Queues an export. Never waits, never throws. */
  relay(sent: TelemetryExport): void {
    if (this.#queuedBytes + sent.body.length > MAX_QUEUED_BYTES) {
      this.#options.observe("queue_full");
      return;
    }
    this.#queuedBytes += sent.body.length;
    this.#waiting.push(sent);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#running < MAX_RUNNING) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      void this.#send(next).then((outcome) => {
        this.#running -= 1;
        this.#queuedBytes -= next.body.length;
        this.#options.observe(outcome);
        this.#startNext();
      });
    }
  }

  async #send(sent: TelemetryExport): Promise<TelemetryOutcome> {
    const { receiver, client } = this.#options;
    const body = await this.#mark(sent).catch(() => null);
    if (body === null) return "invalid";
    const answer = await client.post({
      url: `${receiver.url}/v1/${sent.signal}`,
      headers: { "content-type": sent.contentType, ...receiver.headers },
      body,
    });
    const isTaken = answer.kind === "answered" && answer.status < 300;
    this.#report(isTaken, answer.kind === "answered" ? `status ${answer.status}` : answer.reason);
    return isTaken ? "relayed" : "failed";
  }

  async #mark({ body, contentType, isCompressed, claims }: TelemetryExport): Promise<Buffer> {
    const { organizationId, memberId, laptopId, groupNames } = claims;
    const bytes = isCompressed
      ? await decompress(body, { maxOutputLength: MAX_EXPORT_BYTES })
      : body;
    const email = await this.#options.findEmail(claims).catch(() => null);
    const person = { memberId, email, organizationId, laptopId, groupNames };
    const attributes = toPersonAttributes(person);
    return contentType === "application/json"
      ? markJson(bytes, attributes)
      : markProtobuf(bytes, attributes);
  }

  /** Logs the first failure in a row, and the end of the failures. */
  #report(isTaken: boolean, reason: string): void {
    if (isTaken !== this.#hasFailed) return;
    this.#hasFailed = !isTaken;
    if (isTaken) this.#options.logger.info("the telemetry receiver accepts exports again");
    else this.#options.logger.warn({ reason }, "the telemetry receiver does not accept exports");
  }
}

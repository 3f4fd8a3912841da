import { ExportMarker } from "./export-marker.ts";
import { ExportQueue } from "./export-queue.ts";
import { type FindEmail, markExport, type TelemetryExport } from "./mark-export.ts";
import type { Receiver, ReceiverHealth } from "./receiver.ts";
import { ReceiverSender, type SenderOptions } from "./receiver-sender.ts";
import type { MarkedExport } from "./send-export.ts";

// Relays telemetry of laptops to the receivers of their organization. The client has its answer before. Each organization and
// each receiver has its own bounded queue in memory, in which members take turns. So a slow receiver delays nothing else.

interface TelemetryRelayOptions extends SenderOptions {
  /** Receiver of the server's settings. Null: none. */
  environment: Receiver | null;
  findEmail: FindEmail;
}

/** Bytes of exports of one organization that wait for their mark. */
const MAX_UNMARKED_BYTES = 16 * 1024 * 1024;

interface OrganizationRelay {
  /** Exports without the person yet. */
  unmarked: ExportQueue<TelemetryExport>;
  /** Queues of receivers, by their id. */
  senders: Map<string, ReceiverSender>;
}

export class TelemetryRelay {
  readonly #options: TelemetryRelayOptions;
  readonly #marker = new ExportMarker();
  readonly #organizations = new Map<string, OrganizationRelay>();

  constructor(options: TelemetryRelayOptions) {
    this.#options = options;
    this.setReceivers([]);
  }

  get environment(): Receiver | null {
    return this.#options.environment;
  }

  /** Queues an export for all receivers of its organization and signal. Never waits, never throws. */
  relay(sent: TelemetryExport): void {
    const organization = this.#organizations.get(sent.claims.organizationId);
    if (organization === undefined) return;
    const senders = listSenders(organization, sent);
    if (senders.length === 0) return;
    const { memberId } = sent.claims;
    if (organization.unmarked.add(sent, { memberId, bytes: sent.body.length })) return;
    for (const sender of senders) sender.drop();
  }

  /** Replaces the stored receivers of all organizations. Exports that wait for a removed one are dropped. */
  setReceivers(stored: readonly Receiver[]): void {
    const { environment } = this.#options;
    const receivers = environment === null ? stored : [...stored, environment];
    const byOrganization = Map.groupBy(receivers, ({ organizationId }) => organizationId);
    for (const [id, organization] of this.#organizations) {
      const kept = new Set(byOrganization.get(id)?.map((receiver) => receiver.id));
      removeSenders(organization, kept);
      if (kept.size === 0) this.#organizations.delete(id);
    }
    for (const [id, list] of byOrganization) {
      const organization = this.#organizations.get(id) ?? this.#makeOrganization();
      this.#organizations.set(id, organization);
      for (const receiver of list) this.#setReceiver(organization, receiver);
    }
  }

  /** Returns the newest results of this node. Null: it sent nothing to the receiver. */
  findHealth({ organizationId, id }: Pick<Receiver, "organizationId" | "id">) {
    return this.#organizations.get(organizationId)?.senders.get(id)?.health ?? null;
  }

  /** Returns results of stored receivers since the previous call. */
  takeNews(): { receiver: Receiver; health: ReceiverHealth }[] {
    const { environment } = this.#options;
    const senders = [...this.#organizations.values()].flatMap((each) => [...each.senders.values()]);
    return senders.flatMap((sender) => {
      const { receiver } = sender;
      const health = receiver === environment ? null : sender.takeNews();
      return health === null ? [] : [{ receiver, health }];
    });
  }

  /** Ends the thread that marks exports. */
  close(): Promise<void> {
    return this.#marker.close();
  }

  #makeOrganization(): OrganizationRelay {
    const organization: OrganizationRelay = {
      senders: new Map(),
      unmarked: new ExportQueue({
        maxBytes: MAX_UNMARKED_BYTES,
        maxRunning: 1,
        run: (sent) => this.#mark(organization, sent),
      }),
    };
    return organization;
  }

  #setReceiver({ senders }: OrganizationRelay, receiver: Receiver): void {
    const sender = senders.get(receiver.id);
    if (sender === undefined) senders.set(receiver.id, new ReceiverSender(receiver, this.#options));
    else sender.set(receiver);
  }

  /** Marks an export once, for all its receivers. */
  async #mark(organization: OrganizationRelay, sent: TelemetryExport): Promise<void> {
    const { findEmail, logger, observe } = this.#options;
    let marked: MarkedExport | null;
    try {
      marked = await markExport(sent, { findEmail, marker: this.#marker });
    } catch (error) {
      logger.warn({ err: error }, "an export of telemetry is lost, because its thread failed");
      observe("failed");
      return;
    }
    if (marked === null) {
      observe("invalid");
      return;
    }
    const { memberId } = sent.claims;
    for (const sender of listSenders(organization, sent)) sender.add(marked, memberId);
  }
}

/** Parts of the relay that the HTTP side uses. */
export type Telemetry = Pick<TelemetryRelay, "relay" | "environment" | "findHealth">;

function listSenders(
  { senders }: OrganizationRelay,
  { signal }: Pick<MarkedExport, "signal">,
): ReceiverSender[] {
  return [...senders.values()].filter(({ receiver }) => receiver.signals.includes(signal));
}

function removeSenders({ senders }: OrganizationRelay, kept: ReadonlySet<string>): void {
  for (const [id, sender] of senders) {
    if (kept.has(id)) continue;
    sender.close();
    senders.delete(id);
  }
}

import { telemetrySignals } from "@bursar/contract/telemetry-signals.ts";
import { listNames } from "../../kit/consequences/sentences.ts";
import { formatPlural, formatRelative } from "../../ui/format.ts";
import type { Receiver, Signal } from "./telemetry-queries.ts";

// Effects of changes of telemetry receivers, as sentences.

interface Stopped {
  receiver: Pick<Receiver, "id" | "signals" | "last_relayed_at" | "is_enabled">;
  /** All receivers. */
  receivers: readonly Pick<Receiver, "id" | "signals" | "is_enabled">[];
  /** Active laptops. Undefined: unknown. */
  laptops: number | undefined;
  isDeleted: boolean;
  nowMs: number;
}

/** Effects of a receiver that is turned off or deleted. */
export function describeStoppedReceiver(stopped: Stopped): string[] {
  const { receiver, laptops, isDeleted, nowMs } = stopped;
  const { last_relayed_at: at } = receiver;
  const use = at === null ? "The receiver has accepted no export yet." : describeExport(at, nowMs);
  const end = isDeleted
    ? "The stored headers are permanently deleted."
    : "Turn the receiver on to continue. Telemetry of the meantime is not sent later.";
  if (!receiver.is_enabled) return [use, end];
  const source = laptops === undefined ? "laptops" : formatPlural(laptops, "laptop");
  return [
    use,
    `The receiver gets no more ${nameSignals(receiver.signals)} of ${source}.`,
    ...describeDiscarded(findDiscarded(stopped)),
    end,
  ];
}

function describeExport(at: string, nowMs: number): string {
  return `The receiver accepted the last export ${formatRelative(at, nowMs)}.`;
}

/** Signals that no other receiver gets. */
function findDiscarded({ receiver, receivers }: Stopped): Signal[] {
  const others = receivers.filter(({ id, is_enabled }) => is_enabled && id !== receiver.id);
  return receiver.signals.filter((signal) =>
    others.every(({ signals }) => !signals.includes(signal)),
  );
}

function describeDiscarded(signals: readonly Signal[]): string[] {
  if (signals.length === 0) return [];
  return [`No other receiver gets ${nameSignals(signals)}, so they are discarded.`];
}

interface Changed {
  before: Pick<Receiver, "url" | "signals" | "header_names">;
  url: string;
  signals: readonly Signal[];
  hasNewHeaders: boolean;
}

/** Effects of another address, other headers or fewer signals. */
export function describeChangedReceiver(changed: Changed): string[] {
  const { before, url, signals, hasNewHeaders } = changed;
  const sentences: string[] = [];
  if (url !== before.url) {
    sentences.push("Telemetry is sent to the new address from the next export on.");
  }
  if (before.header_names.length > 0) {
    if (hasNewHeaders) {
      sentences.push(`The stored headers are deleted: ${listNames(before.header_names)}.`);
    } else if (findOrigin(url) !== findOrigin(before.url)) {
      sentences.push("The stored headers are deleted, because the host is another one.");
    }
  }
  const removed = before.signals.filter((signal) => !signals.includes(signal));
  if (removed.length > 0) sentences.push(`The receiver gets no more ${nameSignals(removed)}.`);
  return sentences;
}

/** The server seals headers for an origin. */
function findOrigin(url: string): string | null {
  return URL.canParse(url) ? new URL(url).origin : null;
}

const listFormat = new Intl.ListFormat("en-GB");

function nameSignals(signals: readonly Signal[]): string {
  return listFormat.format(telemetrySignals.filter((signal) => signals.includes(signal)));
}

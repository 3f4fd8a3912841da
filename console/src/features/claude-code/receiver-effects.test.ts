import { expect, test } from "vitest";
import { describeChangedReceiver, describeStoppedReceiver } from "./receiver-effects.ts";

const nowMs = Date.parse("2026-11-30T06:12:00Z");
const receiver = {
  id: "tlrc_a",
  signals: ["metrics" as const, "logs" as const],
  is_enabled: true,
  last_relayed_at: "2026-11-30T06:10:00.000Z",
};
const other = { id: "tlrc_b", signals: ["metrics" as const], is_enabled: true };

test("a stopped receiver names its last export and the signals that are discarded", () => {
  const stopped = { receiver, receivers: [receiver, other], laptops: 12, nowMs };
  expect(describeStoppedReceiver({ ...stopped, isDeleted: false })).toEqual([
    "The receiver accepted the last export 2 minutes ago.",
    "The receiver gets no more metrics and logs of 12 laptops.",
    "No other receiver gets logs, so they are discarded.",
    "Turn the receiver on to continue. Telemetry of the meantime is not sent later.",
  ]);
});

test("a receiver that is off loses its headers alone", () => {
  const off = { ...receiver, is_enabled: false, last_relayed_at: null };
  const stopped = { receiver: off, receivers: [off], laptops: undefined, nowMs };
  expect(describeStoppedReceiver({ ...stopped, isDeleted: true })).toEqual([
    "The receiver has accepted no export yet.",
    "The stored headers are permanently deleted.",
  ]);
});

test("another host deletes the stored headers, and fewer signals are named", () => {
  const before = {
    url: "https://otel.example.com:4318",
    signals: ["metrics" as const, "logs" as const, "traces" as const],
    header_names: ["authorization"],
  };
  const moved = { before, url: "https://otel.example.org", signals: before.signals };
  expect(describeChangedReceiver({ ...moved, hasNewHeaders: false })).toEqual([
    "Telemetry is sent to the new address from the next export on.",
    "The stored headers are deleted, because the host is another one.",
  ]);
  const fewer = { before, url: before.url, signals: ["metrics" as const], hasNewHeaders: true };
  expect(describeChangedReceiver(fewer)).toEqual([
    "The stored headers are deleted: authorization.",
    "The receiver gets no more logs and traces.",
  ]);
  const same = { before, url: before.url, signals: before.signals, hasNewHeaders: false };
  expect(describeChangedReceiver(same)).toEqual([]);
});

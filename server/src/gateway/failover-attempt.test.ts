import { expect, test } from "vitest";
import type { HttpCallHandler } from "#src/lib/http-client.ts";
import { makeAnthropicUpstream } from "#src/upstreams/anthropic.ts";
import { OPEN_MS } from "#src/upstreams/upstream-health.ts";
import { type FailoverCall, sendWithFailover } from "./failover.ts";

const ignore: HttpCallHandler = {
  onRequestStart: () => undefined,
  onRequestSent: () => undefined,
  onResponseStart: () => undefined,
  onResponseData: () => undefined,
  onResponseEnd: () => undefined,
  onResponseError: () => undefined,
};

test("an attempt that is over before its first byte lets the next request try the upstream", () => {
  let nowMs = 1_000_000;
  const upstream = makeAnthropicUpstream({
    baseUrl: "http://127.0.0.1:1",
    credential: "key",
    id: "ups_1",
    source: "stored",
    idleTimeoutMs: 1_000,
    turnEnd: null,
  });
  const { health } = upstream;
  while (health.isClosed) health.noteFailure("test", nowMs);
  nowMs += OPEN_MS.least;
  let isOver = false;
  const attempts: HttpCallHandler[] = [];
  const call: FailoverCall = {
    order: [upstream],
    sender: { isOver: () => isOver, isPinned: () => false, onServed: () => undefined },
    databaseNowMs: () => nowMs,
    send: (_, attempt) => void attempts.push(attempt),
  };
  sendWithFailover(ignore, call);
  expect(health.facts().state).toBe("half_open");
  isOver = true;
  const aborted: Error[] = [];
  attempts[0]?.onRequestStart({
    pause: () => undefined,
    resume: () => undefined,
    abort: (reason) => void aborted.push(reason),
  });
  expect(aborted.length).toBe(1);
  expect(health.facts().state).toBe("open");
  expect(health.admit(nowMs)).toBe(true);
});

import type { ErrorCode } from "@bursar/contract/errors.ts";
import { expect, test } from "vitest";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { RecentCuts, type Refused } from "./recent-cuts.ts";

const KEPT_MS = 60_000;
const MAX_CUTS = 1_000;

function makeRequest({
  session = "session-1",
  agent,
  keyId = "apikey_1",
  model = "claude-opus-5",
  isStream = false,
}: {
  session?: string | null;
  agent?: string;
  keyId?: string;
  model?: string;
  isStream?: boolean;
} = {}): Refused {
  const lines = [
    ...(session === null ? [] : ["x-claude-code-session-id", session]),
    ...(agent === undefined ? [] : ["x-claude-code-agent-id", agent]),
  ];
  const call = { fields: HeaderFields.fromList(lines) };
  return { isStream, requestedModel: model, key: { id: keyId }, call };
}

function makeCuts() {
  const cuts = new RecentCuts();
  const explain = (request: Refused, code: ErrorCode, message: string, nowMs: number) =>
    cuts.explain(
      request,
      { code },
      { status: 429, type: "billing_error", headers: {}, message },
      nowMs,
    ).message;
  return {
    cut: (request: Refused, nowMs = 0) =>
      explain(request, "stream_cut_limit_spent", "This response was stopped.", nowMs),
    refuse: (request: Refused, nowMs = 0, code: ErrorCode = "request_too_large_for_limit") =>
      explain(request, code, "Too large.", nowMs),
  };
}

test("a request that repeats a cut one as JSON is refused with the reason of the cut, once", () => {
  const { cut, refuse } = makeCuts();
  expect(cut(makeRequest({ isStream: true }))).toBe("This response was stopped.");
  expect(refuse(makeRequest(), KEPT_MS)).toBe("This response was stopped.");
  expect(refuse(makeRequest(), KEPT_MS)).toBe("Too large.");
});

test("a spent limit has the reason of the cut too", () => {
  const { cut, refuse } = makeCuts();
  cut(makeRequest({ isStream: true }));
  expect(refuse(makeRequest(), 0, "spend_limit_reached")).toBe("This response was stopped.");
});

test.each<[string, Refused]>([
  ["of another session", makeRequest({ session: "session-2" })],
  ["of another agent", makeRequest({ agent: "agent-1" })],
  ["of another key", makeRequest({ keyId: "apikey_2" })],
  ["of another model", makeRequest({ model: "claude-haiku-4-5" })],
  ["that asks for a stream", makeRequest({ isStream: true })],
  ["without a session", makeRequest({ session: null })],
])("a request %s is refused with its own reason", (_, request) => {
  const { cut, refuse } = makeCuts();
  cut(makeRequest({ isStream: true }));
  expect(refuse(request)).toBe("Too large.");
});

test("a refusal by another cause keeps its reason", () => {
  const { cut, refuse } = makeCuts();
  cut(makeRequest({ isStream: true }));
  expect(refuse(makeRequest(), 0, "budget_held")).toBe("Too large.");
});

test("a request a minute after the cut is refused with its own reason", () => {
  const { cut, refuse } = makeCuts();
  cut(makeRequest({ isStream: true }));
  expect(refuse(makeRequest(), KEPT_MS + 1)).toBe("Too large.");
});

test("the oldest of many cuts is forgotten", () => {
  const { cut, refuse } = makeCuts();
  for (let at = 0; at <= MAX_CUTS; at++) cut(makeRequest({ session: `s${at}`, isStream: true }));
  expect(refuse(makeRequest({ session: "s0" }))).toBe("Too large.");
  expect(refuse(makeRequest({ session: "s1" }))).toBe("This response was stopped.");
});

import { expect, test } from "vitest";
import type { LoggedRequest } from "../requests/queries.ts";
import type { Refusal } from "../requests/refusal-words.ts";
import { choosePollMs, findFirstRequestState } from "./first-request.ts";

const request = (id: string, minute: number, fields: Partial<LoggedRequest> = {}) =>
  ({
    ...{ id, outcome: "answered", cut: null, started_at: `2026-11-30T06:0${minute}:00.000Z` },
    ...fields,
  }) as LoggedRequest;
const refusal = (id: string, minute: number) =>
  ({ id, refused_at: `2026-11-30T06:0${minute}:00.000Z` }) as Refusal;
const none = { request: null, refusal: null };

test("without a request, the state waits for the first one", () => {
  expect(findFirstRequestState(none, none)).toEqual({ arrival: null, isNew: false, isFirst: true });
});

test("an answered request of a new key is the first one", () => {
  const first = request("req_1", 1);
  expect(findFirstRequestState({ ...none, request: first }, none)).toEqual({
    arrival: { kind: "answered", request: first },
    isNew: true,
    isFirst: true,
  });
});

test("a request from before the wait is shown as the last one", () => {
  const before = { ...none, request: request("req_1", 1) };
  expect(findFirstRequestState(before, before)).toEqual({
    arrival: { kind: "answered", request: before.request },
    isNew: false,
    isFirst: false,
  });
});

test("the later one of a refusal and a request counts", () => {
  const refused = refusal("req_2", 2);
  const answered = request("req_3", 3);
  expect(findFirstRequestState({ request: null, refusal: refused }, none).arrival).toEqual({
    kind: "refused",
    refusal: refused,
  });
  expect(findFirstRequestState({ request: answered, refusal: refused }, none).arrival).toEqual({
    kind: "answered",
    request: answered,
  });
});

test("a new refusal counts more than an earlier request", () => {
  const before = { ...none, request: request("req_3", 3) };
  const newest = { ...before, refusal: refusal("req_4", 4) };
  expect(findFirstRequestState(newest, before)).toEqual({
    arrival: { kind: "refused", refusal: newest.refusal },
    isNew: true,
    isFirst: false,
  });
});

test.each([
  [request("req_1", 1, { outcome: "refused" } as Partial<LoggedRequest>)],
  [request("req_1", 1, { cut: {} } as Partial<LoggedRequest>)],
])("a request without a whole answer has failed (%#)", (failed) => {
  expect(findFirstRequestState({ ...none, request: failed }, none).arrival?.kind).toBe("failed");
});

test.each([
  [0, 2_000],
  [299_999, 2_000],
  [300_000, 15_000],
  [3_600_000, null],
])("after %d ms of waiting, the next query follows in %s ms", (waitedMs, everyMs) => {
  expect(choosePollMs(waitedMs)).toBe(everyMs);
});

import { expect, test } from "vitest";
import { describeFailure, type NodeHealth, summarizeHealth } from "./health-words.ts";

const node: NodeHealth = {
  ...{ state: "closed", answers: 0, failures_in_row: 0 },
  ...{ last_answer_at: null, last_failure_at: null, last_failure: null },
};
const working: NodeHealth = { ...node, answers: 3, last_answer_at: "2026-11-30T10:00:00.000Z" };
const open: NodeHealth = {
  ...{ ...node, state: "open", failures_in_row: 5 },
  ...{ last_failure_at: "2026-11-30T10:01:00.000Z", last_failure: "http_502" },
};

test("without a report or a request, there was no request yet", () => {
  const expected = { label: "no request yet", tone: "plain" };
  expect(summarizeHealth([])).toMatchObject(expected);
  expect(summarizeHealth([node])).toMatchObject({ ...expected, lastFailure: null });
});

test("an answer shows that the upstream works, and failures in a row that it fails", () => {
  expect(summarizeHealth([node, working])).toMatchObject({ label: "working", tone: "good" });
  expect(summarizeHealth([working, { ...node, failures_in_row: 1 }])).toMatchObject({
    ...{ label: "failing", tone: "warn" },
  });
});

test("an open circuit is bad on all nodes, and named by their number on some", () => {
  expect(summarizeHealth([open])).toMatchObject({ label: "circuit open", tone: "bad" });
  expect(summarizeHealth([open, working])).toMatchObject({
    ...{ label: "circuit open on 1 of 2 nodes", tone: "warn" },
  });
  expect(summarizeHealth([{ ...open, state: "half_open" }])).toMatchObject({
    ...{ label: "circuit half open", tone: "warn" },
  });
});

test("the last answer and the last failure are those of any node", () => {
  const later = { ...working, last_answer_at: "2026-11-30T10:02:00.000Z" };
  const earlier = { ...open, last_failure_at: "2026-11-30T09:00:00.000Z", last_failure: "EPIPE" };
  expect(summarizeHealth([working, earlier, open, later])).toMatchObject({
    lastAnswerAt: "2026-11-30T10:02:00.000Z",
    lastFailureAt: "2026-11-30T10:01:00.000Z",
    lastFailure: "HTTP 502",
  });
});

test.each([
  ["ECONNREFUSED", "connection refused"],
  ["http_500", "HTTP 500"],
  ["EPIPE", "EPIPE"],
])("the failure %s is shown as %s", (code, words) => {
  expect(describeFailure(code)).toBe(words);
});

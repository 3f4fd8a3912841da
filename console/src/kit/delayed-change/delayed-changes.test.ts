import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type DelayedChanges, makeDelayedChanges } from "./delayed-changes.ts";

const DELAY_MS = 10_000;
let changes: DelayedChanges;
let sent: string[];

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  changes = makeDelayedChanges({ delayMs: () => DELAY_MS, nowMs: () => Date.now() });
});
afterEach(() => vi.useRealTimers());

function delay(subject: string, done = "disabled", answers: (Error | null)[] = [null]): void {
  const send = async (isAttended: boolean) => {
    sent.push(`${subject} ${done}${isAttended ? " on request" : ""}`);
    const answer = answers.shift();
    if (answer) throw answer;
  };
  changes.delay({ subject, name: subject, done, send });
}

const shown = () => changes.all.get().map(({ name, state }) => `${name} ${state}`);

test("sends a change after its time, and nothing before", async () => {
  delay("key_a");
  await vi.advanceTimersByTimeAsync(DELAY_MS - 1);
  expect({ sent, shown: shown() }).toEqual({ sent: [], shown: ["key_a waiting"] });
  await vi.advanceTimersByTimeAsync(1);
  expect({ sent, shown: shown() }).toEqual({ sent: ["key_a disabled"], shown: [] });
});

test("never sends a change that was undone, and lets others wait on", async () => {
  delay("key_a");
  delay("key_b");
  const [first] = changes.all.get();
  expect(changes.undo(first?.id ?? "")).toBe(true);
  expect(shown()).toEqual(["key_b waiting"]);
  await vi.advanceTimersByTimeAsync(DELAY_MS);
  expect(sent).toEqual(["key_b disabled"]);
});

test("replaces a waiting change of the same thing", async () => {
  delay("key_a", "disabled");
  await vi.advanceTimersByTimeAsync(DELAY_MS / 2);
  delay("key_a", "revoked");
  await vi.advanceTimersByTimeAsync(DELAY_MS - 1);
  expect(sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent).toEqual(["key_a revoked"]);
});

test("keeps a refused change until it is sent again or dismissed", async () => {
  delay("key_a", "disabled", [new Error("refused"), null]);
  await vi.advanceTimersByTimeAsync(2 * DELAY_MS);
  expect(changes.all.get()).toMatchObject([{ state: "failed", error: { message: "refused" } }]);
  changes.sendNow(changes.all.get()[0]?.id ?? "");
  await vi.advanceTimersByTimeAsync(0);
  expect({ sent, shown: shown() }).toEqual({
    sent: ["key_a disabled", "key_a disabled on request"],
    shown: [],
  });
});

test("neither undoes nor repeats a change that is being sent", async () => {
  let finish = () => {};
  const answer = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const send = vi.fn(() => answer);
  changes.delay({ subject: "key_a", name: "key_a", done: "disabled", send });
  const id = changes.all.get()[0]?.id ?? "";
  changes.sendNow(id);
  changes.sendNow(id);
  expect(changes.undo(id)).toBe(false);
  await vi.advanceTimersByTimeAsync(2 * DELAY_MS);
  expect({ calls: send.mock.calls.length, shown: shown() }).toEqual({
    calls: 1,
    shown: ["key_a sending"],
  });
  finish();
  await vi.advanceTimersByTimeAsync(0);
  expect(shown()).toEqual([]);
});

test("drops all changes that were not sent", async () => {
  delay("key_a");
  delay("key_b");
  expect(changes.dropAll()).toBe(2);
  await vi.advanceTimersByTimeAsync(2 * DELAY_MS);
  expect({ sent, shown: shown() }).toEqual({ sent: [], shown: [] });
});

test("sends the oldest change at once if twenty others wait", async () => {
  for (let number = 0; number <= 20; number += 1) delay(`key_${number}`);
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual(["key_0 disabled"]);
  expect(changes.all.get().length).toBe(20);
});

import { expect, test } from "vitest";
import { beginRecord } from "#test/harness/request-records.ts";
import { HoldWishes } from "./hold-wishes.ts";
import { isStream, type RunningStream, startRunning } from "./running-request.ts";

function wishOf(requestId: string, workspaceId = "wksp_1") {
  return {
    requestId,
    stream: streamOf(requestId, workspaceId),
    nanoUsd: 20n,
    sinceMs: 0,
    askedMs: 0,
    lacking: [],
    covered: [],
  };
}

function streamOf(requestId: string, workspaceId: string): RunningStream {
  const { organizationId, apiKeyId } = beginRecord();
  const scope = { organizationId, workspaceId, apiKeyId, startedAtMs: 0 };
  const running = startRunning({ ...scope, requestId, amountNanoUsd: 100n }, [], undefined);
  const steps = { currentNanoUsd: 10n, usualNanoUsd: 0n, isIn: [], highest: [] };
  const stream = { ...running, steps };
  expect(isStream(stream)).toBe(true);
  return stream;
}

const idsOf = (wishes: readonly { requestId: string }[]) =>
  wishes.map(({ requestId }) => requestId).join(" ");

test("more wishes than places take turns, and a replaced wish keeps its turn", () => {
  const wishes = new HoldWishes();
  for (const id of ["a", "b", "c", "d", "e"]) expect(wishes.set(wishOf(id))).toBe(true);
  expect(wishes.set({ ...wishOf("a"), nanoUsd: 30n, sinceMs: 9 })).toBe(false);
  expect([1, 2, 3].map(() => idsOf(wishes.pick(2)))).toEqual(["a b", "c d", "e a"]);
  expect(wishes.find("a")).toMatchObject({ nanoUsd: 30n, sinceMs: 0 });
  wishes.remove("a");
  expect(idsOf(wishes.pick(2))).toBe("b c");
  expect(idsOf(wishes.pick(9))).toBe("b c d e");
});

test("a wish that is not granted does not block later ones, and other scopes are not tried", () => {
  const wishes = new HoldWishes();
  for (const id of ["a", "b"]) wishes.set(wishOf(id));
  wishes.set(wishOf("c", "wksp_2"));
  const tried: string[] = [];
  wishes.serve("wksp_1", ({ requestId }) => {
    tried.push(requestId);
    return requestId === "b" ? null : { lacking: ["balance_1"], covered: [] };
  });
  expect([wishes.isLacking("balance_1"), wishes.isLacking("balance_2")]).toEqual([true, false]);
  expect([tried.join(" "), idsOf(wishes.pick(9))]).toEqual(["a b", "a c"]);
  wishes.remove("a");
  expect(wishes.isLacking("balance_1")).toBe(false);
});

test("a wish that its stream does not repeat for two seconds ends", () => {
  const wishes = new HoldWishes();
  wishes.set({ ...wishOf("a"), lacking: ["balance_1"] });
  wishes.set(wishOf("b"));
  wishes.set({ ...wishOf("a"), askedMs: 1_000, lacking: ["balance_1"] });
  wishes.removeOld(2_001);
  expect([idsOf(wishes.pick(9)), wishes.isLacking("balance_1")]).toEqual(["a", true]);
  wishes.removeOld(3_001);
  expect([wishes.size, wishes.isLacking("balance_1")]).toEqual([0, false]);
});

import { describe, expect, test, vi } from "vitest";
import type { FoundUser, UserName } from "./forwarded-users.sql.ts";
import { makeForwardedUsers } from "./forwarded-users.ts";

const ada: FoundUser = {
  ownerMemberId: "memb_ada",
  organizationId: "org",
  status: "active",
  groupIds: ["group_a"],
  allowedModels: null,
  isUnsigned: false,
};
const name: UserName = { directoryId: "dir_1", subject: "ada" };

/** Users of one lookup that the test answers. */
function makeBench() {
  const state = { atMs: 0, silenceMs: 0, user: ada as FoundUser | null, isAway: false };
  const asked: number[] = [];
  const users = makeForwardedUsers({
    lookup: async (names) => {
      asked.push(names.length);
      if (state.isAway) throw new Error("away");
      return names.map(() => state.user);
    },
    msSinceContact: () => state.silenceMs,
    leaseTtlMs: 60_000,
    clock: { monotonicMs: () => state.atMs, nowMs: () => state.atMs },
  });
  return { state, asked, users };
}

describe("a user", () => {
  test("is looked up once and then known", async () => {
    const { users, asked } = makeBench();
    expect(users.findCached(name)).toBeUndefined();
    const found = await Promise.all([users.find(name), users.find(name)]);
    expect(found).toEqual([ada, ada]);
    expect(users.findCached(name)).toBe(ada);
    expect(asked).toEqual([1]);
  });

  test.each([
    ["the member", { kind: "member", id: "memb_ada" }],
    ["a group of the member", { kind: "group", id: "group_a" }],
  ] as const)("is dropped after a change of %s", async (_, changed) => {
    const { users } = makeBench();
    await users.find(name);
    users.forget([{ kind: "member", id: "memb_other" }]);
    expect(users.findCached(name)).toBe(ada);
    users.forget([changed]);
    expect(users.findCached(name)).toBeUndefined();
  });

  test("of a query that began before a change is not kept", async () => {
    const { users } = makeBench();
    const finding = users.find(name);
    users.forget([{ kind: "member", id: "memb_ada" }]);
    expect(await finding).toEqual(ada);
    expect(users.findCached(name)).toBeUndefined();
  });

  test("is looked up again after a minute, while the known one counts", async () => {
    const { users, asked, state } = makeBench();
    await users.find(name);
    state.atMs = 60_000;
    state.user = null;
    expect(users.findCached(name)).toBe(ada);
    await expect.poll(() => users.findCached(name)).toBeNull();
    expect(asked).toEqual([1, 1]);
  });

  test("that is unknown stays so for three seconds", async () => {
    const { users, state } = makeBench();
    state.user = null;
    expect(await users.find(name)).toBeNull();
    state.atMs = 2_999;
    expect(users.findCached(name)).toBeNull();
    state.atMs = 3_000;
    expect(users.findCached(name)).toBeUndefined();
  });
});

test("unknown users share statements, one at a time", async () => {
  const { users, asked } = makeBench();
  const subjects = Array.from({ length: 600 }, (_, index) => `invented-${index}`);
  await Promise.all(subjects.map((subject) => users.find({ ...name, subject })));
  expect(asked).toEqual([1, 256, 256, 87]);
});

test("more waiting users than the bound are refused", async () => {
  const { users } = makeBench();
  const finding = Array.from({ length: 4_200 }, (_, index) =>
    users.find({ ...name, subject: `invented-${index}` }),
  );
  const refused = (await Promise.allSettled(finding)).filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(4_200 - 4_097);
});

test("a user whose wait has ended is in no later statement", async () => {
  vi.useFakeTimers();
  try {
    const asked: string[][] = [];
    const answers: (() => void)[] = [];
    const users = makeForwardedUsers({
      lookup: async (names) => {
        asked.push(names.map(({ subject }) => subject));
        await new Promise<void>((resolve) => answers.push(resolve));
        return names.map(() => ada);
      },
      msSinceContact: () => 0,
      leaseTtlMs: 60_000,
      clock: { monotonicMs: () => 0, nowMs: () => 0 },
    });
    const find = (subject: string) => users.find({ ...name, subject }).catch(() => "refused");
    const found = [find("first"), find("late")];
    await vi.advanceTimersByTimeAsync(5_000);
    found.push(find("next"));
    answers[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    answers[1]?.();
    expect(await Promise.all(found)).toEqual(["refused", "refused", ada]);
    expect(asked).toEqual([["first"], ["next"]]);
  } finally {
    vi.useRealTimers();
  }
});

test("without PostgreSQL known users count until the lease time, and others are a 503", async () => {
  const { users, state } = makeBench();
  await users.find(name);
  state.isAway = true;
  state.silenceMs = 60_000;
  expect(users.findCached(name)).toBe(ada);
  state.silenceMs = 60_001;
  expect(users.findCached(name)).toBeUndefined();
  await expect(users.find(name)).rejects.toMatchObject({ code: "database_unavailable" });
});

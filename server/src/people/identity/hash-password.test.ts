import { scryptSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hashNewPassword, makePasswordHashing, runPasswordWork } from "./hash-password.ts";

const PASSWORD = "Tycho lost his nose: \u212B";

describe("the hash of a password", () => {
  const deriveKey = (hash: string, N: number) => {
    const [salt = ""] = hash.split(":");
    const options = { N, r: 16, p: 1, maxmem: 64 * 1024 * 1024 };
    return `${salt}:${scryptSync(PASSWORD.normalize("NFKC"), salt, 64, options).toString("hex")}`;
  };

  test("has a cost of 16384 unless the configuration sets another one", async () => {
    const hash = await hashNewPassword(PASSWORD, { name: "", email: "" }, undefined);
    expect(hash).toMatch(/^[0-9a-f]{32}:[0-9a-f]{128}$/);
    expect(hash).toBe(deriveKey(hash, 16_384));
  });

  test("has the cost that the configuration sets", async () => {
    const hash = await hashNewPassword(PASSWORD, { name: "", email: "" }, 2);
    expect(hash).toMatch(/^[0-9a-f]{32}:[0-9a-f]{128}$/);
    expect(hash).toBe(deriveKey(hash, 2));
  });

  test.each([undefined, 2])("verifies only the same password with cost %s", async (cost) => {
    const { hash, verify } = await makePasswordHashing(cost);
    const stored = await hash(PASSWORD);
    expect(await verify({ hash: stored, password: PASSWORD })).toBe(true);
    expect(await verify({ hash: stored, password: `${PASSWORD} ` })).toBe(false);
  });

  test("does not verify with another cost", async () => {
    const [product, cheap] = [await makePasswordHashing(undefined), await makePasswordHashing(2)];
    const stored = await product.hash(PASSWORD);
    expect(await cheap.verify({ hash: stored, password: PASSWORD })).toBe(false);
    expect(await product.verify({ hash: await cheap.hash(PASSWORD), password: PASSWORD })).toBe(
      false,
    );
  });
});

const person = () => {
  const done = Promise.withResolvers<void>();
  return { finish: done.resolve, work: () => done.promise };
};

test("hashes two passwords at a time, queues the others in order, and refuses when the queue is full", async () => {
  const order: number[] = [];
  const people = Array.from({ length: 102 }, person);
  const turns = people.map(({ work }, i) =>
    runPasswordWork(async () => {
      order.push(i);
      await work();
    }),
  );
  await Promise.resolve();
  expect(order).toEqual([0, 1]);
  await expect(runPasswordWork(async () => undefined)).rejects.toMatchObject({
    code: "sign_in_overloaded",
    headers: { "retry-after": "3" },
  });
  people[1]?.finish();
  await turns[1];
  expect(order).toEqual([0, 1, 2]);
  for (const { finish } of people) finish();
  await Promise.all(turns);
  expect(order).toEqual(people.map((_, i) => i));
});

test("a failed hash starts the next one in the queue", async () => {
  const failing = () => runPasswordWork(() => Promise.reject(new Error("no")));
  const results = await Promise.allSettled(Array.from({ length: 10 }, failing));
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  expect(await runPasswordWork(async () => 7)).toBe(7);
});

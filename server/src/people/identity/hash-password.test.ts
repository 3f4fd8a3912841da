import { expect, test } from "vitest";
import { inPasswordTurn } from "./hash-password.ts";

const person = () => {
  const done = Promise.withResolvers<void>();
  return { finish: done.resolve, work: () => done.promise };
};

test("two hash at a time, the others in the order in which they came, and too many are told to come back", async () => {
  const order: number[] = [];
  const people = Array.from({ length: 102 }, person);
  const turns = people.map(({ work }, i) =>
    inPasswordTurn(async () => {
      order.push(i);
      await work();
    }),
  );
  await Promise.resolve();
  expect(order).toEqual([0, 1]);
  await expect(inPasswordTurn(async () => undefined)).rejects.toMatchObject({
    code: "unavailable",
    headers: { "retry-after": "3" },
  });
  people[1]?.finish();
  await turns[1];
  expect(order).toEqual([0, 1, 2]);
  for (const { finish } of people) finish();
  await Promise.all(turns);
  expect(order).toEqual(people.map((_, i) => i));
});

test("who fails gives the turn on", async () => {
  const failing = () => inPasswordTurn(() => Promise.reject(new Error("no")));
  const results = await Promise.allSettled(Array.from({ length: 10 }, failing));
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  expect(await inPasswordTurn(async () => 7)).toBe(7);
});

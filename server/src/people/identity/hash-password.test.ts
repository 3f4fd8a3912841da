import { scryptSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hashNewPassword, makePasswordHashing, runPasswordWork } from "./hash-password.ts";

const PASSWORD = "Tycho lost his nose: \u212B";

const someone = { name: "", email: "", organizationName: "", minLength: 12 };
/** Hash of a password as servers before 0.2 stored it. */
const hashEarlier = (password: string) => {
  const salt = "00112233445566778899aabbccddeeff";
  const options = { N: 16_384, r: 16, p: 1, maxmem: 64 * 1024 * 1024 };
  return `${salt}:${scryptSync(password.normalize("NFKC"), salt, 64, options).toString("hex")}`;
};

describe("the hash of a password", () => {
  const deriveAgain = (hash: string, N: number) => {
    const [head = ""] = hash.split(":");
    const salt = head.split("$")[4] ?? "";
    const options = { N, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
    return `${head}:${scryptSync(PASSWORD.normalize("NFKC"), salt, 64, options).toString("hex")}`;
  };

  test("has OWASP's minimum cost unless the configuration sets another one", async () => {
    const hash = await hashNewPassword(PASSWORD, someone, undefined);
    expect(hash).toMatch(/^scrypt\$131072\$8\$1\$[0-9a-f]{32}:[0-9a-f]{128}$/);
    expect(hash).toBe(deriveAgain(hash, 131_072));
  });

  test("has the cost that the configuration sets", async () => {
    const hash = await hashNewPassword(PASSWORD, someone, 2);
    expect(hash).toMatch(/^scrypt\$2\$8\$1\$[0-9a-f]{32}:[0-9a-f]{128}$/);
    expect(hash).toBe(deriveAgain(hash, 2));
  });

  test.each([undefined, 2])("verifies only the same password with cost %s", async (cost) => {
    const { hash, verify, isOutdated } = makePasswordHashing(cost);
    const stored = await hash(PASSWORD);
    expect(await verify({ hash: stored, password: PASSWORD })).toBe(true);
    expect(await verify({ hash: stored, password: `${PASSWORD} ` })).toBe(false);
    expect(isOutdated(stored)).toBe(false);
  });

  test("verifies with its own parameters, whatever the current cost, and is then outdated", async () => {
    const [one, other] = [makePasswordHashing(4), makePasswordHashing(2)];
    const stored = await one.hash(PASSWORD);
    expect(await other.verify({ hash: stored, password: PASSWORD })).toBe(true);
    expect(other.isOutdated(stored)).toBe(true);
    const earlier = hashEarlier(PASSWORD);
    expect(await other.verify({ hash: earlier, password: PASSWORD })).toBe(true);
    expect(await other.verify({ hash: earlier, password: "another" })).toBe(false);
    expect(other.isOutdated(earlier)).toBe(true);
  });
});

const person = () => {
  const done = Promise.withResolvers<void>();
  return { finish: done.resolve, work: () => done.promise };
};

test("hashes one password at a time, known browsers first, and refuses when the queue is full", async () => {
  const order: string[] = [];
  const names = ["first", ...Array.from({ length: 50 }, (_, i) => `unknown ${i}`), "known"];
  const people = names.map((name) => ({ name, ...person() }));
  const turns = people.map(({ name, work }) =>
    runPasswordWork(
      async () => {
        order.push(name);
        await work();
      },
      { isKnown: name === "known" },
    ),
  );
  await Promise.resolve();
  expect(order).toEqual(["first"]);
  await expect(runPasswordWork(async () => undefined)).rejects.toMatchObject({
    code: "sign_in_overloaded",
    headers: { "retry-after": "3" },
  });
  people[0]?.finish();
  await turns[0];
  expect(order).toEqual(["first", "known"]);
  for (const { finish } of people) finish();
  await Promise.all(turns);
  expect(order).toEqual(["first", "known", ...names.slice(1, -1)]);
});

test("a failed hash starts the next one in the queue", async () => {
  const failing = () => runPasswordWork(() => Promise.reject(new Error("no")));
  const results = await Promise.allSettled(Array.from({ length: 10 }, failing));
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  expect(await runPasswordWork(async () => 7)).toBe(7);
});

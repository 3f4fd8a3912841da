import fc from "fast-check";
import { expect, test } from "vitest";
import { IdTable } from "./id-table.ts";

const anyId = fc.oneof(
  fc.nat({ max: 300 }).map((n) => `req_${n}`),
  fc.constantFrom("", "a", "end of many ids", "another end of many ids"),
);

test("has the items of a Map, in the same order, after any additions and removals", () => {
  const anyStep = fc.tuple(fc.boolean(), anyId);
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 400 }), (steps) => {
      const table = new IdTable<{ id: string }>();
      const model = new Map<string, { id: string }>();
      for (const [isAdded, id] of steps) {
        expect(table.has(id)).toBe(model.has(id));
        expect(table.get(id)).toBe(model.get(id));
        if (!isAdded) {
          expect(table.remove(id)).toBe(model.get(id));
          model.delete(id);
        } else if (!model.has(id)) {
          const item = { id };
          table.add(id, item);
          model.set(id, item);
        }
        expect(table.size).toBe(model.size);
        expect(table.first).toBe(model.values().next().value);
      }
      expect([...table.values()]).toEqual([...model.values()]);
    }),
  );
});

test("finds each of many items, also after most are removed", () => {
  const table = new IdTable<number>();
  const count = 20_000;
  for (let n = 0; n < count; n++) table.add(`req_${n}`, n);
  for (let n = 0; n < count; n += 1) if (n % 7 !== 0) expect(table.remove(`req_${n}`)).toBe(n);
  for (let n = 0; n < count; n += 7) expect(table.get(`req_${n}`)).toBe(n);
  expect([...table.values()]).toEqual(
    Array.from({ length: Math.ceil(count / 7) }, (_, at) => 7 * at),
  );
});

import { expect, test } from "vitest";
import { findRowsToMeasure, fitWidths } from "./column-widths.ts";

const rows = Array.from({ length: 1_000 }, (_, index) => ({
  name: `key ${index}`,
  spent: BigInt(index % 7),
}));

test("measures the row with the largest figure, and a sample of the whole table", () => {
  const dear = { name: "x", spent: 12_345_678_901_234_567_890n };
  const all = [...rows, dear, ...rows.slice(0, 50)];
  const columns = [
    { sortBy: ({ name }: typeof dear) => name },
    {},
    { sortBy: ({ spent }: typeof dear) => spent, isNumeric: true },
  ];
  const found = findRowsToMeasure(columns, all);
  expect(found).toContain(dear);
  expect(found).toContain(all[0]);
  expect(found.some(({ name }) => name > "key 900")).toBe(true);
  expect(found.length).toBeLessThan(20);
  expect(new Set(found).size).toBe(found.length);
});

test("shrinks the widest columns of text to one width, and never figures or times", () => {
  const text = (widthPx: number) => ({ widthPx, isText: true, isTime: false });
  const figures = (widthPx: number) => ({ widthPx, isText: false, isTime: false });
  const times = (widthPx: number) => ({ widthPx, isText: true, isTime: true });
  expect(fitWidths([text(300), text(200), figures(90)], 700)).toEqual([300, 200, 90]);
  expect(fitWidths([text(300), text(200), figures(90)], 500)).toEqual([210, 200, 90]);
  expect(fitWidths([text(200), text(300), figures(90)], 390)).toEqual([150, 150, 90]);
  expect(fitWidths([text(300), text(80), figures(400)], 350)).toEqual([96, 80, 400]);
  expect(fitWidths([text(300), times(70), text(0)], 350)).toEqual([222, 128, 0]);
  expect(fitWidths([text(300), times(0)], 390)).toEqual([300, 0]);
});

import { expect, test } from "vitest";
import { WalPositions } from "./wal-positions.ts";

function makePositions(...added: [lsn: bigint, atMs: number][]): WalPositions {
  const positions = new WalPositions();
  for (const [lsn, atMs] of added) positions.add({ lsn, atMs });
  return positions;
}

test("returns the time of the newest position that a replica has replayed", () => {
  const positions = makePositions([100n, 1_000], [200n, 2_000], [300n, 3_000]);
  expect(positions.findTime(250n)).toBe(2_000);
  expect(positions.findTime(300n)).toBe(3_000);
  expect(positions.findTime(999n)).toBe(3_000);
});

test("returns null for a replica that has replayed no position", () => {
  expect(makePositions().findTime(100n)).toBeNull();
  expect(makePositions([100n, 1_000]).findTime(99n)).toBeNull();
});

test("moves the time of an idle primary on", () => {
  const positions = makePositions([100n, 1_000], [100n, 60_000]);
  expect(positions.findTime(100n)).toBe(60_000);
});

test("forgets the positions of the primary before a failover", () => {
  const positions = makePositions([100n, 1_000], [300n, 3_000], [200n, 9_000]);
  expect(positions.findTime(150n)).toBeNull();
  expect(positions.findTime(200n)).toBe(9_000);
});

test("keeps the positions of the last hour", () => {
  const positions = new WalPositions();
  for (let i = 0; i <= 3_600; i++) positions.add({ lsn: BigInt(i), atMs: i * 1_000 });
  expect(positions.findTime(0n)).toBeNull();
  expect(positions.findTime(1n)).toBe(1_000);
});

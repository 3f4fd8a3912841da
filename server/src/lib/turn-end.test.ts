import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { makeTurnEnd, type TurnEnd } from "./turn-end.ts";

let ran: string[];
let turnEnd: TurnEnd;

beforeEach(() => {
  ran = [];
  turnEnd = makeTurnEnd();
});

test("runs journal work before socket work, whatever was added first", async () => {
  turnEnd.add("sockets", () => ran.push("socket"));
  turnEnd.add("journal", () => ran.push("journal 1"));
  turnEnd.add("journal", () => ran.push("journal 2"));
  expect(ran).toEqual([]);
  await nextTurn();
  expect(ran).toEqual(["journal 1", "journal 2", "socket"]);
});

test("runs in the same turn the socket work of code that awaited journal work", async () => {
  const { promise: written, resolve } = Promise.withResolvers<void>();
  turnEnd.add("journal", () => {
    ran.push("journal");
    resolve();
  });
  const sent = written.then(() => turnEnd.add("sockets", () => ran.push("socket")));
  turnEnd.add("sockets", () => ran.push("other socket"));
  await nextTurn();
  expect(ran).toEqual(["journal", "other socket", "socket"]);
  await sent;
});

test("writes a record that came after the journal phase before the bytes that follow it", async () => {
  const { promise: written, resolve } = Promise.withResolvers<void>();
  turnEnd.add("journal", () => resolve());
  const ended = written.then(() => {
    turnEnd.add("journal", () => ran.push("end"));
    turnEnd.add("sockets", () => ran.push("last byte"));
  });
  await ended;
  await nextTurn();
  expect(ran).toEqual(["end", "last byte"]);
});

test("writes a record that socket work adds before the other socket work of the turn", async () => {
  turnEnd.add("sockets", () => {
    ran.push("socket 1");
    turnEnd.add("journal", () => ran.push("end"));
  });
  turnEnd.add("sockets", () => ran.push("socket 2"));
  await nextTurn();
  expect(ran).toEqual(["socket 1", "end", "socket 2"]);
});

test("runs socket work that socket work adds in the next turn", async () => {
  turnEnd.add("sockets", () => {
    ran.push("this turn");
    turnEnd.add("sockets", () => ran.push("next turn"));
  });
  await nextTurn();
  expect(ran).toEqual(["this turn"]);
  await nextTurn();
  expect(ran).toEqual(["this turn", "next turn"]);
});

test("runs journal work that the last socket work adds in the next turn", async () => {
  turnEnd.add("sockets", () => turnEnd.add("journal", () => ran.push("end")));
  await nextTurn();
  expect(ran).toEqual([]);
  await nextTurn();
  expect(ran).toEqual(["end"]);
});

test("starts again after a turn without work", async () => {
  turnEnd.add("journal", () => ran.push("first"));
  await nextTurn();
  await nextTurn();
  turnEnd.add("journal", () => ran.push("second"));
  await nextTurn();
  expect(ran).toEqual(["first", "second"]);
});

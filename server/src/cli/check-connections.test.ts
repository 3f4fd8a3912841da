import { expect, test } from "vitest";
import { checkConnections } from "./check-connections.ts";

test("passes while PostgreSQL accepts the connections of all nodes", () => {
  const counts = { max_connections: 100, reserved_connections: 3, needed_connections: 97 };
  expect(checkConnections(counts)).toEqual({
    check: "connections",
    ok: true,
    detail: "all nodes open up to 97, and PostgreSQL accepts 97",
  });
});

test("fails with the remedy when the nodes can open more connections", () => {
  const counts = { max_connections: 100, reserved_connections: 3, needed_connections: 98 };
  const { ok, detail } = checkConnections(counts);
  expect(ok).toBe(false);
  expect(detail).toContain("all nodes open up to 98, and PostgreSQL accepts 97");
  expect(detail).toContain("Set max_connections of PostgreSQL to 101 or more");
  expect(detail).toContain("lower BURSAR_REQUEST_CONNECTIONS and BURSAR_ADMIN_CONNECTIONS");
});

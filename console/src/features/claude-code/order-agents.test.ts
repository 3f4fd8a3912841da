import { expect, test } from "vitest";
import type { Agent } from "./agent-sessions.ts";
import { orderAgents } from "./order-agents.ts";

const list = (...pairs: [id: string | null, parent: string | null][]) =>
  orderAgents(
    pairs.map(([agent_id, parent_agent_id]) => ({ agent_id, parent_agent_id }) as Agent),
  ).map(({ agent, depth }) => [agent.agent_id, depth]);

test("each agent follows its parent, one step deeper", () => {
  expect(list([null, null], ["b", "a"], ["a", null], ["c", "b"], ["d", "a"])).toEqual([
    [null, 1],
    ["a", 1],
    ["b", 2],
    ["c", 3],
    ["d", 2],
  ]);
});

test("an agent without a listed parent, and each agent of a circle, is listed once", () => {
  expect(list(["x", "gone"], ["a", "b"], ["b", "a"])).toEqual([
    ["x", 1],
    ["a", 1],
    ["b", 2],
  ]);
});

import type { Agent } from "./agent-sessions.ts";

const MAX_DEPTH = 4;

/** Lists each agent once, after its parent. An agent whose parent is not listed is below the prompt. */
export function orderAgents(agents: readonly Agent[]): { agent: Agent; depth: number }[] {
  const ids = new Set(agents.map(({ agent_id }) => agent_id));
  const ordered: { agent: Agent; depth: number }[] = [];
  const left = new Set(agents);
  const add = (agent: Agent, depth: number) => {
    // Claimed parents can form a circle.
    if (!left.delete(agent)) return;
    ordered.push({ agent, depth: Math.min(depth, MAX_DEPTH) });
    if (agent.agent_id === null) return;
    for (const child of agents) {
      if (child.parent_agent_id === agent.agent_id) add(child, depth + 1);
    }
  };
  for (const agent of agents) {
    const { parent_agent_id: parent } = agent;
    if (parent === null || !ids.has(parent)) add(agent, 1);
  }
  for (const agent of agents) add(agent, 1);
  return ordered;
}

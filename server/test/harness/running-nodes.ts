import type { ServerProcess } from "./server-process.ts";

/** Returns a node of a run. Throws if there is none with this index. */
export function nodeAt(
  { nodes }: { nodes: readonly ServerProcess[] },
  index: number,
): ServerProcess {
  const node = nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node;
}

/** Whether the server runs no request and has recorded all. */
export async function isIdle({ url }: ServerProcess): Promise<boolean> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return ["bursar_claude_requests_in_flight", "bursar_pending_records"].every((name) =>
    text.includes(`\n${name} 0\n`),
  );
}

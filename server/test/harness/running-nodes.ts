import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "#src/db/pool.ts";
import { eventually } from "./eventually.ts";
import { type ServerProcess, sendMessage } from "./server-process.ts";

/** A busy machine delays the messages of nodes beyond the time to live of their leases. */
const WITHIN_MS = 180_000;
/** End of a node's output that a failure shows, characters. */
const SHOWN_CHARS = 8_000;

/** Returns a node of a run. Throws if there is none with this index. */
export function nodeAt(
  { nodes }: { nodes: readonly ServerProcess[] },
  index: number,
): ServerProcess {
  const node = nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node;
}

/** Waits until no node runs a request, and all requests are recorded. */
export async function waitUntilIdle({ nodes }: { nodes: readonly ServerProcess[] }): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    await eventually(WITHIN_MS, `node ${index} to be idle`, async () =>
      (await isIdle(node)) ? true : null,
    );
  }
}

/** Waits until every node has all limits. A node without a new limit spends as before. */
export async function waitUntilLimitsKnown(db: Database, withinMs: number): Promise<void> {
  await eventually(withinMs, "every node to have the limits", async () => {
    const behind = await db
      .selectFrom("node_contact")
      .select("id")
      .where("lease_expires_at", "is not", null)
      .where("limits_version", "<", db.selectFrom("limits_version").select("value"))
      .execute();
    return behind.length === 0 ? true : null;
  });
}

/** Waits until the spend under each limit is counted. Until then, requests can wait for a limit whose spend is unknown. */
export async function waitUntilCounted(db: Database, scopeIds: readonly string[]): Promise<void> {
  await eventually(WITHIN_MS, "the spend under the limits to be counted", async () => {
    const counted = await db
      .selectFrom("counted_limit")
      .select("id")
      .where("scope_id", "in", scopeIds)
      .execute();
    return counted.length === scopeIds.length ? true : null;
  });
}

/** Waits until fenced nodes have returned, and their leases are unresolved no more. */
export async function waitUntilReported(db: Database): Promise<void> {
  await eventually(WITHIN_MS, "the fenced nodes to report their requests", async () => {
    const left = await db
      .selectFrom("lease")
      .select("node_id")
      .where("request_id", "=", "")
      .where("unresolved_since", "is not", null)
      .execute();
    return left.length === 0 ? true : null;
  });
}

/** Epoch of each node. A fence raises it. */
export async function readEpochs(db: Database): Promise<Map<string, bigint>> {
  const rows = await db.selectFrom("node").select(["id", "epoch"]).execute();
  return new Map(rows.map(({ id, epoch }) => [id, BigInt(epoch)]));
}

export async function nodeIdOf({ dataDir }: ServerProcess): Promise<string> {
  return (await readFile(join(dataDir, "journal", "node-id"), "utf8")).trim();
}

async function isIdle({ url }: ServerProcess): Promise<boolean> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return ["bursar_claude_requests_in_flight", "bursar_pending_records"].every((name) =>
    text.includes(`\n${name} 0\n`),
  );
}

/** Waits until the node serves. A fenced node refuses waiting requests as unavailable until it has entered again. */
export async function waitUntilServing(
  run: { nodes: readonly ServerProcess[]; probe: { key: string } },
  index: number,
): Promise<void> {
  let last = "no response";
  await eventually(WITHIN_MS, `node ${index} to serve`, async () => {
    const { status, text } = await sendMessage(nodeAt(run, index).url, run.probe.key).catch(
      (error: unknown) => ({ status: 0, text: String(error) }),
    );
    last = `${status} ${text}`;
    return status === 200 ? true : null;
  }).catch((error: unknown) => {
    const output = nodeAt(run, index).output().slice(-SHOWN_CHARS);
    throw new Error(`node ${index} does not serve: ${last}\n${output}`, { cause: error });
  });
}

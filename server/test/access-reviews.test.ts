import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  eventually,
  root,
  type ServerProcess,
  sendMessage,
  serverEnvironment,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";

// Access reviews of a whole server: what a closed one stops, what its job does, and how its evidence is verified later.

const REVIEWS = "/v1/admin/access_reviews";
const OWNER = "user_000000000000000000000001";

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer();
  await addOwner(server);
}, 90_000);
afterAll(stopAllServers);

async function addOwner(to: ServerProcess): Promise<void> {
  await to.sql(
    `INSERT INTO member (id, organization_id, email, name, role)
      SELECT $1, id, 'owner@example.com', 'Olga Owner', 'owner' FROM organization`,
    [OWNER],
  );
}

const KEYS_AT_ONCE = 20;

async function addKeys(to: ServerProcess, workspaceId: string, count: number): Promise<void> {
  for (let made = 0; made < count; made += KEYS_AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(KEYS_AT_ONCE, count - made) }, (_, i) =>
        to.mustAdmin("POST", "/v1/admin/api_keys", {
          name: `Key ${made + i}`,
          workspace_id: workspaceId,
        }),
      ),
    );
  }
}

function bursar(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { cwd: root, env: serverEnvironment(server.dataDir) };
  return new Promise((resolve) => {
    execFile(process.execPath, ["bursar", ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** A review of the workspace's keys that removes what nobody decides about. */
async function startReview(workspaceId: string, on = server): Promise<string> {
  const review = await on.mustAdmin("POST", REVIEWS, {
    name: "Keys",
    scope: { paths: ["workspace_key"], workspace_ids: [workspaceId] },
    reviewer_ids: [OWNER],
    due_at: new Date(Date.now() + 86_400_000).toISOString(),
    if_no_answer: "remove",
  });
  return String(review["id"]);
}

test("keys that a closed review takes away are refused within a second", async () => {
  const { workspaceId, key } = await server.workspaceWithKey();
  expect((await sendMessage(server.url, key)).status).toBe(200);
  const id = await startReview(workspaceId);
  const closed = await server.mustAdmin("POST", `${REVIEWS}/${id}/close`);
  expect(closed).toMatchObject({ status: "closed", progress: { removed: 1 } });
  await eventually(1_000, "the key to be refused", async () =>
    (await sendMessage(server.url, key)).status === 401 ? true : null,
  );
});

test("what does not fit into the answer's time is carried out by the job", {
  timeout: 60_000,
}, async () => {
  const { workspaceId } = await server.workspaceWithKey();
  const total = 231;
  await addKeys(server, workspaceId, total - 1);
  const id = await startReview(workspaceId);
  const closed = await server.mustAdmin("POST", `${REVIEWS}/${id}/close`);
  expect(closed).toMatchObject({ progress: { items: total } });
  const done = await eventually(15_000, "the review to be carried out", async () => {
    const review = await server.mustAdmin("GET", `${REVIEWS}/${id}`);
    return review["status"] === "closed" ? review : null;
  });
  expect(done).toMatchObject({ progress: { removed: total, not_applied: 0 } });
  const [events] = await server.sql<{ count: string }>(
    "SELECT count(*)::text FROM audit_event WHERE event = 'api_key.updated' AND workspace_id = $1",
    [workspaceId],
  );
  expect(events?.count).toBe(String(total));
});

test("kill -9 in the middle of carrying out: after each restart it goes on by itself, and each removal happens once", {
  timeout: 180_000,
}, async () => {
  let node = await startServer();
  await addOwner(node);
  const { workspaceId } = await node.workspaceWithKey();
  const total = 210;
  await addKeys(node, workspaceId, total - 1);
  const id = await startReview(workspaceId, node);
  const standing = () =>
    node.sql<{ result: string | null; status: string; events: number }>(
      `SELECT item.result, api_key.status, (SELECT count(*)::integer FROM audit_event
          WHERE subject_id = api_key.id AND event = 'api_key.updated') AS events
        FROM access_review_item AS item JOIN api_key ON api_key.id = item.api_key_id
        WHERE item.access_review_id = $1`,
      [id],
    );
  const countRemoved = async () => {
    const rows = await standing();
    expect(rows.length).toBe(total);
    const removed = rows.filter(({ result }) => result === "removed");
    // A removal is the key, its result and its event, or none of them.
    const half = rows.filter(
      ({ result, status, events }) =>
        !(result === "removed" && status === "archived" && events === 1) &&
        !(result === null && status === "active" && events === 0),
    );
    expect(half).toEqual([]);
    return removed.length;
  };
  // It is killed before it can answer.
  const asked = node.admin("POST", `${REVIEWS}/${id}/close`).catch(() => null);
  const killedAt: number[] = [];
  for (const enough of [25, 100]) {
    await eventually(30_000, `${enough} removals`, async () =>
      (await countRemoved()) >= enough ? true : null,
    );
    await node.kill();
    killedAt.push(await countRemoved());
    node = await node.restart();
  }
  await asked;
  for (const removed of killedAt) expect(removed).toBeLessThan(total);
  await eventually(60_000, "the review to be carried out", async () =>
    (await node.mustAdmin("GET", `${REVIEWS}/${id}`))["status"] === "closed" ? true : null,
  );
  expect(await countRemoved()).toBe(total);
  await node.stop();
});

test("`bursar reviews verify` tells evidence from what was made of it", async () => {
  const { workspaceId } = await server.workspaceWithKey();
  const id = await startReview(workspaceId);
  const { text } = await server.admin("GET", `${REVIEWS}/${id}/evidence`);
  const folder = await temporaryFolder();
  const file = async (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const genuine = await bursar("reviews", "verify", await file("evidence.json", text));
  expect(genuine).toMatchObject({ code: 0, stderr: "" });
  expect(genuine.stdout).toMatch(/^The evidence is genuine: .* evkey_[0-9A-Za-z]+, and nothing/);

  const changed = text.replace('"Olga Owner"', '"Olga Owned"');
  expect(changed).not.toBe(text);
  const refused = await bursar("reviews", "verify", await file("changed.json", changed));
  expect([refused.code, refused.stdout]).toEqual([
    1,
    "THE EVIDENCE IS NOT GENUINE. It is not as it was signed: something in it has been changed.\n",
  ]);
  // What a reader takes for the value, and what a parser does, are two things here.
  const twice = text.replace('"version":1', '"version":9,"version":1');
  const ambiguous = await bursar("--json", "reviews", "verify", await file("twice.json", twice));
  expect(ambiguous.code).toBe(1);
  expect(JSON.parse(ambiguous.stdout)).toMatchObject({
    is_genuine: false,
    reason: expect.stringContaining("appears more than once"),
  });
  const cut = await bursar("reviews", "verify", await file("cut.json", text.slice(0, -1)));
  expect(cut.code).toBe(1);
  const absent = await bursar("reviews", "verify", join(folder, "absent.json"));
  expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining("ENOENT")]);
});

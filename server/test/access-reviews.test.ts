import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect } from "vitest";
import { runBursar } from "#test/harness/command-line.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { eventually } from "#test/harness/eventually.ts";
import { withinSeconds } from "#test/harness/node-clock.ts";
import { test as base } from "#test/harness/product-test.ts";
import {
  type ServerProcess,
  sendMessage,
  serverEnvironment,
  startServer,
  temporaryFolder,
} from "#test/harness/server-process.ts";
import { TEST_SECRET } from "#test/harness/test-secret.ts";

// Access reviews of a whole server: effects of a closed review, its job, and the later verification of its evidence.

const REVIEWS = "/v1/admin/access_reviews";
const OWNER = "user_000000000000000000000001";

const test = base
  .extend(
    "bursar",
    ({ server }) =>
      (...args: string[]) =>
        runBursar(args, { env: serverEnvironment(server.dataDir) }),
  )
  /** Creates a review of the workspace's keys. Undecided items are removed. */
  .extend(
    "startReview",
    ({ server }) =>
      async (workspaceId: string, on = server): Promise<string> => {
        const review = await on.mustAdmin("POST", REVIEWS, {
          name: "Keys",
          scope: { paths: ["workspace_key"], workspace_ids: [workspaceId] },
          reviewer_ids: [OWNER],
          due_at: new Date(Date.now() + 86_400_000).toISOString(),
          if_no_answer: "remove",
        });
        return String(review["id"]);
      },
  );

test.beforeAll(async ({ server }) => {
  await addOwner(server);
}, 90_000);

async function addOwner(to: ServerProcess): Promise<void> {
  await to.sql(
    `INSERT INTO member (id, organization_id, email, name, role)
      SELECT $1, id, 'owner@example.com', 'Olga Owner', 'owner' FROM organization`,
    [OWNER],
  );
}

/** Copies the workspace's key by SQL. A call for each key would cost more than the review. */
async function addKeys(to: ServerProcess, workspaceId: string, count: number): Promise<void> {
  await to.sql(
    `WITH added AS (
       INSERT INTO api_key
         SELECT copy.* FROM api_key AS key, generate_series(1, $2::integer) AS number,
           jsonb_populate_record(key, jsonb_build_object(
             'id', 'apikey_' || lpad(number::text, 24, '0'), 'name', 'Key ' || number,
             'created_at', now())) AS copy
         WHERE key.workspace_id = $1
       RETURNING id, created_at)
     INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
       SELECT id, sha256(id::bytea), 'copy', created_at FROM added`,
    [workspaceId, count],
  );
}

test("refuses keys that a closed review removed within a second", async ({
  server,
  startReview,
}) => {
  const { workspaceId, key } = await server.workspaceWithKey();
  expect((await sendMessage(server.url, key)).status).toBe(200);
  const id = await startReview(workspaceId);
  await server.mustAdmin("POST", `${REVIEWS}/${id}/close`);
  await withinSeconds(1, [server], "the key to be refused", async () =>
    (await sendMessage(server.url, key)).status === 401 ? true : null,
  );
  // The job may have removed the key at the same time as the request that closed the review.
  const closed = await whenClosed(server, id);
  expect(closed).toMatchObject({ progress: { removed: 1 } });
});

function whenClosed(node: ServerProcess, id: string): Promise<Record<string, unknown>> {
  return eventually(60_000, "the review to be applied", async () => {
    const review = await node.mustAdmin("GET", `${REVIEWS}/${id}`);
    return review["status"] === "closed" ? review : null;
  });
}

test("the job applies the items that exceed the time of the response", {
  timeout: 180_000,
}, async ({ server, startReview }) => {
  const { workspaceId } = await server.workspaceWithKey();
  const total = 231;
  await addKeys(server, workspaceId, total - 1);
  const id = await startReview(workspaceId);
  const closed = await server.mustAdmin("POST", `${REVIEWS}/${id}/close`);
  expect(closed).toMatchObject({ progress: { items: total } });
  const done = await whenClosed(server, id);
  expect(done).toMatchObject({ progress: { removed: total, not_applied: 0 } });
  const [events] = await server.sql<{ count: string }>(
    "SELECT count(*)::text FROM audit_event WHERE event = 'api_key.updated' AND workspace_id = $1",
    [workspaceId],
  );
  expect(events?.count).toBe(String(total));
});

test("after kill -9 while a review is applied, each restart continues and each removal happens once", {
  timeout: 240_000,
}, async ({ startReview }) => {
  // The database outlives the server and keeps its locks.
  const database = await createTestDatabase();
  const env = { DATABASE_URL: database.connectionString, BURSAR_SECRET: TEST_SECRET };
  let node = await startServer({ env });
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
    // A removal writes the key, its result and its event, or none of them.
    const half = rows.filter(
      ({ result, status, events }) =>
        !(result === "removed" && status === "archived" && events === 1) &&
        !(result === null && status === "active" && events === 0),
    );
    expect(half).toEqual([]);
    return removed.length;
  };
  // The request or job waits at the first key of the next part until the server is dead.
  const parts = [25, 100, total];
  const locks = await Promise.all(
    parts.slice(1).map((to, at) => lockKeys(database, id, { from: parts[at] ?? 0, to })),
  );
  // The server is killed before it can respond.
  const asked = node.admin("POST", `${REVIEWS}/${id}/close`).catch(() => null);
  for (const [at, unlock] of locks.entries()) {
    const enough = parts[at] ?? 0;
    await eventually(60_000, `${enough} removals`, async () =>
      (await countRemoved()) >= enough ? true : null,
    );
    await node.kill();
    expect(await countRemoved()).toBe(enough);
    await unlock();
    await waitForSessionsEnd(database);
    node = await node.restart();
  }
  await asked;
  await whenClosed(node, id);
  expect(await countRemoved()).toBe(total);
  await node.stop();
  await database.drop();
});

/** Waits until the database has noticed that the server is dead. */
function waitForSessionsEnd({ connectionString }: TestDatabase): Promise<true> {
  return eventually(30_000, "the dead server's sessions to end", async () => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    const { rowCount } = await client.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bursar'",
    );
    await client.end();
    return rowCount === 0 ? true : null;
  });
}

/** Locks keys of a review's items in the order of removal. Returns a function that releases the locks. */
async function lockKeys(
  { connectionString }: TestDatabase,
  reviewId: string,
  { from, to }: { from: number; to: number },
): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("BEGIN");
  const { rowCount } = await client.query(
    `SELECT FROM api_key WHERE id IN (
      SELECT api_key_id FROM access_review_item WHERE access_review_id = $1 ORDER BY position OFFSET $2 LIMIT $3)
     FOR UPDATE`,
    [reviewId, from, to - from],
  );
  expect(rowCount).toBe(to - from);
  return () => client.end();
}

test("`bursar reviews verify` distinguishes evidence from changed copies", async ({
  server,
  bursar,
  startReview,
}) => {
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
  expect(genuine.stdout).toMatch(/^The evidence is genuine: .* evkey_[0-9A-Za-z]+ and not changed/);

  const changed = text.replace('"Olga Owner"', '"Olga Owned"');
  expect(changed).not.toBe(text);
  const refused = await bursar("reviews", "verify", await file("changed.json", changed));
  expect([refused.code, refused.stdout]).toEqual([
    1,
    "THE EVIDENCE IS NOT GENUINE. The document was changed after it was signed.\n",
  ]);
  // A reader and a parser take different values here.
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

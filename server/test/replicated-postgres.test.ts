import { expect, onTestFinished, test } from "vitest";
import {
  type ReplicatedPostgres,
  type ReplicatedPostgresOptions,
  startReplicatedPostgres,
} from "#test/harness/replicated-postgres.ts";

let postgres: ReplicatedPostgres;

async function start(options: ReplicatedPostgresOptions): Promise<void> {
  postgres = await startReplicatedPostgres(options);
  onTestFinished(() => postgres.stop());
  await postgres.sql("CREATE TABLE written (text text)");
}

const write = (text: string) => postgres.sql("INSERT INTO written VALUES ($1)", [text]);
const listWritten = async () =>
  (await postgres.sql<{ text: string }>("SELECT text FROM written ORDER BY text")).map(
    ({ text }) => text,
  );

test("an asynchronous standby lacks the commits of the lost time after its promotion", async () => {
  await start({ isSynchronous: false });
  await write("a: replicated");
  await postgres.waitUntilReplicated();
  postgres.pauseReplication();
  await write("b: lost");
  await postgres.failOver();
  expect(await listWritten()).toEqual(["a: replicated"]);
  await postgres.addStandby();
  await write("c: replicated");
  await postgres.waitUntilReplicated();
  await postgres.failOver();
  expect(await listWritten()).toEqual(["a: replicated", "c: replicated"]);
  const timeline = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline";
  expect(await postgres.sql(timeline)).toEqual([{ timeline: "00000003" }]);
});

test("a synchronous standby has every acknowledged commit after its promotion", async () => {
  await start({ isSynchronous: true });
  await write("a: replicated");
  postgres.pauseReplication();
  const stalled = write("b: never acknowledged").then(
    () => "acknowledged",
    () => "failed",
  );
  await postgres.failOver({ lostMs: 300 });
  expect(await stalled).toBe("failed");
  expect(await listWritten()).toEqual(["a: replicated"]);
});

import { describe, expect, test } from "vitest";
import { judgeReplication, type ReplicationFacts, type Standby } from "./replication.rule.ts";

const standby = (fields: Partial<Standby> = {}): Standby => ({
  name: "db-2",
  state: "streaming",
  syncState: "async",
  replayLagMs: null,
  lagBytes: 0,
  ...fields,
});

const judge = (
  fields: Partial<ReplicationFacts> = {},
  { hasJournalInDatabase = false }: { hasJournalInDatabase?: boolean } = {},
) => {
  const facts: ReplicationFacts = {
    isStandby: false,
    walLevel: "replica",
    synchronousCommit: "on",
    synchronousStandbyNames: "",
    hasStrictLimits: false,
    standbys: [],
    slots: [],
    ...fields,
  };
  const { kind, problems } = judgeReplication(facts, { hasJournalInDatabase });
  return [kind, ...problems.map(({ code, isFault }) => `${code} ${isFault ? "fault" : "note"}`)];
};

describe("the kind of replication is", () => {
  test("single without a standby", () => {
    expect(judge()).toEqual(["single"]);
  });

  test("asynchronous if commits wait for no standby", () => {
    expect(judge({ standbys: [standby()] })).toEqual(["asynchronous"]);
  });

  test.for(["sync", "quorum"])("synchronous if commits wait for a %s standby", (syncState) => {
    const synchronousStandbyNames = "db-2";
    expect(judge({ synchronousStandbyNames, standbys: [standby({ syncState })] })).toEqual([
      "synchronous",
    ]);
  });

  test("hidden if the role cannot see the state of a standby", () => {
    const hidden = standby({ name: "", state: null, syncState: null, lagBytes: null });
    expect(judge({ synchronousStandbyNames: "db-2", standbys: [hidden] })).toEqual([
      "hidden",
      "details_hidden note",
    ]);
  });
});

describe("a promise does not hold", () => {
  test("if the connected server is a standby", () => {
    expect(judge({ isStandby: true })).toEqual(["single", "connected_to_standby fault"]);
  });

  test("if strict limits depend on commits that a crash can lose", () => {
    expect(judge({ synchronousCommit: "off" })).toEqual(["single"]);
    expect(judge({ synchronousCommit: "off", hasStrictLimits: true })).toEqual([
      "single",
      "commits_not_durable fault",
    ]);
  });

  test.for(["local", "off"])("if synchronous_commit is %s beside synchronous standbys", (value) => {
    const sync = { synchronousStandbyNames: "db-2", standbys: [standby({ syncState: "sync" })] };
    expect(judge({ ...sync, synchronousCommit: value })).toEqual([
      "asynchronous",
      "commits_not_synchronous note",
    ]);
  });

  test("if a journal in the database is replicated asynchronously", () => {
    const journal = { hasJournalInDatabase: true };
    expect(judge({}, journal)).toEqual(["single"]);
    expect(judge({ standbys: [standby()] }, journal)).toEqual([
      "asynchronous",
      "journal_not_synchronous note",
    ]);
  });

  test.for([
    ["db-2", [], 1],
    ["FIRST 1 (db-2, db-3)", ["sync", "potential"], 0],
    ["FIRST 2 (db-2, db-3)", ["sync", "potential"], 1],
    ["any 2 (*)", ["quorum", "quorum"], 0],
    ["ANY 2 (db-2, db-3)", ["quorum", "async"], 1],
    ["2 (db-2, db-3)", ["async"], 2],
    ['"2"', ["sync"], 0],
  ] as const)("if commits wait: %s with %j lacks %d", ([names, states, missing]) => {
    const standbys = states.map((syncState) => standby({ syncState }));
    const [, ...problems] = judge({ synchronousStandbyNames: names, standbys });
    expect(problems).toEqual(missing > 0 ? ["commits_wait fault"] : []);
  });

  test("if an inactive slot keeps a gibibyte of the log", () => {
    const slot = (isActive: boolean, retainedBytes: number | null) => ({
      slots: [{ name: "db_2", isActive, retainedBytes }],
    });
    expect(judge(slot(false, 1024 ** 3))).toEqual(["single", "inactive_slot fault"]);
    expect(judge(slot(false, 1024 ** 3 - 1))).toEqual(["single"]);
    expect(judge(slot(false, null))).toEqual(["single"]);
    expect(judge(slot(true, 1024 ** 4))).toEqual(["single"]);
  });
});

test("states how many standbys are missing, and the size of the log that a slot keeps", () => {
  const { problems } = judgeReplication(
    {
      isStandby: false,
      walLevel: "replica",
      synchronousCommit: "on",
      synchronousStandbyNames: "FIRST 2 (db-2, db-3)",
      hasStrictLimits: true,
      standbys: [],
      slots: [{ name: "db_2", isActive: false, retainedBytes: 12.5 * 1024 ** 3 }],
    },
    { hasJournalInDatabase: false },
  );
  expect(problems.map(({ message }) => message)).toEqual([
    'synchronous_standby_names is "FIRST 2 (db-2, db-3)", and 2 synchronous standbys are not connected: commits wait until they are. Start the standbys, or change the setting.',
    "The replication slot db_2 is inactive and keeps 12 GiB of the log, until the disk is full. Start its standby, or drop the slot.",
  ]);
});

import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { beforeEach, describe, expect, inject } from "vitest";
import { addJob } from "#src/db/job-queue.ts";
import { openDatabase } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { type RunningJobs, runJobs } from "#src/jobs/run-jobs.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import { test as base } from "#test/harness/database-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type MailServer, startMailServer } from "#test/harness/mail-server.ts";
import { sweepMail } from "./deliver-mail.ts";
import { layoutMessage } from "./layout.ts";
import { mailSchedule, makeMailJobs } from "./mail-jobs.ts";
import { type OutgoingMail, queueMail, withdrawMail } from "./queue-mail.ts";
import { makeSmtpTransport } from "./smtp.ts";

const organizationId = randomUUID();
const key = deriveSealingKey("a secret that only this test knows");
const deps = { nowMs: () => Date.now(), randomBytes: systemRandomBytes, sealingKey: key };

const test = base.extend("outbox", ({ db }) => {
  /** A node that sends mail, as wiring.ts starts it. */
  function startNode(url: string | null = server.url): void {
    const logger = makeLogger("trace", { write: (line) => logs.push(line) });
    const transport =
      url === null ? null : makeSmtpTransport({ url, from: "Bursar <bursar@example.com>" });
    const jobs = makeMailJobs({ database: db.database, sealingKey: key, transport, logger });
    const { connectionString } = db;
    nodes.push(runJobs({ connectionString, jobs, schedule: mailSchedule, logger }));
  }

  function queue(mail: Partial<OutgoingMail> = {}): Promise<string> {
    const body = layoutMessage({ title: "Hello", paragraphs: ["A secret-link-text."], notes: [] });
    return inTransaction(db.database, (tx) =>
      queueMail(tx, deps, {
        organizationId,
        to: "ann@example.com",
        kind: "notice",
        subject: "A notice",
        ...body,
        ...mail,
      }),
    );
  }

  const rows = () =>
    db.database.selectFrom("mail").selectAll().orderBy("created_at").orderBy("id").execute();

  /** The only message, when it has that state. */
  const inState = (status: string, attempts = 1) =>
    eventually(30_000, `a message is ${status}`, async () => {
      const [row] = await rows();
      return row?.status === status && row.attempts >= attempts ? row : null;
    });

  const endJobConnections = () =>
    sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'bursar jobs' AND datname = current_database()`.execute(db.database);

  /** Makes the next attempt due now, or the last one. */
  const retryNow = (attempt: "next" | "last" = "next") =>
    eventually(30_000, "the job waits for its next attempt", async () => {
      const { numAffectedRows } = await sql`UPDATE graphile_worker._private_jobs SET run_at = now(),
      attempts = CASE WHEN ${attempt === "last"} THEN max_attempts - 1 ELSE attempts END
      WHERE locked_at IS NULL AND attempts > 0`.execute(db.database);
      return numAffectedRows === 1n ? true : null;
    });

  return { startNode, queue, rows, inState, endJobConnections, retryNow };
});

let server: MailServer;
const nodes: RunningJobs[] = [];
const logs: string[] = [];

test.beforeAll(async ({ db }) => {
  await db.database
    .insertInto("organization")
    .values({ id: organizationId, name: "Company" })
    .execute();
});
beforeEach(async () => {
  server = await startMailServer();
});
test.afterEach(async ({ db }) => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  await server.close();
  await sql`DELETE FROM mail`.execute(db.database);
  await sql`DELETE FROM graphile_worker._private_jobs`.execute(db.database);
});

describe("a message", () => {
  test("is sent after its commit and then stored without its body", async ({ outbox }) => {
    outbox.startNode();
    await outbox.queue({ to: "ann@example.com", subject: "Grüße an Ann" });
    const mail = await server.message(0);
    expect(mail.recipients).toEqual(["ann@example.com"]);
    expect(mail.from?.text).toBe('"Bursar" <bursar@example.com>');
    expect(mail.subject).toBe("Grüße an Ann");
    expect(mail.text).toContain("A secret-link-text.");
    expect(mail.html).toContain("A secret-link-text.");
    const row = await outbox.inState("sent");
    expect(mail.messageId).toBe(`<${row.id}@example.com>`);
    expect([row.body_sealed, row.last_error, row.attempts]).toEqual([null, null, 1]);
  });

  test("is not sent when its transaction is rolled back", async ({ db, outbox }) => {
    outbox.startNode();
    const rolledBack = inTransaction(db.database, async (tx) => {
      const body = { text: "no", html: "no" };
      const mail = {
        organizationId,
        to: "bob@example.com",
        kind: "notice",
        subject: "No",
      } as const;
      await queueMail(tx, deps, { ...mail, ...body });
      throw new Error("changed my mind");
    });
    await expect(rolledBack).rejects.toThrow("changed my mind");
    await outbox.queue();
    await outbox.inState("sent");
    expect(server.received.map(({ recipients }) => recipients)).toEqual([["ann@example.com"]]);
  });

  test("is stored sealed in the database", async ({ db, outbox }) => {
    await outbox.queue();
    const [row] = await outbox.rows();
    const stored = Buffer.from(row?.body_sealed ?? []).toString("latin1");
    expect(stored).not.toContain("secret-link-text");
    const { rows: jobs } = await sql<{ job: string }>`
      SELECT j::text AS job FROM graphile_worker._private_jobs j`.execute(db.database);
    expect(JSON.stringify(jobs)).not.toContain("secret-link-text");
  });

  test("is sent once by one of many nodes", async ({ outbox }) => {
    for (let i = 0; i < 3; i++) outbox.startNode();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => outbox.queue({ to: `person-${i}@example.com` })),
    );
    await server.message(19);
    await eventually(30_000, "all are sent", async () =>
      (await outbox.rows()).every(({ status }) => status === "sent") ? true : null,
    );
    const recipients = server.received.flatMap((mail) => mail.recipients);
    expect([recipients.length, new Set(recipients).size]).toEqual([20, 20]);
  });

  test("with line breaks in its subject gets no additional header", async ({ outbox }) => {
    outbox.startNode();
    await outbox.queue({ subject: "Hi\r\nBcc: eve@example.com\r\n\r\n<b>body</b>" });
    const mail = await server.message(0);
    expect(mail.bcc).toBeUndefined();
    expect(mail.subject).toBe("Hi Bcc: eve@example.com <b>body</b>");
    expect(mail.recipients).toEqual(["ann@example.com"]);
  });

  test("is neither sent nor readable after its withdrawal", async ({ db, outbox }) => {
    await outbox.queue({ aboutId: "invite_1" });
    await outbox.queue({ aboutId: "invite_2", to: "bob@example.com" });
    await inTransaction(db.database, (tx) => withdrawMail(tx, "invite_1"));
    outbox.startNode();
    expect((await server.message(0)).recipients).toEqual(["bob@example.com"]);
    const withdrawn = (await outbox.rows()).find(({ about_id }) => about_id === "invite_1");
    expect([withdrawn?.status, withdrawn?.body_sealed]).toEqual(["withdrawn", null]);
  });
});

describe("without a mail server", () => {
  test("messages wait until a node has one", async ({ db, outbox }) => {
    outbox.startNode(null);
    await outbox.queue();
    await sweepMail(db.database);
    const [waiting] = await outbox.rows();
    expect([waiting?.status, waiting?.attempts]).toEqual(["queued", 0]);
    outbox.startNode();
    await outbox.inState("sent");
    expect(server.received.length).toBe(1);
  });
});

describe("a mail server that", () => {
  test("is busy gets the message again with the same Message-ID, and the reason is listed meanwhile", async ({
    outbox,
  }) => {
    server.refusal = { responseCode: 451, message: "try again later" };
    outbox.startNode();
    await outbox.queue();
    const waiting = await eventually(30_000, "a first attempt", async () => {
      const [row] = await outbox.rows();
      return row?.last_error ? row : null;
    });
    expect([waiting.status, waiting.attempts]).toEqual(["queued", 1]);
    expect(waiting.last_error).toContain("451 try again later");
    server.refusal = null;
    await outbox.retryNow();
    const sent = await outbox.inState("sent", 2);
    expect((await server.message(0)).messageId).toBe(`<${sent.id}@example.com>`);
    expect([server.received.length, sent.last_error]).toEqual([1, null]);
  });

  test("refuses the message permanently fails it at once", async ({ outbox }) => {
    server.refusal = { responseCode: 550, message: "no such person" };
    outbox.startNode();
    await outbox.queue();
    const failed = await outbox.inState("failed");
    expect(failed.attempts).toBe(1);
    expect(failed.last_error).toContain("550 no such person");
    // An administrator can still read and forward the message.
    expect(failed.body_sealed).not.toBeNull();
    expect(server.refused).toBe(1);
  });

  test("is unreachable gets a limited number of attempts", async ({ outbox }) => {
    outbox.startNode("smtp://127.0.0.1:1");
    await outbox.queue();
    await eventually(30_000, "a first attempt", async () =>
      (await outbox.rows())[0]?.last_error ? true : null,
    );
    await outbox.retryNow("last");
    const failed = await outbox.inState("failed", 2);
    expect(failed.last_error).toContain("ECONNREFUSED");
    expect(logs.join("")).not.toContain("secret-link-text");
  });
});

describe("a lost database connection", () => {
  test("at the end or failure of a job stops neither the process nor the jobs", async ({
    db,
    outbox,
  }) => {
    const name = new URL(db.connectionString).pathname.slice(1);
    const admin = openDatabase({
      connectionString: inject("adminConnectionString"),
      maxConnections: 1,
      onIdleError: () => undefined,
    });
    const ran = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const cut = async (i: number) => {
      await sql`ALTER DATABASE ${sql.id(name)} ALLOW_CONNECTIONS false`.execute(admin);
      await outbox.endJobConnections();
      ran[i]?.resolve();
    };
    const restarts: string[] = [];
    nodes.push(
      runJobs({
        connectionString: db.connectionString,
        jobs: {
          end: () => cut(0),
          fail: async () => {
            await cut(1);
            throw new Error("and fails");
          },
          again: async () => ran[1]?.promise,
        },
        schedule: {},
        logger: makeLogger("warn", { write: (line) => restarts.push(line) }),
      }),
    );
    const add = (task: string) =>
      addJob(db.database, { task, payload: {}, key: `key of ${task}`, maxAttempts: 1 });
    for (const [i, task] of ["end", "fail"].entries()) {
      await add(task);
      await ran[i]?.promise;
      await eventually(30_000, "the worker has stopped", async () =>
        restarts.filter((line) => line.includes("jobs have stopped")).length > i ? true : null,
      );
      await sql`ALTER DATABASE ${sql.id(name)} ALLOW_CONNECTIONS true`.execute(admin);
    }
    await admin.destroy();
    await add("again");
    await eventually(30_000, "the next job is done", async () => {
      const { rows: left } = await sql`SELECT FROM graphile_worker._private_jobs
        WHERE key = 'key of again'`.execute(db.database);
      return left.length === 0 ? true : null;
    });
  }, 120_000);

  test("stops no node's jobs", async ({ outbox }) => {
    outbox.startNode();
    await outbox.queue();
    await outbox.inState("sent");
    await outbox.endJobConnections();
    await outbox.queue({ to: "bob@example.com" });
    expect((await server.message(1)).recipients).toEqual(["bob@example.com"]);
  });
});

describe("the sweep", () => {
  test("assigns a lost node's message to another node", async ({ db, outbox }) => {
    await outbox.queue();
    // State of a node that was killed while sending.
    await sql`UPDATE graphile_worker._private_jobs SET attempts = 1, locked_by = 'gone',
      locked_at = now() - interval '6 minutes'`.execute(db.database);
    await sql`UPDATE mail SET attempts = 1, claimed_until = now() - interval '1 second'`.execute(
      db.database,
    );
    outbox.startNode();
    await sweepMail(db.database);
    await outbox.inState("sent", 2);
    expect(server.received.length).toBe(1);
  });

  test("skips a message that a node is sending", async ({ db, outbox }) => {
    await outbox.queue();
    await sql`UPDATE graphile_worker._private_jobs SET attempts = 1, locked_by = 'busy',
      locked_at = now() - interval '1 minute'`.execute(db.database);
    await sql`UPDATE mail SET attempts = 1, claimed_until = now() + interval '4 minutes'`.execute(
      db.database,
    );
    await sweepMail(db.database);
    const { rows: jobs } = await sql<{ locked_by: string | null }>`
      SELECT locked_by FROM graphile_worker._private_jobs`.execute(db.database);
    expect(jobs).toEqual([{ locked_by: "busy" }]);
  });

  test("fails messages after three days and deletes them after ninety", async ({ db, outbox }) => {
    await outbox.queue();
    await outbox.queue({ to: "bob@example.com" });
    await outbox.queue({ to: "cid@example.com" });
    await sql`UPDATE mail SET created_at = now() - interval '73 hours' WHERE to_address = 'ann@example.com'`.execute(
      db.database,
    );
    await sql`UPDATE mail SET created_at = now() - interval '91 days', status = 'sent' WHERE to_address = 'bob@example.com'`.execute(
      db.database,
    );
    await sweepMail(db.database);
    expect(
      (await outbox.rows()).map(({ to_address, status, last_error }) => [
        to_address,
        status,
        last_error,
      ]),
    ).toEqual([
      ["ann@example.com", "failed", "The message was not sent within 72 hours."],
      ["cid@example.com", "queued", null],
    ]);
  });
});

import type { mail, mailWithBody } from "@bursar/contract/admin/mail.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { type OutgoingMail, queueMail } from "./queue-mail.ts";

const MAIL = "/v1/admin/mail";

type Mail = z.output<typeof mail>;
type MailWithBody = z.output<typeof mailWithBody>;
type Page = Listed<Mail> & { is_mail_server_configured: boolean };

const test = base
  /** Queues a message and returns its id. */
  .extend("queue", ({ h, org }) => async (fields: Partial<OutgoingMail> = {}): Promise<string> => {
    await inTransaction(h.deps.database, (tx) =>
      queueMail(tx, h.deps, {
        organizationId: org.id,
        to: "ann@example.com",
        kind: "notice",
        subject: "A key expires",
        text: "the text",
        html: "<p>the text</p>",
        ...fields,
      }),
    );
    const { body } = await org.admin.get<Page>(MAIL);
    return body.data[0]?.id ?? "";
  });

test("an administrator can list and read a notice that is not sent yet", async ({ org, queue }) => {
  const id = await queue();
  const listed = await org.admin.get<Page>(MAIL);
  const shown = {
    id,
    type: "mail",
    kind: "notice",
    to: "ann@example.com",
    subject: "A key expires",
    status: "queued",
    attempts: 0,
    last_error: null,
    created_at: expect.any(String),
    sent_at: null,
  };
  expect(listed.body).toEqual({
    data: [shown],
    next_page: null,
    is_mail_server_configured: false,
  });
  const { client } = await org.member({ role: "admin", steppedUpAtMs: null });
  expect((await client.get<MailWithBody>(`${MAIL}/${id}`)).body).toEqual({
    ...shown,
    body: { text: "the text", html: "<p>the text</p>" },
    body_absent_because: null,
    access_links: "none",
  });
});

test("lists a sent message without its body", async ({ h, org, queue }) => {
  const id = await queue();
  await h.deps.database
    .updateTable("mail")
    .set({ status: "sent", sent_at: new Date(h.clock.nowMs), body_sealed: null })
    .where("id", "=", id)
    .execute();
  const { body } = await org.admin.get<MailWithBody>(`${MAIL}/${id}`);
  expect([body.status, body.body, body.body_absent_because]).toEqual(["sent", null, "sent"]);
});

test("shows messages only to owners and admins of the organization", async ({ h, org, queue }) => {
  const id = await queue();
  for (const role of ["developer", "billing", "user", "claude_code_user"] as const) {
    const { client } = await org.member({ role });
    expect((await client.get(MAIL)).status).toBe(403);
    expect((await client.get(`${MAIL}/${id}`)).status).toBe(403);
  }
  const other = await h.organization();
  expect((await other.admin.get<Page>(MAIL)).body.data).toEqual([]);
  expect((await other.admin.get(`${MAIL}/${id}`)).status).toBe(404);
});

test("lists in pages and by state", async ({ org, queue }) => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.unshift(await queue({ to: `person-${i}@example.com` }));
  const seen: string[] = [];
  let next: string | null = null;
  do {
    const url: string = `${MAIL}?limit=2${next === null ? "" : `&page=${next}`}`;
    const { body } = await org.admin.get<Page>(url);
    seen.push(...body.data.map(({ id }) => id));
    next = body.next_page;
  } while (next !== null);
  expect(seen).toEqual(ids);
  expect((await org.admin.get<Page>(`${MAIL}?statuses=failed,withdrawn`)).body.data).toEqual([]);
  expect((await org.admin.get<Page>(`${MAIL}?statuses=queued`)).body.data.length).toBe(5);
});

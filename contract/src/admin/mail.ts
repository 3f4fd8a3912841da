import { z } from "zod";
import { emailAddress, queryList, timestamp } from "../fields.ts";
import { mailId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const mailStatus = z
  .enum(["queued", "sent", "failed", "withdrawn"])
  .meta({ description: "`withdrawn`: what it was about ended before it was sent." });

const mailFields = {
  id: mailId,
  type: z.literal("mail"),
  kind: z.string().meta({ description: "`invite`, `password_reset` or `notice`." }),
  to: z.string(),
  subject: z.string(),
  status: mailStatus,
  attempts: z.int(),
  last_error: z
    .string()
    .nullable()
    .meta({ description: "What the mail server or the way to it said last." }),
  created_at: timestamp,
  sent_at: timestamp.nullable(),
};

export const mail = z.object(mailFields).meta({ id: "Mail" });

export const mailWithBody = z
  .object({
    ...mailFields,
    body: z
      .object({ text: z.string(), html: z.string() })
      .nullable()
      .meta({ description: "Null where it cannot be read: see `body_absent_because`." }),
    body_absent_because: z.enum(["sent", "withdrawn", "owners_only"]).nullable().meta({
      description:
        "A message that was sent or withdrawn is kept without its body, since links in it are its receiver's alone. One whose link would give the rights of an owner is shown to owners only.",
    }),
  })
  .meta({ id: "MailWithBody" });

export const listMail = route({
  operationId: "listMail",
  method: "GET",
  path: "/v1/admin/mail",
  summary: "List messages",
  description:
    "What the server has to send by mail, newest first, for 90 days. Without a mail server (`SMTP_URL`) messages stay queued, and an administrator passes on what they say.",
  action: "mail:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, statuses: queryList(mailStatus) }),
  response: pageCursor(mail).extend({
    is_mail_server_configured: z.boolean(),
  }),
});

export const getMail = route({
  operationId: "getMail",
  method: "GET",
  path: "/v1/admin/mail/{mail_id}",
  summary: "Get a message",
  description: "With its text and HTML, while it has not been sent.",
  action: "mail:read",
  audited: null,
  params: z.strictObject({ mail_id: mailId }),
  response: mailWithBody,
});

export const sendTestMail = route({
  operationId: "sendTestMail",
  method: "POST",
  path: "/v1/admin/mail/test",
  summary: "Send a test message",
  description:
    "Queues a message that says only that mail works. Its `status` and `last_error` then tell how it went: get it again a moment later. Without a mail server it waits, like every message.",
  action: "organization:write",
  audited: "mail.test_queued",
  body: z.strictObject({ to: emailAddress }),
  response: mail,
});

export const mailRoutes = [listMail, getMail, sendTestMail] as const;

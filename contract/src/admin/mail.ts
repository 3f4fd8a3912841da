import { z } from "zod";
import { emailAddress, queryList, timestamp } from "../fields.ts";
import { mailId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";

const mailStatus = z
  .enum(["queued", "sent", "failed", "withdrawn"])
  .meta({ description: "`withdrawn`: its cause ended before it was sent." });

const mailFields = {
  id: mailId,
  type: z.literal("mail"),
  kind: z
    .string()
    .meta({ description: "`invite`, `password_reset`, `directory_link` or `notice`." }),
  to: z.string(),
  subject: z.string(),
  status: mailStatus,
  attempts: z.int(),
  last_error: z
    .string()
    .nullable()
    .meta({ description: "Last error from the mail server or the connection to it." }),
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
      .meta({ description: "Null: not readable. `body_absent_because` has the reason." }),
    body_absent_because: z.enum(["sent", "withdrawn"]).nullable().meta({
      description:
        "Sent and withdrawn messages are stored without a body, since its links are for the recipient only.",
    }),
    access_links: z.enum(["none", "shown", "hidden"]).meta({
      description:
        "Links of an invite or a new password. `hidden`: a sentence replaces them, because only the recipient and the operator on the server's machine can see them.",
    }),
  })
  .meta({ id: "MailWithBody" });

export const listMail = route({
  operationId: "listMail",
  method: "GET",
  path: "/v1/admin/mail",
  summary: "List messages",
  description:
    "Lists e-mail of the server, newest first. Messages are stored for 90 days. Without a mail server (`SMTP_URL`), messages stay queued.",
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
  description:
    "Includes the text and HTML of a message that is not sent yet. Links that grant access are shown to the recipient after a step-up, and to the operator on the server's machine. Others get the message without these links. Each reading of a message with such a link is an audit event.",
  action: "mail:read",
  audited: "mail.read",
  stepUp: "if_wider",
  params: z.strictObject({ mail_id: mailId }),
  response: mailWithBody,
});

export const sendTestMail = route({
  operationId: "sendTestMail",
  method: "POST",
  path: "/v1/admin/mail/test",
  summary: "Send a test message",
  description:
    "Queues a test message. Get it again a moment later for its `status` and `last_error`. Without a mail server it stays queued, like every message.",
  action: "organization:write",
  audited: "mail.test_queued",
  body: z.strictObject({ to: emailAddress }),
  response: mail,
});

export const mailRoutes = [listMail, getMail, sendTestMail] as const;

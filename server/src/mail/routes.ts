import {
  listMail as listMailRoute,
  type mail,
  type mailRoutes,
} from "@bursar/contract/admin/mail.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import type { MailRow } from "./list-mail.sql.ts";
import { getMail, listMail, type MailReadDeps } from "./list-mail.ts";
import { sendTestMail, type TestMailDeps } from "./test-mail.ts";

export function makeMailHandlers(
  deps: MailReadDeps & TestMailDeps,
): HandlersFor<(typeof mailRoutes)[number], Call> {
  const list = pagedList(
    listMailRoute,
    (call: Call, { query }, page) => listMail(deps, call, query, page),
    toWire,
  );
  return {
    listMail: async (call, input) => ({
      ...(await list(call, input)),
      is_mail_server_configured: deps.isMailServerConfigured,
    }),
    getMail: async (call, { params }) => {
      const { row, body, absentBecause, accessLinks } = await getMail(deps, call, params.mail_id);
      return {
        ...toWire(row),
        body,
        body_absent_because: absentBecause,
        access_links: accessLinks,
      };
    },
    sendTestMail: async (call, { body }) => toWire(await sendTestMail(deps, call, body.to)),
  };
}

function toWire(row: MailRow): z.input<typeof mail> {
  return {
    id: row.id,
    type: "mail",
    kind: row.kind,
    to: row.to_address,
    subject: row.subject,
    status: row.status,
    attempts: row.attempts,
    last_error: row.last_error,
    created_at: row.created_at.toISOString(),
    sent_at: row.sent_at?.toISOString() ?? null,
  };
}

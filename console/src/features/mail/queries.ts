import { type ItemOf, useApi, usePages } from "../../queries.ts";
import type { MailView } from "./search.ts";

export type Mail = ItemOf<"listMail">;

const EVERY_MS = 10_000;

export const useMailList = (view: MailView) =>
  usePages("listMail", view === "all" ? {} : { statuses: [view] }, { everyMs: EVERY_MS });
export const useMail = (mailId: string) => useApi("getMail", { params: { mail_id: mailId } });

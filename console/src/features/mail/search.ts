import { makeSearchReader, oneOf } from "../../search-fields.ts";

export const mailViews = ["all", "queued", "sent", "failed", "withdrawn"] as const;
export type MailView = (typeof mailViews)[number];

/** Reads the address of the outbox. */
export const readMailSearch = makeSearchReader({ show: oneOf(mailViews) });
export type MailSearch = ReturnType<typeof readMailSearch>;

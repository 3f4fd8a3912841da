export const mailViews = ["all", "queued", "sent", "failed", "withdrawn"] as const;
export type MailView = (typeof mailViews)[number];

/** What of the outbox stands in the address. */
export interface MailSearch {
  show?: MailView;
}

/** Reads the address; what makes no sense is as if it were not there. */
export function readMailSearch(raw: Record<string, unknown>): MailSearch {
  const show = mailViews.find((view) => view === raw["show"]);
  return show ? { show } : {};
}

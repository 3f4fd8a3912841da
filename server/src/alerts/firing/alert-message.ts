/** A message about a firing, or a test, before it is a mail, a block of Slack or an event of PagerDuty. */
export interface AlertMessage {
  /** The delivery's: the same on every attempt. */
  id: string;
  firingId: string | null;
  /** What happened, in one sentence. */
  title: string;
  /** What happens next, or what can be done about it. */
  next: string;
  facts: readonly { label: string; value: string }[];
  /** Where it tells of several things at once: these, in lines. */
  list: { label: string; items: readonly string[] } | null;
  /** Of what it is about in the console. */
  url: string;
  severity: "info" | "warning" | "critical";
  /** Of the organization. */
  source: string;
  /** Of the alert. */
  name: string;
  at: Date;
  payload: WebhookPayload;
}

/** The body of a webhook. Fields are only ever added to a version. */
export interface WebhookPayload {
  type: "alert.fired" | "alert.test";
  version: 1;
  timestamp: string;
  data: object;
}

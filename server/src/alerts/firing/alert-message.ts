/** A message about a firing, or a test message, before a channel formats it. */
export interface AlertMessage {
  /** Id of the delivery, the same on every attempt. */
  id: string;
  firingId: string | null;
  /** The event, in one sentence. */
  title: string;
  /** The effect or a recommended action. */
  next: string;
  facts: readonly { label: string; value: string }[];
  /** Lines of a message about several firings or keys. */
  list: { label: string; items: readonly string[] } | null;
  /** Page of the subject in the console. */
  url: string;
  severity: "info" | "warning" | "critical";
  /** Name of the organization. */
  source: string;
  /** Name of the alert. */
  name: string;
  at: Date;
  payload: WebhookPayload;
}

/** The body of a webhook. A version may get new fields, and never loses any. */
export interface WebhookPayload {
  type: "alert.fired" | "alert.test";
  version: 1;
  timestamp: string;
  data: object;
}

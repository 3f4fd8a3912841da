export interface SmtpMessage {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  createdAt: Date;
}

/** `refused` where the server says that it will never take this message; everything else may pass by itself. */
export type SendOutcome =
  | { kind: "accepted" }
  | { kind: "refused"; reason: string }
  | { kind: "failed"; reason: string };

export interface MailTransport {
  /** Hands over the message. Never throws for what the server or the way to it does. */
  send(message: SmtpMessage): Promise<SendOutcome>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_TIMEOUT_MS = 30_000;
/** Longest that a message may take as a whole: a server that answers a byte now and then is no reason to wait for ever. */
const SEND_TIMEOUT_MS = 120_000;
const MAX_REASON = 500;

/**
 * Sends to the mail server at a URL (`smtp://`, which changes to TLS where the server offers it, or `smtps://`). Each
 * message has a connection of its own, because there are few. Every attempt at a message has the same Message-ID, so that
 * receivers recognize it.
 */
export function makeSmtpTransport(options: { url: string; from: string }): MailTransport {
  const domain = domainOf(options.from);
  return {
    async send(message) {
      const transporter = await makeTransporter(options.url);
      const sending = transporter.sendMail({
        from: options.from,
        to: { name: "", address: message.to },
        subject: message.subject,
        text: message.text,
        html: message.html,
        date: message.createdAt,
        messageId: `<${message.id}@${domain}>`,
        headers: { "auto-submitted": "auto-generated" },
      });
      try {
        await inTime(sending);
        return { kind: "accepted" };
      } catch (error) {
        return explain(error);
      }
    },
  };
}

/** The first message loads nodemailer: without it a server starts with 0.07 s less processor time. */
async function makeTransporter(url: string) {
  const { default: nodemailer } = await import("nodemailer");
  return nodemailer.createTransport({
    url,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    // Messages of the product name no file and no address to read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

async function inTime(sending: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`The mail server took longer than ${SEND_TIMEOUT_MS / 1000} s.`)),
    SEND_TIMEOUT_MS,
  );
  sending.catch(() => undefined);
  try {
    await Promise.race([sending, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Permanent is what the server says about this message or its receiver (5yz); wrong credentials are ours to mend. */
function explain(error: unknown): SendOutcome {
  const reason = (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON);
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  const isPermanent = responseCode !== undefined && responseCode >= 500;
  return { kind: isPermanent && code !== "EAUTH" ? "refused" : "failed", reason };
}

/** `Bursar <bursar@example.com>` → `example.com`. */
function domainOf(from: string): string {
  return /@([^\s<>@]+)>?$/.exec(from)?.[1] ?? "localhost";
}

export interface SmtpMessage {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  createdAt: Date;
}

/** `refused`: a permanent refusal of the server. Other failures may be temporary. */
export type SendOutcome =
  | { kind: "accepted" }
  | { kind: "refused"; reason: string }
  | { kind: "failed"; reason: string };

export interface MailTransport {
  /** Sends the message. Never throws for failures of the server or the network. */
  send(message: SmtpMessage): Promise<SendOutcome>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_TIMEOUT_MS = 30_000;
/** Maximum duration for a whole message, because a server may respond one byte at a time. */
const SEND_TIMEOUT_MS = 120_000;
const MAX_REASON = 500;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Sends to the mail server of a URL: `smtp://`, which changes to TLS before anything is sent, or `smtps://`. A server of this
 * machine needs no TLS, and `?requireTLS=false` sends unencrypted if the server has none. Each message has its own
 * connection, because there are few. Every attempt has the same Message-ID, so that receivers detect duplicates.
 */
export function makeSmtpTransport(options: { url: string; from: string }): MailTransport {
  const domain = findDomain(options.from);
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
        await waitForSend(sending);
        return { kind: "accepted" };
      } catch (error) {
        return explain(error);
      }
    },
  };
}

/** Loads nodemailer with the first message, which saves 0.07 s of processor time at the start. */
async function makeTransporter(url: string) {
  const { default: nodemailer } = await import("nodemailer");
  return nodemailer.createTransport({
    url,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    // A value in the URL has priority.
    requireTLS: !LOOPBACK.test(new URL(url).hostname),
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    // Messages reference no files or URLs.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

async function waitForSend(sending: Promise<unknown>): Promise<void> {
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

const NO_TLS =
  "The mail server offers no TLS, so no message was sent. Use smtps:// in SMTP_URL, or add ?requireTLS=false to send " +
  "messages and their links unencrypted.";
/** Failures that a change of the settings ends: wrong credentials, and a server without TLS. */
const FIXABLE = ["EAUTH", "ETLS"];

/** A response about the message or its recipient (5yz) is permanent. */
function explain(error: unknown): SendOutcome {
  const { responseCode, code = "" } = error as { responseCode?: number; code?: string };
  // A failed handshake has no response.
  if (code === "ETLS" && responseCode !== undefined) return { kind: "failed", reason: NO_TLS };
  const reason = (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON);
  const isPermanent = responseCode !== undefined && responseCode >= 500;
  return { kind: isPermanent && !FIXABLE.includes(code) ? "refused" : "failed", reason };
}

/** Domain of a sender: `Bursar <bursar@example.com>` → `example.com`. */
function findDomain(from: string): string {
  return /@([^\s<>@]+)>?$/.exec(from)?.[1] ?? "localhost";
}

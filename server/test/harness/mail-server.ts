import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from "./test-certificate.ts";

/** A mail server on loopback that stores received messages. */
export interface MailServer {
  /** Value of SMTP_URL. */
  url: string;
  /** Accepted messages, in order. */
  received: ReceivedMail[];
  /** Waits for the message at this index of `received`. */
  message(index: number): Promise<ReceivedMail>;
  /** Waits for the first message to this address. */
  messageTo(address: string): Promise<ReceivedMail>;
  /** Error at the end of the next messages. Null accepts them. `refused` counts refused messages. */
  refusal: { responseCode: number; message: string } | null;
  refused: number;
  close(): Promise<void>;
}

export interface ReceivedMail extends ParsedMail {
  /** Recipients of the envelope. */
  recipients: string[];
  raw: string;
  isEncrypted: boolean;
}

/** `hasTls`: the server offers STARTTLS, with the certificate of the tests. */
export async function startMailServer({ hasTls = false } = {}): Promise<MailServer> {
  const waiting: (() => void)[] = [];
  const server = new SMTPServer({
    authOptional: true,
    ...(hasTls
      ? { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY }
      : { disabledCommands: ["STARTTLS"] }),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (mail.refusal !== null) {
          mail.refused++;
          const { responseCode, message } = mail.refusal;
          done(Object.assign(new Error(message), { responseCode }));
          notify();
          return;
        }
        const raw = Buffer.concat(chunks).toString("utf8");
        void simpleParser(raw).then((parsed) => {
          const recipients = session.envelope.rcptTo.map(({ address }) => address);
          mail.received.push(
            Object.assign(parsed, { recipients, raw, isEncrypted: session.secure }),
          );
          done();
          notify();
        });
      });
    },
  });
  const notify = () => {
    for (const each of waiting.splice(0)) each();
  };
  const waitFor = async (find: () => ReceivedMail | undefined): Promise<ReceivedMail> => {
    for (;;) {
      const found = find();
      if (found) return found;
      await new Promise<void>((done) => waiting.push(done));
    }
  };
  const mail: MailServer = {
    url: "",
    received: [],
    refusal: null,
    refused: 0,
    message: (index) => waitFor(() => mail.received[index]),
    messageTo: (address) =>
      waitFor(() => mail.received.find(({ recipients }) => recipients.includes(address))),
    close: () => new Promise((done) => server.close(done)),
  };
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  mail.url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return mail;
}

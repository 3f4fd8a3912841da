import { expect, onTestFinished, test } from "vitest";
import { type MailServer, startMailServer } from "#test/harness/mail-server.ts";
import { makeSmtpTransport, type SendOutcome } from "./smtp.ts";

async function start(options?: Parameters<typeof startMailServer>[0]): Promise<MailServer> {
  const server = await startMailServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** The same server by an address that is not recognized as this machine. */
const remote = ({ url }: MailServer) => url.replace("127.0.0.1", "0.0.0.0");

function send(url: string): Promise<SendOutcome> {
  return makeSmtpTransport({ url, from: "bursar@example.com" }).send({
    id: "mail_1",
    to: "ann@example.com",
    subject: "A link",
    text: "text",
    html: "<p>text</p>",
    createdAt: new Date(0),
  });
}

test("sends no message unencrypted to another machine, and says how to change that", async () => {
  const server = await start();
  for (const query of ["", "?ignoreTLS=true", "?opportunisticTLS=true", "?requireTLS=true"]) {
    expect(await send(remote(server) + query), query).toEqual({
      kind: "failed",
      reason: expect.stringMatching(/offers no TLS.*smtps:\/\/.*\?requireTLS=false/),
    });
  }
  expect(server.received).toEqual([]);
});

test("sends unencrypted if the address says so, and to this machine", async () => {
  const server = await start();
  for (const url of [`${remote(server)}?requireTLS=false`, server.url]) {
    expect(await send(url)).toEqual({ kind: "accepted" });
  }
  expect(server.received.map(({ isEncrypted }) => isEncrypted)).toEqual([false, false]);
});

test("changes to TLS before a message is sent", async () => {
  const server = await start({ hasTls: true });
  expect(await send(`${remote(server)}?tls.rejectUnauthorized=false`)).toEqual({
    kind: "accepted",
  });
  expect(server.received.map(({ isEncrypted }) => isEncrypted)).toEqual([true]);
});

test("sends no message to a server with an untrusted certificate", async () => {
  const server = await start({ hasTls: true });
  for (const query of ["", "?requireTLS=false"]) {
    const outcome = await send(remote(server) + query);
    expect(outcome).toMatchObject({ kind: "failed" });
    expect(outcome).not.toMatchObject({ reason: expect.stringContaining("offers no TLS") });
  }
  expect(server.received).toEqual([]);
});

import { afterAll, expect, test } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/gateway.ts";
import { startMailServer } from "./harness/mail-server.ts";
import { startServer, stopAllServers } from "./harness/server-process.ts";

afterAll(stopAllServers);

test("delivers an invite from a real server through a mail server to a member, with any Host header", {
  timeout: 120_000,
}, async () => {
  const mail = await startMailServer();
  const server = await startServer({
    env: { SMTP_URL: mail.url, BURSAR_MAIL_FROM: "Bursar <bursar@example.com>" },
  });
  try {
    const invited = await call(server.url, {
      method: "POST",
      path: "/v1/admin/invites",
      headers: {
        host: "evil.example",
        "x-forwarded-host": "evil.example",
        "x-api-key": await server.adminKey(),
        "content-type": "application/json",
      },
      body: JSON.stringify({ emails: ["ann@example.com"], role: "Developer" }),
    });
    expect(invited.status).toBe(200);
    const message = await mail.messageTo("ann@example.com");
    expect(message.raw).not.toContain("evil.example");
    const [link = ""] = /https?:\S+/.exec(message.text ?? "") ?? [];
    expect(link.startsWith(`${server.url}/invite#token=`)).toBe(true);
    const accepted = await fetch(`${server.url}/v1/admin/invites/accept`, {
      method: "POST",
      headers: {
        origin: server.url,
        "content-type": "application/json",
        "x-bursar-console": "1",
      },
      body: JSON.stringify({
        token: link.split("#token=")[1],
        name: "Ann",
        password: "correct horse battery staple",
      }),
    });
    expect(accepted.status).toBe(200);
    const cookie = accepted.headers.getSetCookie().map((line) => line.split(";")[0]);
    const session = await fetch(`${server.url}/v1/admin/session`, {
      headers: { cookie: cookie.join("; "), "x-bursar-console": "1" },
    });
    expect(await session.json()).toMatchObject({ member: { email: "ann@example.com" } });
    const listed = await eventually(30_000, "the message is marked as sent", async () => {
      const { data } = await server.mustAdmin("GET", "/v1/admin/mail?statuses=sent");
      return (data as unknown[]).length > 0 ? (data as { to: string }[]) : null;
    });
    expect(listed.map(({ to }) => to)).toEqual(["ann@example.com"]);
    await server.stop();
  } finally {
    await mail.close();
  }
});

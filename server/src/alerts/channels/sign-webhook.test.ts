import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { makeSigningSecret } from "./channel-secrets.ts";
import { signWebhook } from "./sign-webhook.ts";

const message = () => ({ id: "msg_1", atMs: Date.now(), body: '{"title":"Grüße · 75%"}' });

test("the library of Standard Webhooks verifies a signature, but no other body, id or time", () => {
  const secret = makeSigningSecret(systemRandomBytes);
  const { body, ...of } = message();
  const headers = signWebhook([secret], { ...of, body });
  const webhook = new Webhook(secret);
  expect(webhook.verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => webhook.verify(`${body} `, headers)).toThrow();
  expect(() => webhook.verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow();
  const later = String(Number(headers["webhook-timestamp"]) + 1);
  expect(() => webhook.verify(body, { ...headers, "webhook-timestamp": later })).toThrow();
});

test("the library of Standard Webhooks creates the same signature", () => {
  const secret = makeSigningSecret(systemRandomBytes);
  const of = message();
  const theirs = new Webhook(secret).sign(of.id, new Date(of.atMs), of.body);
  expect(signWebhook([secret], of)["webhook-signature"]).toBe(theirs);
});

test("each of several secrets verifies the message, and no other secret does", () => {
  const secrets = [1, 2, 3].map(() => makeSigningSecret(systemRandomBytes));
  const of = message();
  const headers = signWebhook(secrets, of);
  expect(headers["webhook-signature"]?.split(" ")).toHaveLength(3);
  for (const secret of secrets) expect(new Webhook(secret).verify(of.body, headers)).toBeTruthy();
  const other = new Webhook(makeSigningSecret(systemRandomBytes));
  expect(() => other.verify(of.body, headers)).toThrow("No matching signature found");
});

test.each([
  ["no secret", []],
  ["an empty text", [""]],
  ["an empty secret", ["whsec_"]],
  ["a short secret", [`whsec_${Buffer.alloc(23).toString("base64")}`]],
  ["a valid and an empty secret", [makeSigningSecret(systemRandomBytes), "whsec_"]],
  ["a secret without its prefix", [Buffer.alloc(32).toString("base64")]],
])("signing fails with %s", (_, secrets) => {
  expect(() => signWebhook(secrets, message())).toThrow();
});

import { expect } from "vitest";
import { deriveSealingKey } from "#src/lib/seal.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { test } from "#test/harness/admin-test.ts";
import { totpCode } from "#test/harness/authenticator.ts";
import { openBrowser } from "#test/harness/browser.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { resealTwoFactors } from "./reseal-two-factors.ts";

const SIGN_IN = "/v1/admin/sign_in";
const TOTP = "/v1/admin/two_factor/totp";

test("an authenticator app and backup codes work after their secret was sealed again", async ({
  h,
}) => {
  const org = await h.organization("Acme");
  const member = await org.member({ role: "admin" });
  const browse = () => openBrowser(h.app, { remoteAddress: "198.51.100.1" });
  const signIn = async (code: string, method: "totp" | "backup_code") => {
    const browser = browse();
    await browser.post(SIGN_IN, { email: member.email, password: MEMBER_PASSWORD });
    return (await browser.post(`${SIGN_IN}/two_factor`, { code, method })).status;
  };
  const browser = browse();
  await browser.post(SIGN_IN, { email: member.email, password: MEMBER_PASSWORD });
  const { body } = await browser.post<{ secret: string; backup_codes: string[] }>(TOTP);
  await browser.post(`${TOTP}/confirm`, { code: totpCode(body.secret) });

  const own = h.audit.sealingKey;
  const other = deriveSealingKey("another secret");
  const reseal = (keys: { from: Buffer; to: Buffer }) =>
    inSignedTransaction(h.audit, (tx) => resealTwoFactors(tx, keys));
  expect(await reseal({ from: own, to: other })).toEqual({ sealed: 1, unreadable: 0 });
  expect(await reseal({ from: own, to: other })).toEqual({ sealed: 0, unreadable: 1 });
  expect(await reseal({ from: other, to: own })).toEqual({ sealed: 1, unreadable: 0 });
  expect(await signIn(totpCode(body.secret, 1), "totp")).toBe(200);
  expect(await signIn(body.backup_codes[0] ?? "", "backup_code")).toBe(200);
});

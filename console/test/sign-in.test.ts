import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Page } from "@playwright/test";
import { describe, expect, test } from "vitest";
import { sendMessage, startServer } from "../../server/test/harness/server-process.ts";
import { createInviteLink, emailOf, owner, postForCookie, setUpLinkOf } from "./company.ts";
import { testDirectorySignIn } from "./directory-sign-in.ts";
import {
  describeConsole,
  findViolations,
  openPage,
  readPageState,
  readSecret,
  SLOW_MS,
  settle,
  signIn,
  signOut,
  storeSecret,
} from "./open-console.ts";

describeConsole("coming in", (console) => {
  const { company, browser, open, openSession } = console;
  describe("through a directory", () => testDirectorySignIn(console));

  test(
    "set-up continues from the link to the first request, and reports its arrival",
    async () => {
      const server = await startServer();
      const { page, faults, context } = await openPage(browser(), {});
      await page.goto(setUpLinkOf(server));
      await page.getByLabel("Company").fill("Acme");
      expect(page.url()).toBe(`${server.url}/setup`);
      await page.getByLabel("Your name").fill("Grace Hopper");
      await page.getByLabel("E-mail").fill("grace@acme.example");
      await page.getByLabel("Password", { exact: true }).fill("short");
      await page.getByRole("button", { name: "Create owner" }).click();
      await page
        .getByText(/at least 12/i)
        .last()
        .waitFor();
      await page.getByLabel("Password", { exact: true }).fill(owner.password);
      await page.getByRole("button", { name: "Create owner" }).click();
      await page.getByRole("button", { name: "Use the simulator" }).click();
      await page.getByLabel("Name").fill("Engineering");
      await page.getByRole("button", { name: "Create workspace" }).click();
      await page.getByRole("button", { name: "Create key" }).click();
      const key = await readSecret(page);
      await storeSecret(page);
      await page.getByText("Waiting for your first request").waitFor();
      expect((await sendMessage(server.url, key)).status).toBe(200);
      await page.getByText("Your first request arrived").waitFor();
      await page.getByRole("button", { name: "Go to overview" }).click();
      await page.getByRole("heading", { level: 1, name: "Acme" }).waitFor();
      await page.getByText("Workspaces by cost").waitFor();
      expect(await readPageState(page)).not.toContain(key.slice(20, 40));
      expect(faults).toEqual([]);
      await context.close();
      await server.stop();
    },
    SLOW_MS,
  );

  test("a used or missing set-up token opens nothing", async () => {
    const { page } = await open();
    await page.goto(company().server.url + company().setUpPath);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(page.url()).toBe(`${company().server.url}/login`);
  });

  test("a wrong password shows a message, and the correct one opens the requested page", async () => {
    const { page, faults } = await open();
    await page.goto(`${company().server.url}/cost?range=month`);
    await page.getByLabel("E-mail").fill(owner.email);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("The address or the password is incorrect.").waitFor();
    expect(await page.getByLabel("E-mail").inputValue()).toBe(owner.email);
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Cost" }).waitFor();
    expect(page.url()).toBe(`${company().server.url}/cost?range=month`);
    expect(faults).toEqual([]);
  });

  test("a sign-in does not wait for the response to an earlier request", async () => {
    const { page, faults } = await open();
    const { url } = company().server;
    let isFirst = true;
    await page.route("**/v1/admin/session", async (route) => {
      if (!isFirst) return route.continue();
      // Never answered: the document that asked is gone by then.
      isFirst = false;
    });
    await signIn(page, owner.email, { url });
    await settle(page);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Northwind Robotics");
    expect(faults).toEqual([]);
  });

  test("repeated wrong passwords are refused until a shown time, and the address stays filled in", async () => {
    const { page } = await open();
    const { sql } = company().server;
    const email = emailOf("Radia");
    await page.goto(`${company().server.url}/login`);
    await page.getByLabel("E-mail").fill(email);
    const button = page.getByRole("button", { name: "Sign in", exact: true });
    const heldOff = page.getByText(/Try again in \d+ (?:second|minute)/);
    for (let attempt = 0; attempt < 12 && !(await heldOff.isVisible()); attempt += 1) {
      await page.getByLabel("Password").fill(`guess ${attempt}`);
      const answer = page.waitForResponse((response) => response.url().endsWith("/sign_in"));
      await button.click();
      await answer;
      await page.getByRole("alert").waitFor();
    }
    await heldOff.waitFor();
    expect(await page.getByLabel("E-mail").inputValue()).toBe(email);
    // Attempts return with time. The test moves the time forward, so that none returns on a slow machine.
    await sql(
      "UPDATE auth_attempt SET full_at = full_at + interval '1 hour' WHERE key LIKE 'account:' || encode(sha256($1::bytea), 'hex') || '%'",
      [email],
    );
    await page.getByLabel("Password").fill(owner.password);
    await button.click();
    await page.getByText(/Try again in 6\d minutes/).waitFor();
  });

  test("after signing out, no data of the session is visible", async () => {
    const { page } = await open();
    const { url } = company().server;
    await signIn(page, emailOf("Barbara"), { url });
    await page.goto(`${url}/members`);
    await page.getByText(emailOf("Katherine")).waitFor();
    await signOut(page, "Barbara Liskov");
    await page.goBack();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await readPageState(page)).not.toContain(emailOf("Katherine"));
  });

  test("a session that ends during input asks to sign in again, and the input survives", async () => {
    const { page } = await openSession(emailOf("Grace"));
    const { url, sql } = company().server;
    await page.goto(`${url}/workspaces`);
    await page.getByRole("button", { name: "Create workspace…" }).click();
    await page.getByLabel("Name").fill("Typed before");
    await page.getByLabel("Description").fill("And kept");
    await sql("DELETE FROM auth_session WHERE user_id = (SELECT id FROM member WHERE email = $1)", [
      emailOf("Grace"),
    ]);
    await page.getByRole("button", { name: "Create workspace", exact: true }).click();
    await page.getByRole("heading", { name: "Sign in again" }).waitFor();
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Typed before" }).waitFor();
    await page.getByText("And kept").waitFor();
  });

  test("a second factor is set up by QR code or text, required, and replaced by a backup code", async () => {
    const { page, faults } = await openSession(emailOf("Katherine"));
    const { url } = company().server;
    await page.goto(`${url}/account`);
    await page.getByRole("button", { name: "Set up an authenticator app…" }).click();
    await page.getByRole("img", { name: "QR code for the authenticator app" }).waitFor();
    const secret = (await readSecret(page)).replaceAll(" ", "");
    await page.getByLabel("Code", { exact: true }).fill("000000");
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.locator("input[aria-invalid]").waitFor();
    await page.getByLabel("Code", { exact: true }).fill(totp(secret, Date.now()));
    await page.getByRole("button", { name: "Turn on" }).click();
    await page.getByRole("heading", { name: "Store the backup codes" }).waitFor();
    const codes = await page.getByRole("dialog").locator("li").allTextContents();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "I stored them" }).click();
    await page.getByText(`${codes.length} backup codes left`).waitFor();
    const left = await readPageState(page);
    for (const kept of [secret, ...codes]) expect(left).not.toContain(kept);
    await signOut(page, "Katherine Johnson");

    const [backupCode = ""] = codes;
    await enter(page, emailOf("Katherine"));
    await page.getByLabel("Code", { exact: true }).fill("000000");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("alert").waitFor();
    // A code works once. The set-up used the current code, so this is the one of the next half minute.
    await page.getByLabel("Code", { exact: true }).fill(totp(secret, Date.now() + 30_000));
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: "Katherine Johnson" }).waitFor();
    await signOut(page, "Katherine Johnson");
    await enter(page, emailOf("Katherine"));
    await page.getByRole("button", { name: "Use a backup code" }).click();
    await page.getByLabel("Backup code").fill(backupCode);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: "Katherine Johnson" }).waitFor();
    await page.goto(`${url}/account`);
    await page.getByText(`${codes.length - 1} backup codes left`).waitFor();
    expect(faults).toEqual([]);
  });

  test("a passkey signs in by its button, and is offered beside the address", async () => {
    // A passkey needs a host name, not an IP address.
    const url = company().server.url.replace("127.0.0.1", "localhost");
    const { page, context, faults } = await openSession(emailOf("Margaret"), { url });
    const devtools = await context.newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await page.goto(`${url}/account`);
    await page.getByRole("button", { name: "Add a passkey…" }).click();
    await page.getByText("Passkey added").waitFor();
    expect(
      (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
    ).toBe(1);

    // The authenticator consents to every request. Without an offer, only the button starts one. The sign-in is another
    // document than the page before.
    const offers = (isThere: boolean) => page.evaluate(`sessionStorage.offers = "${isThere}"`);
    await page.addInitScript(
      'PublicKeyCredential.isConditionalMediationAvailable = async () => sessionStorage.offers === "true"',
    );
    await offers(false);
    await signOut(page, "Margaret Hamilton");
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("button", { name: "Margaret Hamilton" }).waitFor();

    // The browser offers the passkey beside the address, without a click on the page.
    await offers(true);
    const taken = page.waitForResponse(/\/v1\/admin\/sign_in\/passkey$/);
    await page.getByRole("button", { name: "Margaret Hamilton" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    expect((await taken).status()).toBe(200);
    await page.getByRole("button", { name: "Margaret Hamilton" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("an invite shows its role, accepts one person, and is then used up", async () => {
    const { page, faults } = await open();
    const { server, engineeringId } = company();
    const link = await createInviteLink(server, {
      emails: ["joan@northwind.example"],
      role: "developer",
      workspaces: [{ workspace_id: engineeringId, workspace_role: "workspace_developer" }],
    });
    await page.goto(link);
    await page.getByText("joan@northwind.example").waitFor();
    await page.getByText("Engineering").waitFor();
    const token = link.split("#token=")[1] ?? "";
    expect(page.url()).not.toContain(token);
    await page.getByLabel("Your name").fill("Joan Clarke");
    await page.getByLabel("Password", { exact: true }).fill(owner.password);
    await page.getByRole("button", { name: "Join Northwind Robotics" }).click();
    await page.getByRole("heading", { level: 1, name: "Northwind Robotics" }).waitFor();
    await page.getByRole("button", { name: "Joan Clarke" }).waitFor();
    expect(await readPageState(page)).not.toContain(token);
    await page.goto(link);
    await page.getByRole("heading", { name: "Invalid invite" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("a forgotten password is reset once by the link of a message", async () => {
    const { page, faults } = await open();
    const { server } = company();
    const email = emailOf("Tim");
    await page.goto(`${server.url}/login`);
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    // The sign-in has such a field too, and stays until this page is loaded.
    await page.getByRole("heading", { name: "Set a new password" }).waitFor();
    await page.getByLabel("E-mail").fill(email);
    await page.getByRole("button", { name: "Send link" }).click();
    await page.getByRole("heading", { name: "Check your e-mail" }).waitFor();
    const link = await waitForMailLink(email);
    await page.goto(link);
    await page.getByLabel("Password", { exact: true }).fill("a quite different passphrase");
    await page.getByRole("button", { name: "Set password" }).click();
    await page.getByRole("heading", { name: "Password changed" }).waitFor();
    await signIn(page, email, { url: server.url, password: "a quite different passphrase" });
    const again = await open();
    await again.page.goto(link);
    await again.page.getByLabel("Password", { exact: true }).fill("yet another passphrase");
    await again.page.getByRole("button", { name: "Set password" }).click();
    await again.page.getByRole("alert").waitFor();
    expect([...faults, ...again.faults]).toEqual([]);
  });

  test("a new password, and one button, end all other sessions of a member", async () => {
    const { server } = company();
    const email = "kay@northwind.example";
    const post = (path: string, body: object) => postForCookie(server, `/v1/admin/${path}`, body);
    const isSignedIn = async (cookie: string) =>
      (
        await fetch(`${server.url}/v1/admin/session`, {
          headers: { cookie, "x-bursar-console": "1" },
        })
      ).status === 200;
    const link = await createInviteLink(server, { emails: [email], role: "developer" });
    const first = await post("invites/accept", {
      ...{ token: link.split("#token=")[1], name: "Kay Antonelli", password: owner.password },
    });
    const { page, faults } = await open();
    await signIn(page, email, { url: server.url });
    await page.goto(`${server.url}/account`);
    const password = "a passphrase of the account page";
    await page.getByLabel("Current password").fill(owner.password);
    await page.getByLabel("New password").fill(password);
    await page.getByText("Effects at once").waitFor();
    await page.getByText(/^1 other session ends: /).waitFor();
    expect(await isSignedIn(first)).toBe(true);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("1 other session ended").waitFor();
    expect(await isSignedIn(first)).toBe(false);

    const second = await post("sign_in", { email, password });
    expect(await isSignedIn(second)).toBe(true);
    await page.reload();
    await page.getByRole("button", { name: "End all other sessions and laptops…" }).click();
    const dialog = page.getByRole("dialog", { name: "End all other sessions and laptops" });
    await dialog.getByText("Effects at once").waitFor();
    await dialog.getByText(/^1 other session ends: /).waitFor();
    await dialog.getByRole("button", { name: "End all other sessions and laptops" }).click();
    await page.getByText("1 session ended").waitFor();
    expect(await isSignedIn(second)).toBe(false);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("a member without access to a page sees the names of administrators", async () => {
    const { page } = await openSession(emailOf("Barbara"));
    await page.goto(`${company().server.url}/audit-log`);
    await page.getByRole("heading", { name: "You don’t have access to this page" }).waitFor();
    await page.getByRole("link", { name: owner.email }).waitFor();
    await page.getByRole("link", { name: emailOf("Grace") }).waitFor();
    expect(await page.getByRole("link", { name: "Audit log" }).count()).toBe(0);
  });

  test("a member who must set up a second factor sees one screen for it or signs out, and then the opened page", async () => {
    const { server } = company();
    const rule = (second_factor: "off" | "all") =>
      server.mustAdmin("POST", "/v1/admin/security_settings", { second_factor });
    const { page, faults } = await openSession(emailOf("Radia"), { width: 390 });
    const leaving = await openSession(emailOf("Barbara"));
    const screen = (who: Page) => who.getByRole("heading", { name: "Set up a second factor" });
    await page.goto(`${server.url}/workspaces`);
    await page.getByRole("heading", { level: 1, name: "Workspaces" }).waitFor();
    await rule("all");
    try {
      // An open page learns of the rule from its next call.
      await page.getByRole("button", { name: "Open the menu" }).click();
      await page.getByRole("dialog").getByRole("link", { name: "API keys" }).click();
      await screen(page).waitFor();
      await settle(page);
      expect(await findViolations(page)).toEqual([]);

      await leaving.page.goto(`${server.url}/members`);
      await screen(leaving.page).waitFor();
      await leaving.page.getByRole("button", { name: "Sign out" }).click();
      await leaving.page.getByRole("heading", { name: "Sign in" }).waitFor();

      await page.getByRole("button", { name: "Set up an authenticator app…" }).click();
      const secret = (await readSecret(page)).replaceAll(" ", "");
      await page.getByLabel("Code", { exact: true }).fill(totp(secret, Date.now()));
      await page.getByRole("button", { name: "Turn on" }).click();
      await page.getByRole("heading", { name: "Store the backup codes" }).waitFor();
      // The session has all its rights by now, and the screen stays until the codes are stored.
      await page.locator("h1", { hasText: "Set up a second factor" }).waitFor();
      await page.getByRole("button", { name: "I stored them" }).click();
      await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
    } finally {
      await rule("off");
    }
    expect([...faults, ...leaving.faults]).toEqual([]);
  });

  test("each security setting is saved by itself, and a refusal appears at its field", async () => {
    const { page, faults } = await openSession();
    const { server } = company();
    const settings = "/v1/admin/security_settings";
    const save = (name: string) => page.getByRole("button", { name }).click();
    const findError = async (label: string) => {
      const field = page.getByLabel(label);
      await page.locator("[aria-invalid=true]").and(field).waitFor();
      const [, errorId = ""] = (await field.getAttribute("aria-describedby"))?.split(" ") ?? [];
      return page.locator(`[id="${errorId}"]`).textContent();
    };
    await page.goto(`${server.url}/security-settings`);
    await page.getByLabel("Keys", { exact: true }).fill("7");
    await page.getByLabel("Session hours").fill("721");
    await save("Save session length");
    expect(await findError("Session hours")).toMatch(/720/);
    await page.getByLabel("Session hours").fill("12");
    await save("Save session length");
    await page.getByText("Sessions end after 12 hours").waitFor();
    await page.getByLabel("Addresses").fill("203.0.113.0/24");
    await save("Save console addresses");
    expect(await findError("Addresses")).toMatch(/exclude your own address 127\.0\.0\.1/);
    await page.getByLabel("Addresses").fill("127.0.0.1, 10.0.0.1/8");
    await save("Save console addresses");
    await page.getByText(/^Expected an address or a CIDR range/).waitFor();
    await page.getByLabel("Addresses").fill("127.0.0.1\n10.0.0.0/8");
    await save("Save console addresses");
    await page.getByText("The console works from 2 addresses or ranges").waitFor();
    await page.getByLabel("Require a second person").check();
    await save("Save approval rule");
    await page.getByText("Raises need a second person").waitFor();
    await page.getByLabel("All members").check();
    await page.getByText("You have no second factor.").waitFor();
    // The other settings were not saved with these.
    expect(await server.mustAdmin("GET", settings)).toMatchObject({
      ...{ max_keys_per_member: null, second_factor: "off", raises_need_two_people: true },
      ...{ session_hours: 12, console_addresses: ["127.0.0.1/32", "10.0.0.0/8"] },
    });
    expect(await page.getByLabel("Keys", { exact: true }).inputValue()).toBe("7");
    await server.mustAdmin("POST", settings, {
      ...{ session_hours: null, console_addresses: null, raises_need_two_people: false },
    });
    expect(faults).toEqual([]);
  });

  /**
   * Waits for the message. The server sends it after the response, so the duration does not reveal which addresses
   * exist.
   */
  async function waitForMailLink(email: string): Promise<string> {
    const { server } = company();
    for (let look = 0; look < 100; look += 1) {
      const { data } = await server.mustAdmin("GET", "/v1/admin/mail?statuses[]=queued");
      const mail = (data as { id: string; to: string }[]).find(({ to }) => to === email);
      const whole = mail && (await server.mustOperator("GET", `/v1/admin/mail/${mail.id}`));
      const link = /http:[^\s"\\]+\/reset#token=[\w-]+/.exec(JSON.stringify(whole) ?? "")?.[0];
      if (link) return link;
      await delay(100);
    }
    throw new Error(`no message to ${email}`);
  }
});

/** Fills in address and password, before a second factor. */
async function enter(page: Page, email: string): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Second factor" }).waitFor();
}

const STEP_MS = 30_000;

/** Code of an authenticator app at that time (RFC 6238: SHA-1, six digits, half minutes). */
function totp(secret: string, atMs: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / STEP_MS)));
  const digest = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  const number = digest.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

function fromBase32(text: string): Buffer {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...text]
    .map((char) => alphabet.indexOf(char).toString(2).padStart(5, "0"))
    .join("");
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
}

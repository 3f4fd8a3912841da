import type { Browser, Page } from "@playwright/test";
import { expect, test } from "vitest";
import { type ServerProcess, startServer } from "../../server/test/harness/server-process.ts";
import { owner, setUpLinkOf } from "./company.ts";
import {
  type Console,
  findViolations,
  type Opened,
  type OpenOptions,
  openPage,
  readPageState,
  SLOW_MS,
} from "./open-console.ts";
import {
  PROVIDER_FONTS,
  proveAtProvider,
  signInAtProvider,
  signOutAtProvider,
  startRealProvider,
} from "./real-provider.ts";

const DOMAIN = owner.email.split("@")[1] ?? "";
const PROVIDER = "Northwind ID";
const NEW_PASSWORD = "nine quiet lanterns over the fjord";

/** Declares the test of a directory, on a server of its own. */
export function testDirectorySignIn({ browser }: Console): void {
  test(
    "an owner sets it up, people come in with their groups and leave, and it becomes the only way",
    async () => {
      const server = await startServer({ env: { BURSAR_ALLOW_PRIVATE_TARGETS: "127.0.0.1" } });
      const login = owner.email.split("@")[0] ?? "";
      const provider = await startRealProvider(DOMAIN, { ann: "Ann Field", [login]: owner.name });
      await createOwner(server);

      const { page: ownerPage, faults } = await openPage(browser());
      await ownerPage.goto(`${server.url}/login`);
      await signInWithPassword(ownerPage);
      await ownerPage.getByRole("heading", { level: 1, name: "Northwind" }).waitFor();
      await ownerPage.goto(`${server.url}/directories`);
      await ownerPage.getByRole("button", { name: "Create directory…" }).click();
      await ownerPage.getByLabel("Name").fill(PROVIDER);
      await ownerPage.getByLabel("Issuer").fill(provider.issuer);
      await ownerPage.getByRole("button", { name: "Create directory" }).click();
      await ownerPage.getByRole("heading", { level: 1, name: PROVIDER }).waitFor();
      const readUri = async (path: RegExp) =>
        ((await ownerPage.getByText(path).textContent()) ?? "").trim();
      provider.register({
        redirectUri: await readUri(/\/login\/callback\//),
        logoutUri: await readUri(/\/v1\/admin\/directory_logout\//),
      });
      await ownerPage.getByRole("button", { name: "Test provider" }).click();
      await ownerPage.getByText("reachable").waitFor();
      await ownerPage.getByLabel("Client ID").fill(provider.client.id);
      await ownerPage.getByLabel("Client secret").fill(provider.client.secret);
      await ownerPage.getByLabel("Allowed domains").fill(DOMAIN);
      await ownerPage.getByLabel("Default role").selectOption("developer");
      await ownerPage.getByLabel("Sign-in enabled").check();
      await ownerPage
        .getByText(`Everyone at the provider with an address at ${DOMAIN} can sign in.`)
        .waitFor();
      await ownerPage.getByRole("button", { name: "Save directory" }).click();
      await ownerPage.getByText("sign-in enabled", { exact: true }).waitFor();
      const group = await server.mustOperator("POST", "/v1/admin/groups", { name: "Research" });
      await ownerPage.reload();
      await ownerPage.getByLabel("Group claim").fill("groups");
      await ownerPage.getByRole("button", { name: "Add group" }).click();
      await ownerPage.getByLabel("Claim value 1", { exact: true }).fill("research");
      await ownerPage.getByText("People with “research” join the groups at their next").waitFor();
      await ownerPage.getByRole("button", { name: "Save claims" }).click();
      await ownerPage.getByText("Claims saved").waitFor();
      await provideByScim(ownerPage);
      expect(await findViolations(ownerPage)).toEqual([]);

      const ann = await openVisitor(browser(), { width: 390 });
      await ann.page.goto(`${server.url}/account`);
      await ann.page.getByRole("button", { name: `Sign in with ${PROVIDER}` }).click();
      await signInAtProvider(ann.page, "ann");
      await ann.page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();
      await ann.page.getByText(`ann@${DOMAIN}`).first().waitFor();
      await ann.page.getByRole("main").getByText("Developer", { exact: true }).waitFor();
      expect(await readPageState(ann.page)).not.toContain("code=");
      await proveAgain(ann, server);

      await signOutAtProvider(ann.page, provider.issuer);
      provider.setGroups("ann", ["research"]);
      await ann.page.goto(`${server.url}/account`);
      await ann.page.getByRole("button", { name: `Sign in with ${PROVIDER}` }).click();
      await signInAtProvider(ann.page, "ann");
      await ann.page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();
      await ann.page.getByText("decides about role or groups").waitFor();
      const people = `/v1/admin/groups/${String(group["id"])}/members`;
      expect(await server.mustOperator("GET", people)).toMatchObject({
        data: [{ email: `ann@${DOMAIN}`, source: "claims" }],
      });

      const linking = await openVisitor(browser());
      await linking.page.goto(`${server.url}/login`);
      await linking.page.getByRole("button", { name: `Sign in with ${PROVIDER}` }).click();
      await signInAtProvider(linking.page, login);
      await linking.page.getByRole("heading", { name: "Link your account" }).waitFor();
      expect(await findViolations(linking.page)).toEqual([]);
      await signInWithPassword(linking.page);
      await linking.page.getByRole("heading", { level: 1, name: "Northwind" }).waitFor();

      const again = await openVisitor(browser());
      await again.page.goto(`${server.url}/login`);
      await again.page.getByRole("button", { name: `Sign in with ${PROVIDER}` }).click();
      await signInAtProvider(again.page, login);
      await again.page.getByRole("heading", { level: 1, name: "Northwind" }).waitFor();

      await again.page.goto(`${server.url}/security-settings`);
      await again.page.getByLabel("Require the company sign-in").check();
      await again.page.getByText(/^\d+ sessions? ends? now, of \d+ open ones?\./).waitFor();
      await again.page.getByRole("button", { name: "Save company sign-in" }).click();
      await again.page.getByText("Company sign-in required", { exact: true }).waitFor();
      await ownerPage.goto(`${server.url}/login`);
      await ownerPage.getByRole("button", { name: `Sign in with ${PROVIDER}` }).waitFor();
      expect(await ownerPage.getByLabel("Password").count()).toBe(0);
      expect(await findViolations(ownerPage)).toEqual([]);

      const { email } = owner;
      const reset = await server.mustOperator("POST", "/v1/admin/owners/reset", { email });
      await ownerPage.goto(String(reset["url"]));
      await ownerPage.getByLabel("Password", { exact: true }).fill(NEW_PASSWORD);
      await ownerPage.getByRole("button", { name: "Set password" }).click();
      await ownerPage.getByRole("link", { name: "Sign in" }).click();
      await ownerPage.getByRole("button", { name: "Owner recovery" }).click();
      await signInWithPassword(ownerPage, NEW_PASSWORD);
      await ownerPage.getByRole("heading", { level: 1, name: "Northwind" }).waitFor();

      await again.page.goto(`${server.url}/security-settings`);
      await again.page.getByRole("button", { name: `Sign in with ${PROVIDER}` }).click();
      await again.page.getByLabel("Require the company sign-in").uncheck();
      await again.page.getByRole("button", { name: "Save company sign-in" }).click();
      await again.page.getByText("All sign-in methods allowed", { exact: true }).waitFor();
      await again.page.goto(`${server.url}/account`);
      await again.page.getByRole("button", { name: "Unlink…" }).click();
      await again.page.getByText("You are signed out").waitFor();
      await again.page.getByRole("button", { name: "Unlink directory" }).click();
      await again.page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();

      const all = [...faults, ...ann.faults, ...linking.faults, ...again.faults];
      expect(all.filter((fault) => !fault.startsWith(PROVIDER_FONTS))).toEqual([]);
      for (const { context } of [ann, linking, again]) await context.close();
      await server.stop();
      await provider.close();
    },
    SLOW_MS,
  );
}

/** Confirms a change by a sign-in in another tab, where the page has waited with its input. */
async function proveAgain({ page, context }: Opened, server: ServerProcess): Promise<void> {
  await page.getByText("You have no password.").waitFor();
  await server.sql("UPDATE auth_session SET stepped_up_at = now() - interval '1 hour'");
  await page.getByRole("button", { name: "Set up an authenticator app…" }).click();
  const question = page.getByRole("dialog", { name: "Confirm your identity" });
  const opened = context.waitForEvent("page");
  await question.getByRole("button", { name: `Sign in with ${PROVIDER}` }).click();
  expect(await question.getByLabel("Password").count()).toBe(0);
  await proveAtProvider(await opened, "ann");
  await page.getByRole("dialog", { name: "Set up an authenticator app" }).waitFor();
  await page.keyboard.press("Escape");
}

/** Creates a token, provides a person and a group with it, and revokes it. */
async function provideByScim(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Create token" }).click();
  const dialog = page.getByRole("dialog", { name: "Store the SCIM token" });
  const token = ((await dialog.locator("output").textContent()) ?? "").trim();
  await dialog.getByLabel("I stored it").check();
  await dialog.getByRole("button", { name: "Done" }).click();
  const scimUri = ((await page.getByText(/\/scim\/v2$/).textContent()) ?? "").trim();
  const provide = async (path: string, body: object) => {
    const { status } = await fetch(scimUri + path, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
      body: JSON.stringify(body),
    });
    return status;
  };
  const user = { userName: `ben@${DOMAIN}`, displayName: "Ben Field" };
  expect(await provide("/Users", user)).toBe(201);
  expect(await provide("/Groups", { displayName: "Data science" })).toBe(201);
  await page.reload();
  await page.getByText("1 member", { exact: true }).waitFor();
  await page.getByRole("table", { name: "Provided groups" }).getByText("Data science").waitFor();
  const tokens = page.getByRole("table", { name: "SCIM tokens" });
  expect(await tokens.textContent()).not.toContain(token);
  await tokens.getByRole("button", { name: /^Revoke/ }).click();
  await page
    .getByText("1 provided member and 1 provided group no longer follow the provider.")
    .waitFor();
  await page.getByRole("button", { name: "Revoke SCIM token" }).click();
  await tokens.getByText("revoked").waitFor();
  // Without the toast of the change.
  await page.reload();
  await tokens.getByText("revoked").waitFor();
  expect(await provide("/Groups", { displayName: "Too late" })).toBe(401);
}

/** Opens a page whose context answers the provider's requests for fonts. */
async function openVisitor(browser: Browser, options: OpenOptions = {}): Promise<Opened> {
  const opened = await openPage(browser, options);
  await opened.context.route(`${PROVIDER_FONTS}**`, (route) =>
    route.fulfill({ contentType: "text/css", body: "" }),
  );
  return opened;
}

async function createOwner(server: ServerProcess): Promise<void> {
  const { hash } = new URL(setUpLinkOf(server));
  const response = await fetch(`${server.url}/v1/admin/setup`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-bursar-console": "1",
      origin: server.url,
    },
    body: JSON.stringify({
      token: hash.slice("#token=".length),
      organization_name: "Northwind",
      ...owner,
    }),
  });
  expect(response.status).toBe(200);
}

async function signInWithPassword(page: Page, password = owner.password): Promise<void> {
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

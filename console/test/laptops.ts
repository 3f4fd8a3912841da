import { expect, test } from "vitest";
import { emailOf, owner } from "./company.ts";
import { addLaptop, pollTokens, sendFromLaptop, startSignIn } from "./laptop-client.ts";
import { type Console, findViolations, settle } from "./open-console.ts";

/** Declares the tests of laptops and their agent sessions. */
export function testLaptops({ company, open, openSession, goTo }: Console): void {
  const send = (token: string) => sendFromLaptop(company().server.url, token);

  test("a person signs in on a phone, approves a laptop, and ends it", async () => {
    const { url } = company().server;
    const { page, faults } = await open({ width: 390 });
    const started = await startSignIn(url);
    await page.goto(started.verification_uri_complete);
    await page.getByLabel("E-mail").fill(owner.email);
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();

    await page.getByRole("heading", { level: 1, name: "Sign in Claude Code" }).waitFor();
    expect(await page.getByLabel("Code").inputValue()).toBe(started.user_code);
    await settle(page);
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Check code" }).click();
    await page.getByText("Claude Code 2.1.332").waitFor();
    await page.getByLabel("Name of the laptop").fill("Ada’s notebook");
    await settle(page);
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Approve laptop" }).click();

    await page.getByRole("heading", { level: 1, name: "Return to your terminal" }).waitFor();
    expect(await findViolations(page)).toEqual([]);
    const { body } = await pollTokens(url, started);
    const token = String(body["access_token"]);
    expect(await send(token)).toBe(200);

    await page.getByRole("link", { name: "Show your laptops" }).click();
    const laptop = page.getByRole("listitem").filter({ hasText: "Ada’s notebook" });
    await laptop.getByRole("button", { name: "End laptop…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End laptop" }).click();
    await page.getByText("Ada’s notebook ended").waitFor();
    await expect.poll(() => send(token), { timeout: 5_000 }).toBe(401);
    expect(faults).toEqual([]);
  });

  test("a denied code gives no access, and cannot be used again", async () => {
    const { url } = company().server;
    const { page, faults } = await openSession();
    const started = await startSignIn(url);
    await goTo(page, `/device?code=${started.user_code}`);
    await page.getByRole("button", { name: "Check code" }).click();
    await page.getByRole("button", { name: "Deny sign-in" }).click();
    await page.getByRole("heading", { level: 1, name: "Sign-in denied" }).waitFor();
    expect(await findViolations(page)).toEqual([]);
    expect((await pollTokens(url, started)).body["error"]).toBe("access_denied");

    await page.goto(`${url}/device`);
    await page.getByLabel("Code").fill(started.user_code.toLowerCase());
    await page.getByRole("button", { name: "Check code" }).click();
    await page.getByRole("heading", { name: "This code cannot be used" }).waitFor();
    await settle(page);
    expect(await findViolations(page)).toEqual([]);
    expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
  });

  test("an owner finds the laptop of a member, and ends it", async () => {
    const { server, sessions, engineeringId } = company();
    const token = await addLaptop(server, sessions[emailOf("Grace")] ?? "", {
      name: "Build machine",
      workspace_id: engineeringId,
    });
    const { page, faults } = await openSession();
    const search = "/v1/admin/api_keys?search=Claude%20Code%20of%20Grace";
    const { data } = await server.mustAdmin("GET", search);
    await goTo(page, `/api-keys/${(data as { id: string }[])[0]?.id}`);
    await page.getByRole("button", { name: "Disable key…" }).click();
    await page.getByText(/^\d+ laptops? of Claude Code stops? working\.$/).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    // The key has no secret that could be shown or rotated.
    expect(await page.getByRole("button", { name: "Rotate key…" }).count()).toBe(0);
    expect(await page.getByRole("heading", { name: "Secret" }).count()).toBe(0);

    await goTo(page, "/claude-code");
    await page.waitForURL("**/claude-code/laptops");
    await page.getByLabel("Search laptops").fill("grace");
    const row = page.getByRole("row").filter({ hasText: "Build machine" });
    await row.getByRole("button", { name: "Actions for Build machine" }).click();
    await page.getByRole("menuitem", { name: "End laptop…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End laptop" }).click();
    await page.getByText("Build machine ended").waitFor();
    await expect.poll(() => send(token), { timeout: 5_000 }).toBe(401);
    await page.getByRole("button", { name: "Ended", exact: true }).click();
    await row.getByText("by an administrator").waitFor();
    expect(await findViolations(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("an agent session shows the cost of each prompt with its nested agents", async () => {
    const { server, sessions, engineeringId } = company();
    const laptop = { name: "Laptop with agents", workspace_id: engineeringId };
    const token = await addLaptop(server, sessions[emailOf("Grace")] ?? "", laptop);
    const session = "1c1f3f0e-3f7e-4f43-9b0e-0d6a1b6f9a11";
    const agents = [
      {},
      { "x-claude-code-agent-id": "agent-outer" },
      {
        "x-claude-code-agent-id": "agent-inner",
        "x-claude-code-parent-agent-id": "agent-outer",
      },
    ];
    for (const agent of agents) {
      const labels = { "x-claude-code-session-id": session, ...agent };
      // The rate limit of the person lets one request pass each second.
      await expect
        .poll(() => sendFromLaptop(server.url, token, labels), { timeout: 20_000, interval: 1_000 })
        .toBe(200);
    }
    // The page reads the records once.
    const path = `/v1/admin/agent_sessions/${session}`;
    await expect
      .poll(async () => (await server.admin("GET", path)).json, { timeout: 20_000 })
      .toMatchObject({ requests: agents.length });
    const { page, faults } = await openSession();
    await goTo(page, `/claude-code/agent-sessions?find=${session}`);
    await page.getByRole("button", { name: `Session ${session} of Grace Hopper` }).click();
    const drawer = page.getByRole("dialog", { name: "Agent session" });
    const rows = drawer.getByRole("listitem").filter({ hasText: /^(Main agent|agent-)/ });
    await expect.poll(() => rows.count()).toBe(3);
    const startOf = async (row: number) =>
      (await rows.nth(row).locator("span").first().boundingBox())?.x ?? 0;
    expect(await startOf(2)).toBeGreaterThan(await startOf(1));
    await drawer.getByText("3 requests").first().waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await goTo(page, "/claude-code/agent-sessions?find=unknown");
    await page.getByRole("heading", { name: "No session has this id" }).waitFor();
    expect(await findViolations(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  // Last, because it uses up the attempts of the address.
  test("a person with too many wrong codes reads when the next one is possible", async () => {
    const { server, sessions } = company();
    const { user_code } = await startSignIn(server.url);
    const headers = { cookie: sessions[emailOf("Grace")] ?? "", "x-bursar-console": "1" };
    const guess = async (letter: string) => {
      const path = `/v1/admin/device_authorizations/BBBB-BBB${letter}`;
      return (await fetch(server.url + path, { headers })).status;
    };
    const statuses: number[] = [];
    for (const letter of "BCDFGHJKLMNP") statuses.push(await guess(letter));
    expect([statuses[0], statuses.at(-1)]).toEqual([404, 429]);

    const { page } = await openSession(owner.email, { hasOwnContext: true });
    await page.clock.install();
    await goTo(page, `/device?code=${user_code}`);
    await page.getByRole("button", { name: "Check code" }).click();
    await page.getByRole("heading", { level: 1, name: "Too many wrong codes" }).waitFor();
    await page.getByText(/You can enter the next code in \d+ seconds?\./).waitFor();
    const enter = page.getByRole("button", { name: "Enter code" });
    expect(await enter.isDisabled()).toBe(true);
    expect(await findViolations(page)).toEqual([]);
    await page.clock.fastForward("01:01");
    await enter.click();
    expect(await page.getByLabel("Code").inputValue()).toBe(user_code);
  });
}

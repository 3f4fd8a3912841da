import { readFileSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "@playwright/test";
import { postgresPid, sendSignal } from "#test/harness/embedded-database.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type ServerProcess, startServer, textField } from "#test/harness/server-process.ts";
import {
  findChromium,
  launchChromium,
  ONE_PROCESS,
  WITHOUT_OPTIMIZED_CODE,
} from "../../../console/test/browser.ts";
import { owner, setUpLinkOf } from "../../../console/test/company.ts";
import { findFreePort } from "../../../console/test/free-port.ts";
import {
  PROVIDER_FONTS,
  type RealProvider,
  signInAtProvider,
  startRealProvider,
} from "../../../console/test/real-provider.ts";
import type { Machine, StoredSignIn } from "./machine.ts";

// A company whose developers sign in at an OpenID provider. The provider creates Ann by SCIM, and her browser is Chromium.

const DOMAIN = "acme.example";
export const LOGIN = "ann";
const PROVIDER = "Acme ID";
export const EMAIL = `${LOGIN}@${DOMAIN}`;
export const LOGIN_NOTICE = "Acme records activity.";

type Scim = (method: string, path: string, body: object) => Promise<Response>;

export interface Company {
  server: ServerProcess;
  workspaceId: string;
  memberId: string;
  /** Restarts the server on its port. */
  restart(): Promise<void>;
  /** Approves the code in Ann's browser, with a sign-in at the provider if the browser has no session. */
  approve(code: string): Promise<void>;
  /** Signs Ann in at the console, so that `signIn` needs no terminal before it. */
  openBrowser(): Promise<void>;
  /** Signs the machine in without a terminal, with the requests of the client and of Ann's page. */
  signIn(machine: Machine): Promise<StoredSignIn>;
  /** Cost of an agent session in billionths of a US dollar, and the classes of its requests. */
  readSession(id: string): Promise<{ costNanoUsd: number; classes: unknown[] }>;
  /** Serves these settings to everyone. */
  setSettings(settings: object): Promise<void>;
  /** Sends a request of $7.50 in Ann's name. Returns her spend of this month, US dollars. */
  spend(): Promise<number>;
  /** Sets Ann's monthly limit, and waits until the server applies it. */
  setCap(limitUsd: number): Promise<void>;
  removeCap(): Promise<void>;
  /** Creates the key of a gateway, whose requests must name a user of the directory. */
  openGateway(): Promise<{
    /** Sends a message for a user. Returns its body. */
    send(subject: string, model?: string): Promise<unknown>;
    /** Members in the records of its requests, newest first. */
    listMemberIds(): Promise<unknown[]>;
  }>;
  /** Runs work while PostgreSQL answers nothing. */
  withoutDatabase<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Sends the request for further tokens. Returns the body of the answer. */
  refresh(signIn: StoredSignIn): Promise<unknown>;
  /** Ends all laptops of Ann, as an administrator. */
  endLaptops(): Promise<void>;
  /** Reasons of ended laptops, newest first. */
  listEndReasons(): Promise<unknown[]>;
  /** Deactivates Ann by SCIM. */
  deactivate(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it with the simulator, or with the upstream of these settings. */
export async function startCompany(upstream: Record<string, string> = {}): Promise<Company> {
  const env = {
    ...upstream,
    BURSAR_ALLOW_PRIVATE_TARGETS: "127.0.0.1",
    BURSAR_PORT: String(await findFreePort()),
  };
  const started = { server: await startServer({ env }) };
  await createOwner(started.server);
  await started.server.mustOperator("POST", "/v1/admin/organization", {
    login_notice: LOGIN_NOTICE,
  });
  const provider = await startRealProvider(DOMAIN, { [LOGIN]: "Ann Field" });
  const { scim, directoryId, memberId } = await connectProvider(started.server, provider);
  const workspaceId = await createWorkspace(started.server, memberId);
  const browser = await launchChromium(findChromium() ?? "", [
    ...WITHOUT_OPTIMIZED_CODE,
    ...ONE_PROCESS,
  ]);
  const page = await openBrowserPage(browser);
  const { url } = started.server;
  return {
    get server() {
      return started.server;
    },
    workspaceId,
    memberId,
    async restart() {
      await started.server.stop();
      started.server = await started.server.restart();
    },
    approve: (code) => approve(page, url, code),
    async openBrowser() {
      const begun = await postForm(`${url}/oauth/device_authorization`, {
        surface: "claude_code",
      });
      await approve(page, url, textField(begun, "user_code"));
    },
    signIn: (machine) => signIn(machine, url, (code) => approveByRequest(page, code, workspaceId)),
    readSession: (id) => readSession(started.server, id),
    async setSettings(settings) {
      const policies = [{ name: "Everyone", group_ids: [], settings }];
      await started.server.mustOperator("POST", "/v1/admin/managed_settings", { policies });
    },
    spend: () => spend(started.server, { workspaceId, directoryId, memberId }),
    setCap: (limitUsd) => setCap(started.server, memberId, limitUsd),
    async removeCap() {
      const { id } = await findCap(started.server, memberId);
      await started.server.mustOperator("DELETE", `/v1/admin/spend_limits/${String(id)}`);
    },
    openGateway: () => openGateway(started.server, { workspaceId, directoryId }),
    withoutDatabase: (work) => withStoppedDatabase(started.server.dataDir, work),
    refresh: ({ idpRefreshToken: refresh_token }) =>
      postForm(`${url}/oauth/token`, { grant_type: "refresh_token", refresh_token }),
    async endLaptops() {
      for (const { id } of await listLaptops(started.server, "active")) {
        await started.server.mustOperator("DELETE", `/v1/admin/laptops/${String(id)}`);
      }
    },
    listEndReasons: async () =>
      (await listLaptops(started.server, "ended")).map((laptop) => laptop["end_reason"]),
    async deactivate() {
      const Operations = [{ op: "replace", path: "active", value: false }];
      const schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
      const { status } = await scim("PATCH", `/Users/${memberId}`, { schemas, Operations });
      if (status !== 200) throw new Error(`Ann was not deactivated: ${status}`);
    },
    async close() {
      await browser.close();
      await provider.close();
    },
  };
}

/** Creates the first owner. Without one the console shows no sign-in. */
async function createOwner(server: ServerProcess): Promise<void> {
  const { hash } = new URL(setUpLinkOf(server));
  const made = await fetch(`${server.url}/v1/admin/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-bursar-console": "1", origin: server.url },
    body: JSON.stringify({
      ...{ token: hash.slice("#token=".length), organization_name: "Acme", ...owner },
    }),
  });
  if (made.status !== 200) throw new Error(`no owner was created: ${await made.text()}`);
}

/** Creates the directory with its token for SCIM, and Ann. */
async function connectProvider(
  server: ServerProcess,
  provider: RealProvider,
): Promise<{ scim: Scim; directoryId: string; memberId: string }> {
  const directory = await server.mustOperator("POST", "/v1/admin/directories", {
    name: PROVIDER,
    issuer: provider.issuer,
    client_id: provider.client.id,
    client_secret: provider.client.secret,
    is_enabled: true,
    allowed_domains: [DOMAIN],
  });
  const id = textField(directory, "id");
  provider.register({
    redirectUri: textField(directory, "redirect_uri"),
    logoutUri: textField(directory, "logout_uri"),
  });
  const path = `/v1/admin/directories/${id}/scim_tokens`;
  const token = textField(await server.mustOperator("POST", path, {}), "token");
  const scim: Scim = (method, resource, body) =>
    fetch(`${server.url}/scim/v2${resource}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
      body: JSON.stringify(body),
    });
  const user = { userName: EMAIL, externalId: LOGIN, displayName: "Ann Field" };
  const made = await scim("POST", "/Users", user);
  return { scim, directoryId: id, memberId: textField(await made.json(), "id") };
}

async function createWorkspace(server: ServerProcess, memberId: string): Promise<string> {
  const made = await server.mustOperator("POST", "/v1/admin/workspaces", { name: "Engineering" });
  const id = textField(made, "id");
  await server.mustOperator("POST", `/v1/admin/workspaces/${id}`, { personal_keys: "members" });
  await server.mustOperator("POST", `/v1/admin/workspaces/${id}/members`, {
    member_id: memberId,
    workspace_role: "workspace_developer",
  });
  return id;
}

async function openBrowserPage(browser: Browser): Promise<Page> {
  const context: BrowserContext = await browser.newContext();
  await context.route(`${PROVIDER_FONTS}**`, (route) =>
    route.fulfill({ contentType: "text/css", body: "" }),
  );
  return context.newPage();
}

async function approve(page: Page, url: string, code: string): Promise<void> {
  await page.goto(`${url}/device?code=${code}`);
  const signIn = page.getByRole("button", { name: `Sign in with ${PROVIDER}` });
  const check = page.getByRole("button", { name: "Check code" });
  await signIn.or(check).waitFor();
  if (await signIn.isVisible()) {
    await signIn.click();
    await signInAtProvider(page, LOGIN);
  }
  await check.click();
  await page.getByRole("button", { name: "Approve laptop" }).click();
  await page.getByRole("heading", { level: 1, name: "Return to your terminal" }).waitFor();
}

async function approveByRequest(page: Page, code: string, workspaceId: string): Promise<void> {
  const statuses = await page.evaluate(
    async ([path, workspace_id]) => {
      const headers = { "content-type": "application/json", "x-bursar-console": "1" };
      const looked = await fetch(path, { headers });
      const body = JSON.stringify({ workspace_id });
      const approved = await fetch(`${path}/approve`, { method: "POST", headers, body });
      return [looked.status, approved.status];
    },
    [`/v1/admin/device_authorizations/${code}`, workspaceId] as const,
  );
  if (statuses.some((status) => status !== 200)) {
    throw new Error(`the code was not approved: ${statuses.join(", ")}`);
  }
}

/** Sends the requests of the client's sign-in, and stores the answer as the client does. */
async function signIn(
  machine: Machine,
  url: string,
  approveCode: (code: string) => Promise<void>,
): Promise<StoredSignIn> {
  const begun = await postForm(`${url}/oauth/device_authorization`, { surface: "claude_code" });
  await approveCode(textField(begun, "user_code"));
  const tokens = await postForm(`${url}/oauth/token`, {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: textField(begun, "device_code"),
  });
  const stored = {
    url,
    jwt: textField(tokens, "access_token"),
    expiresAt: Date.now() + Number(tokens["expires_in"]) * 1000,
    tokenEndpoint: `${url}/oauth/token`,
    revocationEndpoint: `${url}/oauth/revoke`,
    idpRefreshToken: textField(tokens, "refresh_token"),
  };
  await machine.writeSignIn(stored);
  return stored;
}

async function postForm(url: string, fields: Record<string, string>) {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
  return (await answer.json()) as Record<string, unknown>;
}

async function readSession(server: ServerProcess, id: string) {
  const { status, json } = await server.operator("GET", `/v1/admin/agent_sessions/${id}`);
  if (status !== 200) return { costNanoUsd: 0, classes: [] };
  const classes = json?.["classes"] as { request_class: string }[];
  return {
    costNanoUsd: Math.round(Number(json?.["cost_usd"]) * 1e9),
    classes: classes.map(({ request_class }) => request_class).toSorted(),
  };
}

const EXPENSIVE = "simulate-in1000000-out100000-as-claude-opus-5";
/** Cost of one response. */
const EXPENSIVE_USD = 7.5;

async function spend(
  server: ServerProcess,
  of: { workspaceId: string; directoryId: string; memberId: string },
): Promise<number> {
  const gateway = await openGateway(server, of);
  await gateway.send(LOGIN, EXPENSIVE);
  await setCap(server, of.memberId, 1_000);
  return eventually(30_000, "the spend of the request", async () => {
    const spentUsd = Number((await findCap(server, of.memberId))["spent_usd"]);
    return spentUsd >= EXPENSIVE_USD ? spentUsd : null;
  });
}

async function setCap(server: ServerProcess, memberId: string, limitUsd: number): Promise<void> {
  await server.mustOperator("POST", "/v1/admin/spend_limits", {
    scope: { type: "member", member_id: memberId },
    period: "monthly",
    limit_usd: Math.round(limitUsd * 100) / 100,
    enforcement: "soft",
  });
  await eventually(30_000, "the limit to be active", async () => {
    const { state } = await findCap(server, memberId);
    return state === "active" ? state : null;
  });
}

async function findCap(server: ServerProcess, memberId: string) {
  const path = `/v1/admin/spend_limits?member_id=${memberId}`;
  const { data } = await server.mustOperator("GET", path);
  const [cap] = data as Record<string, unknown>[];
  if (cap === undefined) throw new Error("Ann has no limit");
  return cap;
}

async function openGateway(
  server: ServerProcess,
  of: { workspaceId: string; directoryId: string },
): ReturnType<Company["openGateway"]> {
  const made = await server.mustOperator("POST", "/v1/admin/api_keys", {
    name: "Gateway",
    workspace_id: of.workspaceId,
    user_directory_id: of.directoryId,
  });
  const headers = { "x-api-key": textField(made, "key"), "content-type": "application/json" };
  return {
    async send(subject, model = "claude-haiku-4-5") {
      const answer = await fetch(`${server.url}/v1/messages`, {
        method: "POST",
        headers: { ...headers, "x-claude-gateway-user-id": subject },
        body: JSON.stringify({
          ...{ model, max_tokens: 64, messages: [{ role: "user", content: "Hello" }] },
        }),
      });
      return await answer.json();
    },
    async listMemberIds() {
      const path = `/v1/admin/requests?api_key_id=${textField(made, "id")}`;
      const { data } = await server.mustOperator("GET", path);
      return (data as { member_id: unknown }[]).map(({ member_id }) => member_id);
    },
  };
}

async function listLaptops(server: ServerProcess, status: "active" | "ended") {
  const { data } = await server.mustOperator("GET", `/v1/admin/laptops?status=${status}`);
  return data as Record<string, unknown>[];
}

/** Stops all processes of the embedded PostgreSQL, so that its connections stay open and silent. */
async function withStoppedDatabase<Result>(
  dataDir: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const postmaster = postgresPid(dataDir);
  if (postmaster === null) throw new Error("PostgreSQL does not run");
  const signal = (name: NodeJS.Signals) => {
    for (const pid of [postmaster, ...listChildren(postmaster)]) sendSignal(pid, name);
  };
  signal("SIGSTOP");
  try {
    return await work();
  } finally {
    signal("SIGCONT");
  }
}

function listChildren(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

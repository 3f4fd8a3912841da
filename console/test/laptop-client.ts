import type { ServerProcess } from "../../server/test/harness/server-process.ts";

// Sign-ins of Claude Code as its client sends them.

export interface StartedSignIn {
  device_code: string;
  user_code: string;
  verification_uri_complete: string;
}

const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** Starts a sign-in. */
export async function startSignIn(url: string): Promise<StartedSignIn> {
  const { body } = await postForm(url, "device_authorization", { surface: "claude_code" });
  const { device_code, user_code, verification_uri_complete } = body;
  return {
    device_code: String(device_code),
    user_code: String(user_code),
    verification_uri_complete: String(verification_uri_complete),
  };
}

/** Asks for the tokens of a sign-in once. */
export function pollTokens(url: string, { device_code }: StartedSignIn) {
  return postForm(url, "token", { grant_type: DEVICE_GRANT, device_code });
}

/** Signs a laptop of the member in. Returns its access token. */
export async function addLaptop(
  { url }: ServerProcess,
  cookie: string,
  laptop: { name: string; workspace_id: string },
): Promise<string> {
  const started = await startSignIn(url);
  const path = `/v1/admin/device_authorizations/${started.user_code}`;
  const headers = {
    ...{ "content-type": "application/json", "x-bursar-console": "1" },
    ...{ cookie, origin: url, "sec-fetch-site": "same-origin" },
  };
  const looked = await fetch(url + path, { headers });
  if (looked.status !== 200) throw new Error(`no such code: ${await looked.text()}`);
  const body = JSON.stringify(laptop);
  const approved = await fetch(`${url}${path}/approve`, { method: "POST", headers, body });
  if (approved.status !== 200) throw new Error(`not approved: ${await approved.text()}`);
  return String((await pollTokens(url, started)).body["access_token"]);
}

/** Agent session of all laptops here. Each member has a session of their own with this id. */
const AGENT_SESSION = "6f9d8e0c-7a1b-4c3d-9e2f-0a1b2c3d4e5f";

/** Sends one message with the token of a laptop, and more labels. Returns the status. */
export async function sendFromLaptop(
  url: string,
  token: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const { status } = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "anthropic-version": "2023-06-01",
      "x-claude-code-session-id": AGENT_SESSION,
      "x-claude-code-prompt-id": "0d9f3c52-6b7e-4f0c-8a53-1d2e3f4a5b6c",
      "x-claude-code-request-class": "main",
      ...labels,
    },
    body: JSON.stringify({
      model: "claude-haiku-4-5-20251001",
      max_tokens: 64,
      messages: [{ role: "user", content: "Hello" }],
    }),
  });
  return status;
}

async function postForm(url: string, path: string, fields: Record<string, string>) {
  const response = await fetch(`${url}/oauth/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "user-agent": "claude-code/2.1.332",
    },
    body: new URLSearchParams(fields).toString(),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

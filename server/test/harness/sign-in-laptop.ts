import { type ServerProcess, textField, toAnswer } from "./server-process.ts";

// A sign-in of Claude Code at a running server, by its client and by the browser of a member.

type Running = Pick<ServerProcess, "url">;

export function postOauth({ url }: Running, path: string, fields: Record<string, string>) {
  const body = new URLSearchParams(fields);
  return fetch(`${url}/oauth/${path}`, { method: "POST", body }).then(toAnswer);
}

/** Starts a sign-in. Returns the device code and the user code. */
export async function startSignIn(server: Running) {
  const { json } = await postOauth(server, "device_authorization", { surface: "claude_code" });
  return { device_code: textField(json, "device_code"), user_code: textField(json, "user_code") };
}

/** Signs a laptop of the member with this session in. The session needs a step-up. */
export async function signInLaptop(
  server: Running,
  { cookie, workspaceId }: { cookie: string; workspaceId: string },
): Promise<{ deviceCode: string; accessToken: string; refreshToken: string }> {
  const { device_code, user_code } = await startSignIn(server);
  const code = `${server.url}/v1/admin/device_authorizations/${user_code}`;
  const headers = {
    cookie,
    origin: server.url,
    "content-type": "application/json",
    "x-bursar-console": "1",
  };
  await fetch(code, { headers });
  const body = JSON.stringify({ workspace_id: workspaceId });
  await fetch(`${code}/approve`, { method: "POST", headers, body });
  const grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  const { json } = await postOauth(server, "token", { grant_type, device_code });
  return {
    deviceCode: device_code,
    accessToken: textField(json, "access_token"),
    refreshToken: textField(json, "refresh_token"),
  };
}

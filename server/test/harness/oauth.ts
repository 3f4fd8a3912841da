import type { AdminHarness } from "./admin.ts";

// The sign-in of Claude Code as its client sends it: forms, without a client id.

export const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

export interface OauthAnswer<Body = Record<string, unknown>> {
  status: number;
  body: Body;
  headers: Record<string, unknown>;
}

export interface StartedSignIn {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  email?: string;
}

/** Posts a form to a path below `/oauth/`. */
export async function postForm<Body = Record<string, unknown>>(
  { app }: Pick<AdminHarness, "app">,
  path: string,
  fields: Record<string, string>,
  options: { remoteAddress?: string; userAgent?: string } = {},
): Promise<OauthAnswer<Body>> {
  const { remoteAddress, userAgent = "claude-code/2.1.332" } = options;
  const response = await app.inject({
    method: "POST",
    url: `/oauth/${path}`,
    ...(remoteAddress !== undefined && { remoteAddress }),
    headers: { "content-type": "application/x-www-form-urlencoded", "user-agent": userAgent },
    payload: new URLSearchParams(fields).toString(),
  });
  const body = JSON.parse(response.payload) as Body;
  return { status: response.statusCode, body, headers: response.headers };
}

export const pollTokens = (h: Pick<AdminHarness, "app">, device_code: string) =>
  postForm<Tokens & { error?: string }>(h, "token", { grant_type: DEVICE_GRANT, device_code });

export const refreshTokens = (h: Pick<AdminHarness, "app">, refresh_token: string) =>
  postForm<Tokens & { error?: string }>(h, "token", { grant_type: "refresh_token", refresh_token });

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { beforeAll, beforeEach, describe, expect, vi } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import {
  awsKey,
  foundryAccount,
  temporaryAwsKey,
  test,
  toAwsCredential,
} from "#test/harness/platform-test.ts";
import {
  type SourceRequest,
  startEntra,
  startRefusingProxy,
  startSource,
} from "#test/harness/platforms/credential-sources.ts";
import {
  officialHeaders,
  openPlatformClient,
} from "#test/harness/platforms/open-platform-client.ts";
import { recordCall } from "#test/harness/raw-upstream.ts";
import { makeEntraAuthorizer } from "./foundry/entra-credentials.ts";

// Credentials of the machine, from servers on loopback in their own protocols. The platforms verify what they get.

const bedrockSettings: ProviderSettings = {
  provider: "bedrock",
  region: "eu-central-1",
  authentication: "machine",
};
const vertexSettings: ProviderSettings = {
  provider: "vertex",
  region: "europe-west1",
  project_id: "test-project",
  authentication: "machine",
};
const foundrySettings: ProviderSettings = {
  provider: "foundry",
  resource: "test-resource",
  authentication: "machine",
  model_names: { "claude-sonnet-4-6": "sonnet-deployment" },
};
const body = Buffer.from(
  JSON.stringify({
    model: "claude-sonnet-4-6",
    max_tokens: 100,
    messages: [{ role: "user", content: "Hello" }],
  }),
);
const MINUTE_MS = 60_000;
const RENEWED_WITHIN_MS = 10_000;

type Opened = Parameters<typeof openPlatformClient>[0];

function open(options: Opened) {
  return openPlatformClient({ isMachineAllowed: true, ...options });
}

/** Sends messages one after the other. Returns their statuses, or the codes of their errors. */
async function sendMessages(client: ReturnType<typeof open>, count = 1): Promise<unknown[]> {
  const results: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const { statuses, errors } = await recordCall(client, { headers: officialHeaders(), body });
    results.push(...statuses, ...errors);
  }
  return results;
}

const cleared = [
  ...["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
  ...["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"],
  ...["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_EC2_METADATA_SERVICE_ENDPOINT"],
  ...["GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST", "IDENTITY_ENDPOINT"],
  ...["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"],
];
let folder: string;

// The first import of a library takes seconds on a busy machine, and counts to the wait for credentials.
beforeAll(() =>
  Promise.all([
    import("@aws-sdk/credential-providers"),
    import("@azure/identity"),
    import("google-auth-library"),
  ]),
);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bursar-machine-"));
  for (const name of cleared) vi.stubEnv(name, undefined);
  // No file of the user's home.
  vi.stubEnv("HOME", folder);
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  return async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  };
});

async function writeText(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** Answer of AWS's metadata servers with the temporary key. */
function toMetadata(endsInMs: number): object {
  return {
    Code: "Success",
    Type: "AWS-HMAC",
    AccessKeyId: temporaryAwsKey.id,
    SecretAccessKey: temporaryAwsKey.secret,
    Token: temporaryAwsKey.sessionToken,
    LastUpdated: new Date().toISOString(),
    Expiration: new Date(Date.now() + endsInMs).toISOString(),
  };
}

describe("Amazon Bedrock", () => {
  test("uses the key of the environment", async ({ bedrock }) => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", awsKey.id);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", awsKey.secret);
    const client = open({ settings: bedrockSettings, origin: bedrock.origin });
    expect(await sendMessages(client)).toEqual([200]);
    expect(bedrock.refused).toEqual([]);
  });

  test("uses the profile of the shared file", async ({ bedrock }) => {
    const { id, secret, sessionToken } = temporaryAwsKey;
    await writeText(
      "credentials",
      `[gateway]\naws_access_key_id=${id}\naws_secret_access_key=${secret}\naws_session_token=${sessionToken}\n`,
    );
    vi.stubEnv("AWS_PROFILE", "gateway");
    const client = open({ settings: bedrockSettings, origin: bedrock.origin });
    expect(await sendMessages(client)).toEqual([200]);
  });

  test("uses the endpoint of a container with its token, once for many requests", async ({
    bedrock,
  }) => {
    const source = await startSource(() => ({ body: toMetadata(60 * MINUTE_MS) }));
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${source.origin}/role`);
    vi.stubEnv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token");
    const client = open({ settings: bedrockSettings, origin: bedrock.origin });
    expect(await sendMessages(client, 3)).toEqual([200, 200, 200]);
    expect(source.requests).toMatchObject([
      { path: "/role", headers: { authorization: "container-token" } },
    ]);
  });

  test("uses the role of an instance by version 2 of its metadata service", async ({ bedrock }) => {
    const source = await startSource(({ method, path, headers }) => {
      if (method === "PUT" && path === "/latest/api/token") return { body: "imds-token" };
      if (headers["x-aws-ec2-metadata-token"] !== "imds-token") return { status: 401, body: "" };
      if (path.endsWith("/gateway-role")) return { body: toMetadata(60 * MINUTE_MS) };
      return path.includes("/security-credentials")
        ? { body: "gateway-role" }
        : { status: 404, body: "" };
    });
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", source.origin);
    const client = open({ settings: bedrockSettings, origin: bedrock.origin });
    expect(await sendMessages(client, 2)).toEqual([200, 200]);
    expect(bedrock.refused).toEqual([]);
  });

  test("exchanges the token of a web identity for a role", async ({ bedrock }) => {
    const { id, secret, sessionToken } = temporaryAwsKey;
    const ends = new Date(Date.now() + 60 * MINUTE_MS).toISOString();
    const xml = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${ends}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
    const source = await startSource(() => ({
      headers: { "content-type": "text/xml" },
      body: xml,
    }));
    await stubWebIdentity();
    vi.stubEnv("AWS_ENDPOINT_URL_STS", source.origin);
    const client = open({ settings: bedrockSettings, origin: bedrock.origin });
    expect(await sendMessages(client, 2)).toEqual([200, 200]);
    expect(
      source.requests.map(({ body: form }) => new URLSearchParams(form).get("WebIdentityToken")),
    ).toEqual(["token-of-the-pod"]);
  });

  async function stubWebIdentity(): Promise<void> {
    const file = await writeText("token", "token-of-the-pod");
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", file);
    vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/gateway");
  }

  test("sends requests for a role through the proxy of the upstream", async ({ bedrock }) => {
    await stubWebIdentity();
    const { proxy, targets } = await startRefusingProxy();
    const client = open({ settings: bedrockSettings, origin: bedrock.origin, proxy });
    expect(await sendMessages(client)).toEqual(["upstream_unreachable"]);
    expect(new Set(targets)).toEqual(
      new Set(["sts.eu-central-1.amazonaws.com:443 Basic dXNlcjpwYXNz"]),
    );
    expect(bedrock.requests).toEqual([]);
  });

  test("renews credentials before their end, and uses the old ones meanwhile", async ({
    bedrock,
  }) => {
    const source = await startSource(() =>
      // The first answer ends soon, and a later one does not arrive.
      source.requests.length === 1 ? { body: toMetadata(4 * MINUTE_MS) } : null,
    );
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${source.origin}/role`);
    const client = open({ settings: bedrockSettings, origin: bedrock.origin });
    expect(await sendMessages(client, 3)).toEqual([200, 200, 200]);
    await eventually(RENEWED_WITHIN_MS, "a second request for credentials", () =>
      Promise.resolve(source.requests.length === 2 || null),
    );
  });

  test("a dead source is an error before the platform, and a restored one is used", async ({
    bedrock,
  }) => {
    let isDead = true;
    const source = await startSource(() =>
      isDead ? { status: 500, body: "no" } : { body: toMetadata(60 * MINUTE_MS) },
    );
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${source.origin}/role`);
    const client = open({ settings: bedrockSettings, origin: bedrock.origin });
    expect(await sendMessages(client)).toEqual(["upstream_unreachable"]);
    expect(bedrock.requests).toEqual([]);
    isDead = false;
    expect(await sendMessages(client)).toEqual([200]);
  });

  test("a stored key needs no source", async ({ bedrock }) => {
    const settings: ProviderSettings = { ...bedrockSettings, authentication: "access_key" };
    const credential = toAwsCredential(awsKey);
    const client = open({ settings, origin: bedrock.origin, credential });
    expect(await sendMessages(client)).toEqual([200]);
  });
});

describe("Google Vertex AI", () => {
  const metadata = { "metadata-flavor": "Google" };

  test("signs tokens with the key of the environment's file, without a request", async ({
    vertex,
  }) => {
    vi.stubEnv(
      "GOOGLE_APPLICATION_CREDENTIALS",
      await writeText("key.json", vertex.serviceAccount),
    );
    const client = open({ settings: vertexSettings, origin: vertex.origin });
    expect(await sendMessages(client)).toEqual([200]);
    expect(vertex.refused).toEqual([]);
  });

  test("uses the token of the metadata server, and renews it before its end", async ({
    vertex,
  }) => {
    let endsInSeconds = 240;
    const source = await startSource(() => {
      const token = { access_token: vertex.accessToken, expires_in: endsInSeconds };
      return { headers: metadata, body: { ...token, token_type: "Bearer" } };
    });
    vi.stubEnv("GCE_METADATA_HOST", source.host);
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    const client = open({ settings: vertexSettings, origin: vertex.origin });
    const countTokens = () => source.requests.filter(({ path }) => path.includes("/token")).length;
    expect(await sendMessages(client)).toEqual([200]);
    expect(countTokens()).toBe(1);
    endsInSeconds = 3_600;
    expect(await sendMessages(client, 3)).toEqual([200, 200, 200]);
    expect(countTokens()).toBe(2);
  });

  async function stubFederation(tokenUrl: string): Promise<void> {
    const subject = await writeText("subject", "token-of-the-pod");
    const file = JSON.stringify({
      type: "external_account",
      audience:
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: tokenUrl,
      credential_source: { file: subject },
    });
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", await writeText("federation.json", file));
  }

  test("exchanges the token of a workload identity", async ({ vertex }) => {
    const source = await startSource(() => ({
      body: {
        access_token: vertex.accessToken,
        issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        token_type: "Bearer",
        expires_in: 3_600,
      },
    }));
    await stubFederation(`${source.origin}/v1/token`);
    const client = open({ settings: vertexSettings, origin: vertex.origin });
    expect(await sendMessages(client, 2)).toEqual([200, 200]);
    expect(
      source.requests.map(({ body: form }) => new URLSearchParams(form).get("subject_token")),
    ).toEqual(["token-of-the-pod"]);
  });

  test("sends the exchange through the proxy of the upstream", async ({ vertex }) => {
    await stubFederation("https://sts.googleapis.com/v1/token");
    const { proxy, targets } = await startRefusingProxy();
    const client = open({ settings: vertexSettings, origin: vertex.origin, proxy });
    expect(await sendMessages(client)).toEqual(["upstream_unreachable"]);
    expect(new Set(targets)).toEqual(new Set(["sts.googleapis.com:443 Basic dXNlcjpwYXNz"]));
    expect(vertex.requests).toEqual([]);
  });

  test("a dead source is an error before the platform, and a restored one is used", async ({
    vertex,
  }) => {
    let isDead = true;
    const source = await startSource(() =>
      isDead
        ? { status: 403, headers: metadata, body: "no" }
        : { headers: metadata, body: { access_token: vertex.accessToken, expires_in: 3_600 } },
    );
    vi.stubEnv("GCE_METADATA_HOST", source.host);
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    const client = open({ settings: vertexSettings, origin: vertex.origin });
    expect(await sendMessages(client)).toEqual(["upstream_unreachable"]);
    isDead = false;
    expect(await sendMessages(client)).toEqual([200]);
  });
});

describe("Microsoft Foundry", () => {
  const token = () => ({
    access_token: foundryAccount.token,
    expires_on: String(Math.floor(Date.now() / 1_000) + 3_600),
    resource: "https://ai.azure.com",
    token_type: "Bearer",
  });
  const machine = { authentication: "machine" } as const;
  const secret = { authentication: "client_secret" } as const;

  // The library keeps its source of managed identities, and their tokens, for the whole process.
  test("uses the managed identity of an app service, once for many requests, and after a failure", async ({
    foundry,
  }) => {
    let isDead = true;
    const source = await startSource(() =>
      isDead ? { status: 400, body: { error: "no" } } : { body: token() },
    );
    vi.stubEnv("IDENTITY_ENDPOINT", `${source.origin}/msi/token`);
    vi.stubEnv("IDENTITY_HEADER", "identity-header");
    const client = open({ settings: foundrySettings, origin: foundry.origin });
    expect(await sendMessages(client)).toEqual(["upstream_unreachable"]);
    expect(foundry.requests).toEqual([]);
    isDead = false;
    const failures = source.requests.length;
    expect(await sendMessages(client, 3)).toEqual([200, 200, 200]);
    expect(source.requests.slice(failures)).toMatchObject([
      { headers: { "x-identity-header": "identity-header" } },
    ]);
    expect(source.requests[0]?.path).toContain("resource=https%3A%2F%2Fai.azure.com");
  });

  test("loads a token with a client secret, once for many requests", async () => {
    const { requests, library } = await startEntra();
    const credential = { tenant_id: "tenant-1", client_id: "client-1", client_secret: "secret-1" };
    const authorize = makeEntraAuthorizer(secret, JSON.stringify(credential), {
      proxy: null,
      library,
    });
    const headers = [await authorize(), await authorize()];
    expect(headers).toEqual(Array(2).fill(["authorization", "Bearer entra-token"]));
    const forms = findForms(requests);
    expect(forms).toHaveLength(1);
    expect(forms[0]?.get("scope")).toContain("https://ai.azure.com/.default");
    expect(forms[0]?.get("client_secret")).toBe("secret-1");
  });

  test("loads a token with the secret of the environment", async () => {
    const { requests, library } = await startEntra();
    vi.stubEnv("AZURE_TENANT_ID", "tenant-1");
    vi.stubEnv("AZURE_CLIENT_ID", "client-1");
    vi.stubEnv("AZURE_CLIENT_SECRET", "secret-2");
    const authorize = makeEntraAuthorizer(machine, null, { proxy: null, library });
    expect(await authorize()).toEqual(["authorization", "Bearer entra-token"]);
    expect(findForms(requests)[0]?.get("client_secret")).toBe("secret-2");
  });

  test("exchanges the token of a workload identity", async () => {
    const { requests, library } = await startEntra();
    vi.stubEnv("AZURE_TENANT_ID", "tenant-1");
    vi.stubEnv("AZURE_CLIENT_ID", "client-1");
    vi.stubEnv("AZURE_FEDERATED_TOKEN_FILE", await writeText("federated", "token-of-the-pod"));
    const authorize = makeEntraAuthorizer(machine, null, { proxy: null, library });
    expect(await authorize()).toEqual(["authorization", "Bearer entra-token"]);
    expect(findForms(requests)[0]?.get("client_assertion")).toBe("token-of-the-pod");
  });

  test("sends requests to Microsoft Entra through the proxy of the upstream", async ({
    foundry,
  }) => {
    const { proxy, targets } = await startRefusingProxy();
    const credential = { tenant_id: "tenant-1", client_id: "client-1", client_secret: "secret-1" };
    const settings: ProviderSettings = { ...foundrySettings, authentication: "client_secret" };
    const client = open({
      settings,
      origin: foundry.origin,
      proxy,
      credential: JSON.stringify(credential),
    });
    expect(await sendMessages(client)).toEqual(["upstream_unreachable"]);
    expect(new Set(targets)).toEqual(new Set(["login.microsoftonline.com:443 Basic dXNlcjpwYXNz"]));
    expect(foundry.requests).toEqual([]);
  });
});

function findForms(requests: readonly SourceRequest[]): URLSearchParams[] {
  return requests
    .filter(({ method }) => method === "POST")
    .map(({ body: form }) => new URLSearchParams(form));
}

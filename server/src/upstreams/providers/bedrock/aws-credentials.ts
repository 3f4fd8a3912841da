import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import type { BedrockSettings } from "@bursar/contract/admin/provider-settings.ts";
import { z } from "zod";
import type { TunnelProxy } from "#src/http1/open-tunnel.ts";
import { makeReloadedSource } from "../reloaded-source.ts";
import { TunnelAgent } from "../tunnel-agent.ts";

/** Call whose head is signed. */
interface SignedCall {
  method: string;
  host: string;
  path: string;
  headers: readonly string[];
  body: Buffer;
}

/** Returns the headers with the credentials of a call. */
export type Signer = (call: SignedCall) => Promise<readonly string[]>;

interface SignerOptions {
  settings: BedrockSettings;
  /** Null: the credentials of the machine. */
  credential: string | null;
  /** Milliseconds since the epoch. */
  nowMs: () => number;
  /** Proxy of requests to AWS's token service. Null: none. */
  proxy: TunnelProxy | null;
}

const accessKey = z.strictObject({
  access_key_id: z.string().regex(/^[A-Za-z0-9]{16,128}$/),
  secret_access_key: z.string().min(1).max(512),
  session_token: z.string().min(1).max(4096).optional(),
});

/** Throws an Error for a credential that is not of the kind in the settings. */
export function makeSigner({ settings, credential, nowMs, proxy }: SignerOptions): Signer {
  if (settings.authentication === "api_key") {
    if (credential === null) throw new Error("the credential is missing");
    return () => Promise.resolve(["authorization", `Bearer ${credential}`]);
  }
  const stored = settings.authentication === "machine" ? null : parseAccessKey(credential);
  return makeReloadedSource({
    make: () => loadSigner({ settings, stored, nowMs, proxy }),
    use: (sign: Signer, call: SignedCall) => sign(call),
  });
}

interface AwsCredential {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Throws an Error that says which form is expected, without the text. */
export function parseAccessKey(credential: string | null): AwsCredential {
  let value: unknown = null;
  try {
    value = JSON.parse(credential ?? "null");
  } catch {
    // The schema refuses null.
  }
  const parsed = accessKey.safeParse(value);
  if (!parsed.success) {
    throw new Error("the credential is not a JSON object with access_key_id and secret_access_key");
  }
  const { access_key_id, secret_access_key, session_token } = parsed.data;
  return {
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
    ...(session_token !== undefined && { sessionToken: session_token }),
  };
}

async function loadSigner({
  settings,
  stored,
  nowMs,
  proxy,
}: Omit<SignerOptions, "credential"> & { stored: AwsCredential | null }): Promise<Signer> {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const signer = new SignatureV4({
    service: settings.api === "messages" ? "bedrock-mantle" : "bedrock",
    region: settings.region,
    credentials: stored ?? (await loadMachineCredentials(settings.region, proxy)),
    sha256: NodeSha256,
  });
  return async ({ method, host, path, headers, body }) => {
    const signed = await signer.sign(
      {
        method,
        protocol: "https:",
        hostname: host,
        path,
        query: {},
        headers: { ...toSignedHeaders(headers), host },
        body,
      },
      { signingDate: new Date(nowMs()) },
    );
    return addedHeaders.flatMap((name) => {
      const value = signed.headers[name];
      return value === undefined ? [] : [name, value];
    });
  };
}

/** Headers that a signature adds. */
const addedHeaders = [
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
  "authorization",
];

/**
 * Loads AWS's chain: environment, shared files, web identity, and the metadata of a container or an instance. The chain
 * renews temporary credentials five minutes before their end, and uses the old ones meanwhile.
 */
async function loadMachineCredentials(region: string, proxy: TunnelProxy | null) {
  const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
  return fromNodeProviderChain({
    // Metadata of a container or an instance: wait in milliseconds, and attempts. The four attempts of AWS take too long.
    timeout: 2_000,
    maxRetries: 1,
    clientConfig: {
      region,
      requestHandler: {
        connectionTimeout: SOURCE_TIMEOUT_MS,
        requestTimeout: SOURCE_TIMEOUT_MS,
        throwOnRequestTimeout: true,
        // Metadata of the machine has plain HTTP, and no proxy.
        ...(proxy !== null && { httpsAgent: new TunnelAgent(proxy) }),
      },
    },
  });
}

/** Longest wait for one answer of the token service, milliseconds. */
const SOURCE_TIMEOUT_MS = 3_000;

/** A proxy may change the other headers. */
const signedNames: ReadonlySet<string> = new Set(["content-type"]);

function toSignedHeaders(headers: readonly string[]): Record<string, string> {
  const signed: Record<string, string> = {};
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (signedNames.has(name)) signed[name] = headers[i + 1] as string;
  }
  return signed;
}

/** SHA-256 of Node in the form of AWS's libraries, whose own one takes ten times as long for a large body. */
class NodeSha256 {
  readonly #secret: Uint8Array | null;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? null : toBytes(secret);
    this.#hash = this.#start();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#start();
  }

  #start(): Hash | Hmac {
    return this.#secret === null ? createHash("sha256") : createHmac("sha256", this.#secret);
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

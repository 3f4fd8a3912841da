import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { type Exchange, messageEvents, messageJson, type Received } from "../fake-upstream.ts";
import { startPlatform, type TestPlatform } from "./start-platform.ts";

// Vertex AI on loopback: checks each token and each body as the service does, and answers in its forms.

export interface VertexRequest {
  /** Name in the path. */
  model: string;
  action: string;
  body: Record<string, unknown>;
  received: Received;
}

export interface VertexPlatform extends TestPlatform<VertexRequest> {
  /** JSON key of a service account that the platform accepts. */
  serviceAccount: string;
  /** Access token that the platform accepts. */
  accessToken: string;
  /** Sends the answer of an accepted request. */
  answer: (exchange: Exchange, request: VertexRequest) => void | Promise<void>;
}

const PATH =
  /^\/v1\/projects\/([^/]+)\/locations\/([^/]+)\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/;
const EMAIL = "gateway@test-project.iam.gserviceaccount.com";
const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const MAX_TOKEN_SECONDS = 3_600;

/** Pairs of keys by name. One takes 0.2 s to generate. */
const pairs = new Map<string, ReturnType<typeof generatePair>>();

function generatePair() {
  return generateKeyPairSync("rsa", { modulusLength: 2048 });
}

function findPair(name: string): ReturnType<typeof generatePair> {
  const pair = pairs.get(name) ?? generatePair();
  pairs.set(name, pair);
  return pair;
}

/** Starts the platform of a project in a location. */
export async function startVertexPlatform(at: {
  project: string;
  location: string;
  keyName?: string;
}): Promise<VertexPlatform> {
  const { privateKey, publicKey } = findPair(at.keyName ?? "usual");
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const accessToken = "ya29.test-access-token";
  const platform: VertexPlatform = {
    ...(await startPlatform<VertexRequest>({
      findCredentialFault: (received) => findTokenFault(received, pem, accessToken),
      readRequest: (received) => readRequest(received, at),
      refuse: (exchange, { isCredential, fault }) =>
        isCredential
          ? sendGoogleError(
              exchange,
              401,
              "UNAUTHENTICATED",
              `Invalid credentials in projects/${at.project}`,
            )
          : sendGoogleError(exchange, 400, "INVALID_ARGUMENT", fault),
      answer: (exchange, request) => platform.answer(exchange, request),
    })),
    serviceAccount: JSON.stringify(
      {
        type: "service_account",
        project_id: at.project,
        private_key_id: "key-1",
        private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
        client_email: EMAIL,
        token_uri: "https://127.0.0.1:9/never-asked",
      },
      null,
      2,
    ),
    accessToken,
    answer: answerAsUsual,
  };
  return platform;
}

/** Sends an error in the form of Google's services. */
export function sendGoogleError(
  exchange: Exchange,
  code: number,
  status: string,
  message: string,
): void {
  exchange.json({ error: { code, message, status } }, { status: code });
}

async function answerAsUsual(exchange: Exchange, { model, action }: VertexRequest): Promise<void> {
  if (model === "count-tokens") exchange.json({ input_tokens: 12 });
  else if (action === "rawPredict") exchange.json(messageJson());
  else await exchange.stream(messageEvents());
}

function findTokenFault(
  { headers }: Received,
  pem: string | Buffer,
  accessToken: string,
): string | null {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  if (token === undefined) return "no token";
  if (token === accessToken) return null;
  const [head = "", claims = "", signature = ""] = token.split(".");
  const { alg, kid } = decode(head);
  if (alg !== "RS256" || kid !== "key-1") return "another algorithm or key";
  const bytes = Buffer.from(`${head}.${claims}`);
  const isSigned = verify(
    "sha256",
    bytes,
    createPublicKey(pem),
    Buffer.from(signature, "base64url"),
  );
  if (!isSigned) return "invalid signature";
  const { iss, sub, scope, iat, exp } = decode(claims);
  if (iss !== EMAIL || sub !== EMAIL || scope !== SCOPE) return "another account or scope";
  const nowSeconds = Date.now() / 1_000;
  const isInTime = Number(iat) <= nowSeconds + 5 && Number(exp) > nowSeconds;
  return isInTime && Number(exp) - Number(iat) <= MAX_TOKEN_SECONDS ? null : "expired";
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, "base64url").toString() || "{}") as Record<string, unknown>;
}

function readRequest(
  received: Received,
  { project, location }: { project: string; location: string },
): VertexRequest | string {
  const path = PATH.exec(received.url);
  if (received.method !== "POST" || path === null) return `no operation ${received.url}`;
  const [, inProject, inLocation, model = "", action = ""] = path;
  if (inProject !== project || inLocation !== location) return "another project or location";
  const body = JSON.parse(received.body.toString()) as Record<string, unknown>;
  if (body["anthropic_version"] !== "vertex-2023-10-16") return "anthropic_version: invalid";
  const isCount = model === "count-tokens";
  if ("model" in body !== isCount) return "model: Extra inputs are not permitted";
  if (!isCount && typeof body["max_tokens"] !== "number") return "max_tokens: Field required";
  return { model: decodeURIComponent(model), action, body, received };
}

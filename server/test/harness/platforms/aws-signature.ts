import { createHash, createHmac } from "node:crypto";
import type { Received } from "../fake-upstream.ts";

// AWS Signature Version 4, written from its specification without a library, so that it can prove one:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

export interface AccessKey {
  id: string;
  secret: string;
  sessionToken?: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
const MAX_AGE_MS = 5 * 60_000;

interface Expected {
  keys: readonly AccessKey[];
  region: string;
  service: string;
  nowMs: number;
}

/** Returns the fault of a signature. Null: it is valid. */
export function findSignatureFault(received: Received, expected: Expected): string | null {
  const { headers } = received;
  const parts = AUTHORIZATION.exec(headers.authorization ?? "");
  if (parts === null) return "IncompleteSignatureException";
  const [, keyId, day, region, service, signedNames = "", signature] = parts;
  const key = expected.keys.find(({ id }) => id === keyId);
  if (key === undefined) return "UnrecognizedClientException";
  if (region !== expected.region || service !== expected.service)
    return "SignatureDoesNotMatch scope";
  const date = String(headers["x-amz-date"]);
  const signedAtMs = Date.parse(
    date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  if (!date.startsWith(String(day)) || Math.abs(expected.nowMs - signedAtMs) > MAX_AGE_MS) {
    return "SignatureDoesNotMatch date";
  }
  if (headers["x-amz-security-token"] !== key.sessionToken)
    return "UnrecognizedClientException token";
  const names = signedNames.split(";");
  const required = ["host", "x-amz-date", ...(key.sessionToken ? ["x-amz-security-token"] : [])];
  if (required.some((name) => !names.includes(name))) return "SignatureDoesNotMatch headers";
  const [path = "", query = ""] = received.url.split("?");
  const canonical = [
    received.method,
    path.split("/").map(encodeTwice).join("/"),
    query,
    ...names.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, " ")}`),
    "",
    signedNames,
    received.bodySha256,
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const signingKey = [region, service, "aws4_request"].reduce<Buffer>(
    (secret, part) => hmac(secret, part ?? ""),
    hmac(`AWS4${key.secret}`, day ?? ""),
  );
  return hmac(signingKey, toSign).toString("hex") === signature ? null : "SignatureDoesNotMatch";
}

/** The path on the wire is encoded once. The canonical path is encoded once more. */
function encodeTwice(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(secret: Buffer | string, text: string): Buffer {
  return createHmac("sha256", secret).update(text).digest();
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

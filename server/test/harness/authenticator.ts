import { createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";

// Authenticators of a person: passkeys (WebAuthn level 2, ES256, no attestation), and an app that shows codes (RFC
// 6238).

export interface Authenticator {
  /** Creates the response to the options of a registration, as `credential.toJSON()` does. */
  create(options: CreationOptions, origin: string): object;
  /** Creates the response to the options of a sign-in. */
  get(options: RequestOptions, origin: string): { id: string } & Record<string, unknown>;
  /** Whether the authenticator verifies the user by a fingerprint or PIN. Default: true. */
  isUserVerified: boolean;
  /** Counter of the next signature. Grows with each signature. */
  counter: number;
}

interface CreationOptions {
  challenge: string;
  rp: { id: string };
}

interface RequestOptions {
  challenge: string;
  rpId: string;
}

export function makeAuthenticator(): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const credentialId = randomBytes(32);
  const id = credentialId.toString("base64url");
  const authenticator: Authenticator = {
    isUserVerified: true,
    counter: 1,
    create: ({ challenge, rp }, origin) => {
      const { x = "", y = "" } = publicKey.export({ format: "jwk" });
      const coseKey = cborMap([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, "base64url")],
        [-3, Buffer.from(y, "base64url")],
      ]);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credentialId.length);
      const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, coseKey]);
      const authData = Buffer.concat([header(rp.id, ATTESTED), attested]);
      const attestationObject = cborMap([
        ["fmt", "none"],
        ["attStmt", null],
        ["authData", authData],
      ]);
      return {
        id,
        rawId: id,
        type: "public-key",
        authenticatorAttachment: "platform",
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData("webauthn.create", challenge, origin).toString("base64url"),
          attestationObject: attestationObject.toString("base64url"),
          authenticatorData: authData.toString("base64url"),
          transports: ["internal"],
          publicKeyAlgorithm: -7,
        },
      };
    },
    get: ({ challenge, rpId }, origin) => {
      const data = clientData("webauthn.get", challenge, origin);
      const authData = header(rpId, 0);
      const signed = Buffer.concat([authData, createHash("sha256").update(data).digest()]);
      return {
        id,
        rawId: id,
        type: "public-key",
        authenticatorAttachment: "platform",
        clientExtensionResults: {},
        response: {
          clientDataJSON: data.toString("base64url"),
          authenticatorData: authData.toString("base64url"),
          signature: sign("sha256", signed, privateKey).toString("base64url"),
          userHandle: null,
        },
      };
    },
  };

  function header(rpId: string, extraFlags: number): Buffer {
    const flags = Buffer.of(PRESENT | (authenticator.isUserVerified ? VERIFIED : 0) | extraFlags);
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(authenticator.counter++);
    return Buffer.concat([createHash("sha256").update(rpId).digest(), flags, counter]);
  }
  return authenticator;
}

const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

function clientData(type: string, challenge: string, origin: string): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}

type Cbor = number | string | Buffer | null;

/** Encodes a map in CBOR (RFC 8949), as authenticators do. */
function cborMap(entries: readonly (readonly [number | string, Cbor])[]): Buffer {
  const parts = entries.flatMap(([key, value]) => [cbor(key), cbor(value)]);
  return Buffer.concat([cborHead(5, entries.length), ...parts]);
}

function cbor(value: Cbor): Buffer {
  if (typeof value === "number") return value >= 0 ? cborHead(0, value) : cborHead(1, -1 - value);
  if (typeof value === "string") {
    return Buffer.concat([cborHead(3, Buffer.byteLength(value)), Buffer.from(value)]);
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([cborHead(2, value.length), value]);
  return cborHead(5, 0); // an empty map
}

function cborHead(major: number, argument: number): Buffer {
  const type = major << 5;
  if (argument < 24) return Buffer.of(type | argument);
  if (argument < 256) return Buffer.of(type | 24, argument);
  return Buffer.of(type | 25, argument >> 8, argument & 0xff);
}

const STEP_MS = 30_000;

/** Code of an authenticator app for this base32 secret. `steps` are half minutes from now. */
export function totpCode(secret: string, steps = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + steps));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, "0");
}

function fromBase32(text: string): Buffer {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...text]
    .map((each) => alphabet.indexOf(each).toString(2).padStart(5, "0"))
    .join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

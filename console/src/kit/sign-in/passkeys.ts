import type { Answer, Input } from "../../api-client.ts";

type Assertion = Input<"signInWithPasskey">["body"]["passkey"];
type Attestation = Input<"addPasskey">["body"]["passkey"];
type Options = Answer<"getSignInPasskeyOptions">["options"];

/** True where this browser has passkeys at all: on https, or on this machine. */
export function hasPasskeys(): boolean {
  return (
    typeof PublicKeyCredential !== "undefined" &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function"
  );
}

/** Asks for a passkey that exists. Null when the person turned away. */
export async function askForPasskey(options: Options): Promise<Assertion | null> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never);
  const credential = await quietly(navigator.credentials.get({ publicKey }));
  // The DOM types it as any JSON; the server checks what it is.
  return credential && (credential.toJSON() as Assertion);
}

/**
 * Offers passkeys where the browser offers addresses, until one is taken or `signal` ends it. Null where nobody took one,
 * or the browser has no such offer.
 */
export async function offerPasskeys(
  askOptions: () => Promise<Options>,
  signal: AbortSignal,
): Promise<Assertion | null> {
  if (!hasPasskeys() || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    return null;
  }
  const options = await askOptions();
  if (signal.aborted) return null;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never);
  const asked = navigator.credentials.get({ publicKey, mediation: "conditional", signal });
  const credential = await quietly(asked);
  return credential && (credential.toJSON() as Assertion);
}

/** Makes a new passkey. Null when the person turned away. */
export async function makePasskey(options: Options): Promise<Attestation | null> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as never);
  const credential = await quietly(navigator.credentials.create({ publicKey }));
  return credential && (credential.toJSON() as unknown as Attestation);
}

/** Turning away and running out of time look alike to a page, and neither is a fault. */
async function quietly(asked: Promise<Credential | null>): Promise<PublicKeyCredential | null> {
  try {
    return (await asked) as PublicKeyCredential | null;
  } catch (error) {
    if (error instanceof DOMException && ["NotAllowedError", "AbortError"].includes(error.name)) {
      return null;
    }
    throw error;
  }
}

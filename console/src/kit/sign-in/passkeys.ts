import type { Answer, Input } from "../../api-client.ts";

type Assertion = Input<"signInWithPasskey">["body"]["passkey"];
type Attestation = Input<"addPasskey">["body"]["passkey"];
type Options = Answer<"getSignInPasskeyOptions">["options"];

/** True if this browser supports passkeys. They need HTTPS or localhost. */
export function hasPasskeys(): boolean {
  return (
    typeof PublicKeyCredential !== "undefined" &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function"
  );
}

/** Asks for an existing passkey. Null: cancelled. */
export async function getPasskey(options: Options): Promise<Assertion | null> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never);
  const credential = await ignoreCancellation(navigator.credentials.get({ publicKey }));
  // The DOM has no exact type for this JSON. The server checks it.
  return credential && (credential.toJSON() as Assertion);
}

/**
 * Offers passkeys in the browser's autofill, until one is selected or `signal` aborts. Null: none was selected, or the
 * browser has no passkey autofill.
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
  const credential = await ignoreCancellation(asked);
  return credential && (credential.toJSON() as Assertion);
}

/** Creates a passkey. Null: cancelled. */
export async function makePasskey(options: Options): Promise<Attestation | null> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as never);
  const credential = await ignoreCancellation(navigator.credentials.create({ publicKey }));
  return credential && (credential.toJSON() as unknown as Attestation);
}

/** Returns null after a cancellation or a timeout. A page cannot distinguish them, and neither is an error. */
async function ignoreCancellation(
  asked: Promise<Credential | null>,
): Promise<PublicKeyCredential | null> {
  try {
    return (await asked) as PublicKeyCredential | null;
  } catch (error) {
    if (error instanceof DOMException && ["NotAllowedError", "AbortError"].includes(error.name)) {
      return null;
    }
    throw error;
  }
}

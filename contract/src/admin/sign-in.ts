import { z } from "zod";
import { emailAddress } from "../fields.ts";
import { route } from "../route.ts";

// Signing in: the only routes, with set-up and accepting an invite, that ask for no caller. Browsers alone may call them:
// they check the origin of the request and set cookies.

/** Longer than any password that is accepted: what is sent for an old one is only compared. */
const MAX_PASSWORD_LENGTH = 1000;
export const password = z.string().min(1).max(MAX_PASSWORD_LENGTH).meta({ format: "password" });
export const newPassword = password.meta({
  description: "At least 12 characters, and nothing that would be guessed first.",
});
const oneTimeToken = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: "From the `#token=` of the link." });

/** What `navigator.credentials` takes, in the JSON form that `parse…OptionsFromJSON` reads. */
export const passkeyOptions = z.object({ options: z.record(z.string(), z.unknown()) });
const base64url = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9_-]*$/, "expected base64url");
const credential = {
  id: base64url(2_000).min(1),
  rawId: base64url(2_000),
  type: z.literal("public-key"),
  authenticatorAttachment: z.string().max(50).nullish(),
  clientExtensionResults: z.record(z.string(), z.unknown()).optional(),
};
/** What `navigator.credentials.get` gave, as its `toJSON()`. */
export const passkeyAssertion = z.strictObject({
  ...credential,
  response: z.looseObject({
    clientDataJSON: base64url(10_000),
    authenticatorData: base64url(10_000),
    signature: base64url(10_000),
    userHandle: base64url(200).nullish(),
  }),
});
/** What `navigator.credentials.create` gave, as its `toJSON()`. */
export const passkeyAttestation = z.strictObject({
  ...credential,
  response: z.looseObject({
    clientDataJSON: base64url(10_000),
    attestationObject: base64url(100_000),
    transports: z.array(z.string().max(50)).max(20).optional(),
  }),
});

const signedIn = z.object({
  type: z.enum(["signed_in", "two_factor_required"]).meta({
    description:
      "`two_factor_required`: the password was right; a code is needed too, within ten minutes.",
  }),
});

export const signIn = route({
  operationId: "signIn",
  method: "POST",
  path: "/v1/admin/sign_in",
  summary: "Sign in with a password",
  description:
    "Sets the cookie of a session. An unknown address, a wrong password and somebody who has none are the same answer.",
  action: "public",
  audited: "session.started",
  body: z.strictObject({ email: emailAddress, password }),
  response: signedIn,
});

export const signInWithTwoFactor = route({
  operationId: "signInWithTwoFactor",
  method: "POST",
  path: "/v1/admin/sign_in/two_factor",
  summary: "Complete a sign-in with a code",
  description: "Of the authenticator app, or a backup code. Each counts once.",
  action: "public",
  audited: "session.started",
  body: z.strictObject({
    method: z.enum(["totp", "backup_code"]).default("totp"),
    code: z.string().trim().min(1).max(50),
  }),
  response: signedIn,
});

export const getSignInPasskeyOptions = route({
  operationId: "getSignInPasskeyOptions",
  method: "POST",
  path: "/v1/admin/sign_in/passkey/options",
  summary: "Begin a sign-in with a passkey",
  action: "public",
  audited: null,
  response: passkeyOptions,
});

export const signInWithPasskey = route({
  operationId: "signInWithPasskey",
  method: "POST",
  path: "/v1/admin/sign_in/passkey",
  summary: "Sign in with a passkey",
  description: "A passkey is both factors: no code is asked for.",
  action: "public",
  audited: "session.started",
  body: z.strictObject({ passkey: passkeyAssertion }),
  response: signedIn,
});

export const requestPasswordReset = route({
  operationId: "requestPasswordReset",
  method: "POST",
  path: "/v1/admin/password_reset",
  summary: "Ask for a link to set a new password",
  description:
    "The link goes by mail, is good for an hour and works once. The answer is the same whether or not anybody has this address.",
  action: "public",
  audited: "password_reset.requested",
  body: z.strictObject({ email: emailAddress }),
  response: z.object({ type: z.literal("password_reset_requested") }),
});

export const confirmPasswordReset = route({
  operationId: "confirmPasswordReset",
  method: "POST",
  path: "/v1/admin/password_reset/confirm",
  summary: "Set a new password with a link",
  description: "Ends every session of the person. Signing in is the next step.",
  action: "public",
  audited: "password.changed",
  body: z.strictObject({ token: oneTimeToken, password: newPassword }),
  response: z.object({ type: z.literal("password_changed") }),
});

export const signInRoutes = [
  signIn,
  signInWithTwoFactor,
  getSignInPasskeyOptions,
  signInWithPasskey,
  requestPasswordReset,
  confirmPasswordReset,
] as const;

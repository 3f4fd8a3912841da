import { z } from "zod";
import { emailAddress } from "../fields.ts";
import { directoryId } from "../ids.ts";
import { route } from "../route.ts";

// Routes for signing in. Like set-up and the acceptance of an invite, they need no caller. They check the origin of the
// request and set cookies, so only browsers can call them.

/** Longer than any valid password, since an old password is only compared. */
const MAX_PASSWORD_LENGTH = 1000;
/** Longest query of a provider's response, characters. */
const MAX_RESPONSE_LENGTH = 10_000;
export const password = z.string().min(1).max(MAX_PASSWORD_LENGTH).meta({ format: "password" });
export const newPassword = password.meta({
  description: "At least `min_password_length` characters (default 12), and not easy to guess.",
});
const oneTimeToken = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: "Token after `#token=` in the link." });

/** Options for `navigator.credentials`, in the JSON form for `parse…OptionsFromJSON`. */
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
/** Result of `navigator.credentials.get`, as its `toJSON()`. */
export const passkeyAssertion = z.strictObject({
  ...credential,
  response: z.looseObject({
    clientDataJSON: base64url(10_000),
    authenticatorData: base64url(10_000),
    signature: base64url(10_000),
    userHandle: base64url(200).nullish(),
  }),
});
/** Result of `navigator.credentials.create`, as its `toJSON()`. */
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
      "`two_factor_required`: the password is correct, and a code is needed within ten minutes.",
  }),
});

export const signIn = route({
  operationId: "signIn",
  method: "POST",
  path: "/v1/admin/sign_in",
  summary: "Sign in with a password",
  description:
    "Sets the cookie of a session. An unknown address, a wrong password and a member without a password get the same response.",
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
  description: "Send a code of the authenticator app, or a backup code. Each works once.",
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
  description: "A passkey counts as both factors, so no code is needed.",
  action: "public",
  audited: "session.started",
  body: z.strictObject({ passkey: passkeyAssertion }),
  response: signedIn,
});

export const listSignInDirectories = route({
  operationId: "listSignInDirectories",
  method: "GET",
  path: "/v1/admin/sign_in/directories",
  summary: "List directories to sign in with",
  action: "public",
  audited: null,
  response: z.object({
    company_sign_in_only: z.boolean().meta({
      description: "True: no organization of the server allows another sign-in.",
    }),
    data: z.array(
      z.object({ id: directoryId, type: z.literal("sign_in_directory"), name: z.string() }),
    ),
  }),
});

const directoryParams = z.strictObject({ directory_id: directoryId });

export const beginDirectorySignIn = route({
  operationId: "beginDirectorySignIn",
  method: "POST",
  path: "/v1/admin/sign_in/directories/{directory_id}",
  summary: "Begin a sign-in through a directory",
  description:
    "Sets a cookie that binds the sign-in to the browser for ten minutes. Then open `authorization_url` in the browser.",
  action: "public",
  audited: null,
  params: directoryParams,
  body: z.strictObject({
    sign_in_again: z.boolean().default(false).meta({
      description:
        "True: the provider asks the person again, also if they are signed in there. A recent proof counts as a step-up.",
    }),
  }),
  response: z.object({
    type: z.literal("directory_sign_in"),
    authorization_url: z.string().meta({ description: "Address at the provider." }),
  }),
});

export const completeDirectorySignIn = route({
  operationId: "completeDirectorySignIn",
  method: "POST",
  path: "/v1/admin/sign_in/directories/{directory_id}/complete",
  summary: "Complete a sign-in through a directory",
  description:
    "Validates the provider's response. A first sign-in creates the member with the directory's default role, or with the role and workspaces of a pending invite.",
  action: "public",
  audited: "session.started",
  params: directoryParams,
  body: z.strictObject({
    response: z
      .string()
      .min(1)
      .max(MAX_RESPONSE_LENGTH)
      .meta({ description: "Query of the provider's redirect, such as `code=…&state=…`." }),
  }),
  response: z.object({
    type: z.enum(["signed_in", "two_factor_required", "link_required"]).meta({
      description:
        "`link_required`: the address belongs to a member, who has ten minutes to confirm that the person is the same.",
    }),
  }),
});

export const requestDirectoryLinkMail = route({
  operationId: "requestDirectoryLinkMail",
  method: "POST",
  path: "/v1/admin/sign_in/directory_link/mail",
  summary: "Request a message that links a directory",
  description: "After `link_required`. The link in the message works once, in the same browser.",
  action: "public",
  audited: "directory.link_requested",
  response: z.object({ type: z.literal("directory_link_requested") }),
});

export const confirmDirectoryLink = route({
  operationId: "confirmDirectoryLink",
  method: "POST",
  path: "/v1/admin/sign_in/directory_link",
  summary: "Link a directory to the member",
  description:
    "After `link_required`. Send the token of the message, or sign in with a password or a passkey first and send none.",
  action: "public",
  audited: "directory.linked",
  body: z.strictObject({ token: oneTimeToken.optional() }),
  response: signedIn,
});

export const requestPasswordReset = route({
  operationId: "requestPasswordReset",
  method: "POST",
  path: "/v1/admin/password_reset",
  summary: "Request a link to set a new password",
  description:
    "Sends the link by e-mail. The link is valid for an hour and works once. The response is the same for unknown addresses.",
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
  description: "Ends every session of the member, who can then sign in.",
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
  listSignInDirectories,
  beginDirectorySignIn,
  completeDirectorySignIn,
  requestDirectoryLinkMail,
  confirmDirectoryLink,
  requestPasswordReset,
  confirmPasswordReset,
] as const;

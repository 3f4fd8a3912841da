import { z } from "zod";
import { nameText, shownOnce, timestamp } from "../fields.ts";
import {
  directoryId,
  memberId,
  organizationId,
  passkeyId,
  sessionId,
  workspaceId,
} from "../ids.ts";
import { organizationRoles, workspaceRoles } from "../permissions.ts";
import { route } from "../route.ts";
import { timePreferences } from "./preferences.ts";
import {
  newPassword,
  passkeyAssertion,
  passkeyAttestation,
  passkeyOptions,
  password,
} from "./sign-in.ts";

// Routes of signed-in members for their own account. Keys cannot call them.

const totpCode = z
  .string()
  .trim()
  .regex(/^\d{6}$/, "expected the six digits of the authenticator app");
const backupCodes = z.array(z.string()).meta({
  description: "Each replaces a code once. Shown once.",
  ...shownOnce,
});

export const MAX_ADMINISTRATORS = 5;

export const passwordStates = ["usable", "missing", "refused"] as const;

export const currentSession = z
  .object({
    type: z.literal("current_session"),
    session_id: sessionId,
    expires_at: timestamp,
    organization: z.object({ id: organizationId, name: z.string() }),
    public_url: z.string().nullable().meta({
      description: "Base URL of this server for programs: `BURSAR_PUBLIC_URL`. Null: not set.",
    }),
    directory: z
      .object({ id: directoryId, name: z.string() })
      .nullable()
      .meta({ description: "Directory that started the session. Null: none." }),
    member: z.object({
      id: memberId,
      email: z.string(),
      name: z.string(),
      role: z.enum(organizationRoles),
    }),
    preferences: timePreferences.meta({ description: "How the console shows times." }),
    permissions: z.array(z.string()).meta({
      description: "Actions that the member can take in the organization.",
    }),
    workspaces: z
      .array(
        z.object({
          id: workspaceId,
          name: z.string(),
          roles: z.array(z.enum(workspaceRoles)),
          permissions: z.array(z.string()),
        }),
      )
      .meta({
        description: "Active workspaces that the member can see, with the actions there.",
      }),
    has_more_workspaces: z.boolean().meta({
      description: "True: the list of workspaces has more.",
    }),
    administrators: z
      .array(z.object({ name: z.string(), email: z.string() }))
      .max(MAX_ADMINISTRATORS)
      .meta({
        description:
          "Members who can grant missing rights: owners, then admins, longest membership first.",
      }),
    password_state: z.enum(passwordStates).meta({
      description:
        "Whether the member can sign in with a password. `missing`: none is set. `refused`: the organization requires its company sign-in.",
    }),
    two_factor: z.object({
      is_enabled: z.boolean(),
      backup_codes_left: z.int().min(0),
      passkeys: z.int().min(0),
    }),
    is_second_factor_required: z.boolean().meta({
      description:
        "True: the organization requires a second factor, and the member can only set one up.",
    }),
    stepped_up_until: timestamp.nullable().meta({
      description: "End of the current step-up. Null: none.",
    }),
  })
  .meta({ id: "CurrentSession" });

export const session = z
  .object({
    id: sessionId,
    type: z.literal("session"),
    is_current: z.boolean(),
    device: z.string().nullable().meta({ description: "Browser and system, in words." }),
    ip_address: z.string().nullable(),
    started_at: timestamp,
    last_used_at: timestamp,
    expires_at: timestamp,
  })
  .meta({ id: "Session" });

const passkey = z
  .object({
    id: passkeyId,
    type: z.literal("passkey"),
    name: z.string(),
    is_backed_up: z
      .boolean()
      .meta({ description: "True: the provider syncs it to other devices." }),
    created_at: timestamp,
    last_used_at: timestamp.nullable(),
  })
  .meta({ id: "Passkey" });

export const getSession = route({
  operationId: "getSession",
  method: "GET",
  path: "/v1/admin/session",
  summary: "Get the current session",
  action: "self:read",
  audited: null,
  response: currentSession,
});

export const updateProfile = route({
  operationId: "updateProfile",
  method: "POST",
  path: "/v1/admin/profile",
  summary: "Change the member's own name",
  description: "Other members see the name in lists and messages.",
  action: "self:write",
  audited: "profile.updated",
  body: z.strictObject({ name: nameText }),
  response: z.object({
    type: z.literal("profile"),
    member_id: memberId,
    email: z.string(),
    name: z.string(),
  }),
});

export const signOut = route({
  operationId: "signOut",
  method: "POST",
  path: "/v1/admin/sign_out",
  summary: "Sign out",
  action: "self:write",
  audited: "session.ended",
  response: z.object({ type: z.literal("signed_out") }),
});

export const listSessions = route({
  operationId: "listSessions",
  method: "GET",
  path: "/v1/admin/sessions",
  summary: "List the member's own sessions",
  action: "self:read",
  audited: null,
  response: z.object({ data: z.array(session) }),
});

export const endSession = route({
  operationId: "endSession",
  method: "DELETE",
  path: "/v1/admin/sessions/{session_id}",
  summary: "End one of the member's own sessions",
  action: "self:write",
  audited: "session.ended",
  params: z.strictObject({ session_id: sessionId }),
  response: z.object({ id: sessionId, type: z.literal("session_deleted") }),
});

export const signOutEverywhere = route({
  operationId: "signOutEverywhere",
  method: "POST",
  path: "/v1/admin/sessions/sign_out_everywhere",
  summary: "End all of the member's own sessions",
  description: "Ends all laptops too.",
  action: "self:write",
  audited: "session.all_ended",
  body: z.strictObject({
    keep_current: z.boolean().default(false).meta({ description: "Keep this session." }),
  }),
  response: z.object({ type: z.literal("sessions_ended"), ended: z.int().min(0) }),
});

export const stepUp = route({
  operationId: "stepUp",
  method: "POST",
  path: "/v1/admin/step_up",
  summary: "Step up the session",
  description:
    "Send either the password or a passkey. A step-up lasts ten minutes. A sign-in counts as a step-up.",
  action: "self:write",
  audited: "session.stepped_up",
  body: z.strictObject({ password: password.optional(), passkey: passkeyAssertion.optional() }),
  response: z.object({ type: z.literal("stepped_up"), until: timestamp }),
});

export const getStepUpPasskeyOptions = route({
  operationId: "getStepUpPasskeyOptions",
  method: "POST",
  path: "/v1/admin/step_up/passkey/options",
  summary: "Begin a step-up with a passkey",
  action: "self:write",
  audited: null,
  response: passkeyOptions,
});

export const changePassword = route({
  operationId: "changePassword",
  method: "POST",
  path: "/v1/admin/password",
  summary: "Change the member's own password",
  description: "Ends all other sessions of the member.",
  action: "self:write",
  audited: "password.changed",
  body: z.strictObject({ current_password: password, new_password: newPassword }),
  response: z.object({ type: z.literal("password_changed"), ended_sessions: z.int().min(0) }),
});

export const enableTotp = route({
  operationId: "enableTotp",
  method: "POST",
  path: "/v1/admin/two_factor/totp",
  summary: "Begin the set-up of an authenticator app",
  description: "The app is active once its first code confirms it.",
  action: "self:write",
  audited: "two_factor.prepared",
  stepUp: true,
  response: z.object({
    type: z.literal("totp"),
    secret: z
      .string()
      .meta({ description: "Base32 text for manual entry. Shown once.", ...shownOnce }),
    uri: z.string().meta({ description: "`otpauth://…`, for a QR code." }),
    backup_codes: backupCodes,
  }),
});

export const confirmTotp = route({
  operationId: "confirmTotp",
  method: "POST",
  path: "/v1/admin/two_factor/totp/confirm",
  summary: "Confirm the authenticator app with a code",
  action: "self:write",
  audited: "two_factor.enabled",
  stepUp: true,
  body: z.strictObject({ code: totpCode }),
  response: z.object({ type: z.literal("two_factor_enabled") }),
});

export const disableTotp = route({
  operationId: "disableTotp",
  method: "DELETE",
  path: "/v1/admin/two_factor/totp",
  summary: "Remove the authenticator app",
  action: "self:write",
  audited: "two_factor.disabled",
  stepUp: true,
  response: z.object({ type: z.literal("two_factor_disabled") }),
});

export const replaceBackupCodes = route({
  operationId: "replaceBackupCodes",
  method: "POST",
  path: "/v1/admin/two_factor/backup_codes",
  summary: "Create new backup codes",
  description: "The old codes stop working.",
  action: "self:write",
  audited: "two_factor.backup_codes_replaced",
  stepUp: true,
  response: z.object({ type: z.literal("backup_codes"), backup_codes: backupCodes }),
});

export const listPasskeys = route({
  operationId: "listPasskeys",
  method: "GET",
  path: "/v1/admin/passkeys",
  summary: "List the member's own passkeys",
  action: "self:read",
  audited: null,
  response: z.object({ data: z.array(passkey) }),
});

export const getNewPasskeyOptions = route({
  operationId: "getNewPasskeyOptions",
  method: "POST",
  path: "/v1/admin/passkeys/options",
  summary: "Begin to add a passkey",
  action: "self:write",
  audited: null,
  stepUp: true,
  response: passkeyOptions,
});

export const addPasskey = route({
  operationId: "addPasskey",
  method: "POST",
  path: "/v1/admin/passkeys",
  summary: "Add a passkey",
  action: "self:write",
  audited: "passkey.added",
  stepUp: true,
  body: z.strictObject({ name: nameText, passkey: passkeyAttestation }),
  response: passkey,
});

const passkeyParams = z.strictObject({ passkey_id: passkeyId });

export const renamePasskey = route({
  operationId: "renamePasskey",
  method: "POST",
  path: "/v1/admin/passkeys/{passkey_id}",
  summary: "Rename a passkey",
  action: "self:write",
  audited: "passkey.renamed",
  params: passkeyParams,
  body: z.strictObject({ name: nameText }),
  response: passkey,
});

export const removePasskey = route({
  operationId: "removePasskey",
  method: "DELETE",
  path: "/v1/admin/passkeys/{passkey_id}",
  summary: "Remove a passkey",
  action: "self:write",
  audited: "passkey.removed",
  stepUp: true,
  params: passkeyParams,
  response: z.object({ id: passkeyId, type: z.literal("passkey_deleted") }),
});

export const sessionRoutes = [
  getSession,
  updateProfile,
  signOut,
  listSessions,
  endSession,
  signOutEverywhere,
  stepUp,
  getStepUpPasskeyOptions,
  changePassword,
  enableTotp,
  confirmTotp,
  disableTotp,
  replaceBackupCodes,
  listPasskeys,
  getNewPasskeyOptions,
  addPasskey,
  renamePasskey,
  removePasskey,
] as const;

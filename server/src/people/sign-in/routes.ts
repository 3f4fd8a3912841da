import {
  type currentSession,
  MAX_ADMINISTRATORS,
  type passwordStates,
  type sessionRoutes,
} from "@bursar/contract/admin/sessions.ts";
import type { setUpRoutes } from "@bursar/contract/admin/set-up.ts";
import type { signInRoutes } from "@bursar/contract/admin/sign-in.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { BrowserCall, PublicCall } from "#src/access/call.ts";
import { sessionEndsAtMs } from "#src/access/sessions.ts";
import { STEP_UP_LASTS_MS } from "#src/access/step-up.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { findDirectoryOfSession } from "#src/people/directory/sign-in.sql.ts";
import { needsCompanySignIn } from "#src/people/identity/company-sign-in.sql.ts";
import { listOwners, resetOwner } from "./owners.ts";
import type { PasskeyRow } from "./passkeys.sql.ts";
import {
  addPasskey,
  getNewPasskeyOptions,
  getSignInPasskeyOptions,
  listPasskeys,
  removePasskey,
  renamePasskey,
  signInWithPasskey,
} from "./passkeys.ts";
import { changePassword, confirmPasswordReset, requestPasswordReset } from "./passwords.ts";
import { findProfile, listAdministrators } from "./profile.sql.ts";
import { updateProfile } from "./profile.ts";
import {
  endSession,
  listOwnWorkspaces,
  listSessions,
  permissionsOf,
  signOut,
  signOutEverywhere,
  toSessionsWire,
} from "./sessions.ts";
import { createSetUpLink, isSetUpOpen, setUp } from "./set-up.ts";
import { signIn, signInWithTwoFactor } from "./sign-in.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { getStepUpPasskeyOptions, stepUp } from "./step-up.ts";
import {
  confirmTotp,
  countBackupCodes,
  disableTotp,
  enableTotp,
  replaceBackupCodes,
} from "./two-factor.ts";

/** Routes of sign-in, except those of directories. */
type SignInRoute = Exclude<(typeof signInRoutes)[number], { path: `${string}/director${string}` }>;

export function makeSignInHandlers(
  deps: SignInDeps,
): HandlersFor<SignInRoute, BrowserCall, PublicCall> {
  return {
    signIn: (call, { body }) => signIn(deps, call, body),
    signInWithTwoFactor: (call, { body }) => signInWithTwoFactor(deps, call, body),
    getSignInPasskeyOptions: async (call) => ({
      options: await getSignInPasskeyOptions(deps, call),
    }),
    signInWithPasskey: (call, { body }) => signInWithPasskey(deps, call, body.passkey),
    requestPasswordReset: async (call, { body }) => {
      await requestPasswordReset(deps, call, body.email);
      return { type: "password_reset_requested" };
    },
    confirmPasswordReset: async (call, { body }) => {
      await confirmPasswordReset(deps, call, body);
      return { type: "password_changed" };
    },
  };
}

/** Handlers of set-up for the installation's organization, `organizationId`. */
export function makeSetUpHandlers(
  deps: SignInDeps & { operatorOrganizationId: string },
): HandlersFor<(typeof setUpRoutes)[number], BrowserCall, PublicCall> {
  return {
    getSetUp: async () => ({
      type: "setup",
      is_open: await isSetUpOpen(deps.database, deps.operatorOrganizationId),
    }),
    setUp: async (call, { body }) => ({
      type: "signed_in",
      member_id: await setUp(deps, call, body),
    }),
    createSetUpLink: async (call) => toLink(await createSetUpLink(deps, call)),
    listOwners: async (call) => ({
      data: (await listOwners(deps, call)).map(({ last_active_at, ...owner }) => ({
        ...owner,
        type: "owner" as const,
        last_active_at: last_active_at?.toISOString() ?? null,
      })),
    }),
    resetOwner: async (call, { body }) => {
      const { email, remove_two_factor: removeTwoFactor } = body;
      return toLink(await resetOwner(deps, call, { email, removeTwoFactor }));
    },
  };
}

export function makeSessionHandlers(
  deps: SignInDeps,
): HandlersFor<(typeof sessionRoutes)[number], BrowserCall, PublicCall> {
  return {
    getSession: (call) => getCurrentSession(deps, call),
    updateProfile: async (call, { body }) => ({
      type: "profile",
      ...(await updateProfile(deps, call, body.name)),
    }),
    signOut: async (call) => {
      await signOut(deps, call);
      return { type: "signed_out" };
    },
    listSessions: async (call) => {
      const { sessionId } = getMemberCaller(call);
      return { data: toSessionsWire(await listSessions(deps, call), sessionId) };
    },
    endSession: async (call, { params: { session_id: id } }) => {
      await endSession(deps, call, id);
      return { id, type: "session_deleted" };
    },
    signOutEverywhere: async (call, { body }) => ({
      type: "sessions_ended",
      ended: await signOutEverywhere(deps, call, body.keep_current),
    }),
    stepUp: async (call, { body }) => ({
      type: "stepped_up",
      until: (await stepUp(deps, call, body)).toISOString(),
    }),
    getStepUpPasskeyOptions: async (call) => ({
      options: await getStepUpPasskeyOptions(deps, call),
    }),
    changePassword: async (call, { body }) => ({
      type: "password_changed",
      ended_sessions: await changePassword(deps, call, body),
    }),
    ...makeTwoFactorHandlers(deps),
  };
}

type TwoFactorRoute = Extract<
  (typeof sessionRoutes)[number],
  { path: `${string}/two_factor/${string}` | `${string}/passkeys${string}` }
>;

function makeTwoFactorHandlers(
  deps: SignInDeps,
): HandlersFor<TwoFactorRoute, BrowserCall, PublicCall> {
  return {
    enableTotp: async (call) => {
      const { secret, uri, backupCodes } = await enableTotp(deps, call);
      return { type: "totp", secret, uri, backup_codes: backupCodes };
    },
    confirmTotp: async (call, { body }) => {
      await confirmTotp(deps, call, body.code);
      return { type: "two_factor_enabled" };
    },
    disableTotp: async (call) => {
      await disableTotp(deps, call);
      return { type: "two_factor_disabled" };
    },
    replaceBackupCodes: async (call) => ({
      type: "backup_codes",
      backup_codes: await replaceBackupCodes(deps, call),
    }),
    listPasskeys: async (call) => ({ data: (await listPasskeys(deps, call)).map(toPasskey) }),
    getNewPasskeyOptions: async (call) => ({ options: await getNewPasskeyOptions(deps, call) }),
    addPasskey: async (call, { body }) => toPasskey(await addPasskey(deps, call, body)),
    renamePasskey: async (call, { params, body }) =>
      toPasskey(await renamePasskey(deps, call, { id: params.passkey_id, name: body.name })),
    removePasskey: async (call, { params: { passkey_id: id } }) => {
      await removePasskey(deps, call, id);
      return { id, type: "passkey_deleted" };
    },
  };
}

async function getCurrentSession(
  deps: SignInDeps,
  call: BrowserCall,
): Promise<z.input<typeof currentSession>> {
  const member = getMemberCaller(call);
  const profile = await findProfile(deps.database, member.id);
  const { rows, lengths } = await listSessions(deps, call);
  const session = rows.find(({ id }) => id === member.sessionId);
  assert(profile && session, "the caller is a member with a session");
  const { workspaces, hasMore } = await listOwnWorkspaces(deps, member);
  const { organizationId } = member;
  const administrators = await listAdministrators(deps.database, {
    organizationId,
    limit: MAX_ADMINISTRATORS,
  });
  return {
    type: "current_session",
    session_id: member.sessionId,
    expires_at: new Date(sessionEndsAtMs(session, lengths)).toISOString(),
    organization: { id: organizationId, name: profile.organization_name },
    public_url: deps.publicOrigin === null ? null : deps.publicUrl(),
    directory: await findDirectoryOfSession(deps.database, member.sessionId),
    member: { id: member.id, email: profile.email, name: profile.name, role: member.role },
    preferences: profile.preferences,
    permissions: permissionsOf(member),
    workspaces,
    has_more_workspaces: hasMore,
    administrators,
    password_state: await findPasswordState(deps, member.id, profile.has_password),
    two_factor: {
      is_enabled: profile.has_two_factor,
      backup_codes_left: profile.has_two_factor ? await countBackupCodes(deps, call) : 0,
      passkeys: profile.passkeys,
    },
    is_second_factor_required: member.isSecondFactorMissing ?? false,
    stepped_up_until: toSteppedUpUntil(member.steppedUpAtMs, deps.nowMs()),
  };
}

async function findPasswordState(
  { database, nowMs }: SignInDeps,
  memberId: string,
  hasPassword: boolean,
): Promise<(typeof passwordStates)[number]> {
  if (await needsCompanySignIn(database, { memberId, now: new Date(nowMs()) })) return "refused";
  return hasPassword ? "usable" : "missing";
}

function toSteppedUpUntil(steppedUpAtMs: number | null, nowMs: number): string | null {
  if (steppedUpAtMs === null) return null;
  const untilMs = steppedUpAtMs + STEP_UP_LASTS_MS;
  return untilMs >= nowMs ? new Date(untilMs).toISOString() : null;
}

function toPasskey(row: PasskeyRow) {
  return {
    id: row.id,
    type: "passkey" as const,
    name: row.name ?? "Passkey",
    is_backed_up: row.backed_up,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
  };
}

function toLink({ url, expiresAt }: { url: string; expiresAt: Date }) {
  return { url, expires_at: expiresAt.toISOString() };
}

import { type Client, organizationOf } from "../admin.ts";
import { totpCode } from "../authenticator.ts";
import { MEMBER_PASSWORD } from "../members.ts";
import type { Sample, Samples } from "./sample.ts";
import {
  answerNewPasskey,
  createId,
  makePasskey,
  newDirectory,
  nextEmail,
  nextName,
  renamed,
} from "./subjects.ts";

/** Has the right shape, but comes from no authenticator. */
const noPasskey = {
  id: "AAAA",
  rawId: "AAAA",
  type: "public-key",
  response: { clientDataJSON: "AAAA", attestationObject: "AAAA" },
};
const noAssertion = {
  ...noPasskey,
  response: { clientDataJSON: "AAAA", authenticatorData: "AAAA", signature: "AAAA" },
};
const TOTP = "/v1/admin/two_factor/totp";

async function beginTotp(client: Client): Promise<string> {
  return totpCode((await client.post<{ secret: string }>(TOTP)).body.secret);
}

const withTotp: Sample["prepareCaller"] = async (client) => {
  await client.post(`${TOTP}/confirm`, { code: await beginTotp(client) });
  return {};
};

const ownPasskey: Pick<Sample, "prepareCaller" | "callerIds"> = {
  prepareCaller: async (client) => ({ ids: { passkey_id: await makePasskey(client) } }),
  callerIds: ["passkey_id"],
};

const ownLink: Pick<Sample, "prepareCaller" | "callerIds"> = {
  prepareCaller: async (client, _, operator) => {
    const { body } = await client.get<{ member: { id: string } }>("/v1/admin/session");
    const id = await createId(operator, "/v1/admin/directories", newDirectory());
    await organizationOf(operator).linkDirectory(body.member.id, id);
    return { ids: { linked_directory_id: id } };
  },
  callerIds: ["linked_directory_id"],
};

export const signInSamples = {
  listLinkedDirectories: {},
  unlinkDirectory: ownLink,
  getSetUp: {},
  setUp: {
    body: () => ({
      token: "the token of a link",
      name: nextName(),
      email: nextEmail(),
      password: MEMBER_PASSWORD,
    }),
  },
  createSetUpLink: {},
  listOwners: {},
  resetOwner: {
    needs: ["member_id"],
    body: () => ({ email: "stranger@example.com" }),
    prepareCaller: async (operator, { member_id }) => {
      const url = `/v1/admin/members/${member_id}`;
      const { body } = await operator.post<{ email: string }>(url, { role: "owner" });
      return { body: { email: body.email } };
    },
  },
  signIn: { body: () => ({ email: nextEmail(), password: MEMBER_PASSWORD }) },
  signInWithTwoFactor: { body: () => ({ code: "000000" }) },
  getSignInPasskeyOptions: {},
  signInWithPasskey: { body: () => ({ passkey: noAssertion }) },
  listSignInDirectories: {},
  beginDirectorySignIn: { body: () => ({ sign_in_again: true }) },
  completeDirectorySignIn: { body: () => ({ response: "code=unknown&state=unknown" }) },
  requestDirectoryLinkMail: {},
  confirmDirectoryLink: { body: () => ({ token: "the token of a message" }) },
  requestPasswordReset: { body: () => ({ email: nextEmail() }) },
  confirmPasswordReset: {
    body: () => ({ token: "the token of a link", password: MEMBER_PASSWORD }),
  },

  getSession: {},
  updateProfile: renamed,
  getPreferences: {},
  updatePreferences: {
    body: () => ({
      time_zone: "Europe/Berlin",
      saved_views: [{ page: "/api-keys", name: nextName(), search: "?show=all" }],
    }),
  },
  signOut: {},
  listSessions: {},
  endSession: {
    prepareCaller: async (client) => {
      const { body } = await client.get<{ session_id: string }>("/v1/admin/session");
      return { ids: { session_id: body.session_id } };
    },
    callerIds: ["session_id"],
  },
  signOutEverywhere: { body: () => ({ keep_current: true }) },
  stepUp: { body: () => ({ password: MEMBER_PASSWORD }) },
  getStepUpPasskeyOptions: {},
  changePassword: {
    body: () => ({
      current_password: MEMBER_PASSWORD,
      new_password: "another good sentence, not the first",
    }),
  },
  enableTotp: {},
  confirmTotp: {
    body: () => ({ code: "000000" }),
    prepareCaller: async (client) => ({ body: { code: await beginTotp(client) } }),
  },
  disableTotp: { prepareCaller: withTotp },
  replaceBackupCodes: { prepareCaller: withTotp },
  listPasskeys: {},
  getNewPasskeyOptions: {},
  addPasskey: {
    body: () => ({ name: "Key", passkey: noPasskey }),
    prepareCaller: async (client) => ({ body: { passkey: await answerNewPasskey(client) } }),
  },
  renamePasskey: { ...renamed, ...ownPasskey },
  removePasskey: ownPasskey,
} satisfies Samples;

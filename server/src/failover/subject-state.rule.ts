import type { KeyPermission, OrganizationRole, Rank } from "@bursar/contract/permissions.ts";
import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import type { GroupModels } from "#src/domain/group-models.ts";
import type { PersonalKeyRules } from "#src/domain/wider-access.ts";

// Fields of a subject that a change can restrict.
// Times of states are milliseconds since the epoch. Null: none.

export interface SecretState {
  id: string;
  /** SHA-256 of the secret in hex, to recognize or restore the row. */
  hash: string;
  hint: string;
  createdAtMs: number;
  /** Null: the current secret. */
  validUntilMs: number | null;
}

/** Restrictions of a key that callers of one rank have set. */
export interface RankState {
  rank: Rank;
  isDisabled: boolean;
  allowedModels: string[] | null;
  allowedAddresses: string[] | null;
  expiresAtMs: number | null;
  setByType: string;
  setById: string;
  setAtMs: number;
}

export type ApiKeyState = {
  type: "api_key";
  id: string;
  status: "active" | "inactive" | "archived";
  permission: KeyPermission;
  ownerMemberId: string | null;
  expiresAtMs: number | null;
  allowedModels: string[] | null;
  allowedAddresses: string[] | null;
  /** Origins whose pages can use the key. Null: no pages. */
  allowedOrigins: string[] | null;
  /** Directory of the users that requests of the key name. Null: no users. */
  userDirectoryId: string | null;
  /** Null without a directory. */
  requiresUser: boolean | null;
  ranks: RankState[];
  secrets: SecretState[];
};

export type RememberedApiKey = Omit<ApiKeyState, "secrets"> & {
  secrets: (SecretState & { row: SignedRow })[];
};

export type AdminKeyState = {
  type: "admin_key";
  id: string;
  status: "active" | "inactive" | "revoked";
  expiresAtMs: number | null;
};

export type WorkspaceState = {
  type: "workspace";
  id: string;
  archivedAtMs: number | null;
  personalKeys: PersonalKeyRules;
};

export type MemberState = {
  type: "member";
  id: string;
  status: "active" | "deactivated" | "removed";
  role: OrganizationRole;
  workspaces: { id: string; role: GivenWorkspaceRole }[];
  groupIds: string[];
  sessionIds: string[];
};

/** A row as JSON, whose MAC proves that this installation wrote it. */
export interface SignedRow {
  readonly [column: string]:
    | string
    | number
    | readonly string[]
    | { readonly [name: string]: unknown }
    | null;
}

/** Membership of a group, as remembered. */
export interface Membership {
  groupId: string;
  row: SignedRow;
  /** Row of the directory's list. Null: the directory does not list the member. */
  listed: SignedRow | null;
  /** Directories whose claims state the membership. */
  directoryIds: string[];
}

export type RememberedMember = MemberState & { memberships: Membership[] };

/** A deleted group has no roles and no list of models. */
export type GroupState = {
  type: "group";
  id: string;
  models: GroupModels;
  workspaces: { id: string; role: GivenWorkspaceRole }[];
};

/** Row null: the group was deleted. */
export type RememberedGroup = GroupState & { row: SignedRow | null };

export type InviteState = {
  type: "invite";
  id: string;
  /** Null: no member. */
  inviterMemberId: string | null;
  revokedAtMs: number | null;
};

export type SubjectState =
  | RememberedApiKey
  | AdminKeyState
  | WorkspaceState
  | RememberedMember
  | RememberedGroup
  | InviteState;

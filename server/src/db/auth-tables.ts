import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import type { ColumnType, Generated } from "kysely";

// Rows that prove a member's identity: passwords, second factors, sessions, links, directories, and secrets that wait for their owner.

export interface AuthTables {
  waiting_secret: WaitingSecretTable;
  auth_user: AuthUserTable;
  auth_account: AuthAccountTable;
  auth_session: AuthSessionTable;
  auth_two_factor: AuthTwoFactorTable;
  auth_passkey: AuthPasskeyTable;
  auth_device: AuthDeviceTable;
  auth_attempt: AuthAttemptTable;
  set_up_link: SetUpLinkTable;
  directory: DirectoryTable;
  directory_identity: DirectoryIdentityTable;
  directory_sign_in: DirectorySignInTable;
  directory_session: DirectorySessionTable;
  directory_role: DirectoryRoleTable;
  directory_group: DirectoryGroupTable;
  claimed_membership: ClaimedMembershipTable;
  directory_logout: DirectoryLogoutTable;
  owner_recovery: OwnerRecoveryTable;
}

interface WaitingSecretTable {
  id: string;
  organization_id: string;
  api_key_id: string;
  member_id: string;
  secret_sealed: Uint8Array;
  reason: "created" | "rotated";
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  expires_at: Date;
}

interface AuthUserTable {
  id: string;
  name: Generated<string>;
  email: string;
  email_verified: Generated<boolean>;
  two_factor_enabled: Generated<boolean>;
}

interface AuthAccountTable {
  id: string;
  user_id: string;
  provider_id: string;
  account_id: string;
  password: string | null;
  updated_at: Generated<Date>;
}

interface AuthSessionTable {
  id: string;
  token: string;
  user_id: string;
  expires_at: Date;
  ip_address: string | null;
  user_agent: string | null;
  started_at: Date;
  last_used_at: Date;
  stepped_up_at: Date | null;
  mac: Uint8Array | null;
}

interface AuthTwoFactorTable {
  id: string;
  user_id: string;
  secret: string;
  backup_codes: string;
  verified: Generated<boolean>;
}

interface AuthPasskeyTable {
  id: string;
  user_id: string;
  name: string | null;
  credential_id: string;
  device_type: string;
  backed_up: boolean;
  transports: string | null;
  aaguid: string | null;
  created_at: ColumnType<Date, Date | undefined, never>;
  last_used_at: Date | null;
}

interface AuthDeviceTable {
  id: string;
  user_id: string;
  token_hash: Uint8Array;
  created_at: Date;
  last_used_at: Date;
}

interface AuthAttemptTable {
  key: string;
  full_at: Date;
  failures: Generated<number>;
  failing_since: Date | null;
}

interface DirectoryTable {
  id: string;
  organization_id: string;
  name: string;
  issuer: string;
  client_id: string | null;
  client_secret_sealed: Uint8Array | null;
  is_enabled: boolean;
  allowed_domains: string[];
  default_role: Exclude<OrganizationRole, "owner">;
  second_factor: "claims" | "trusted" | "here";
  role_claim: Generated<string | null>;
  group_claim: Generated<string | null>;
  created_at: Date;
  updated_at: Date;
}

interface DirectoryRoleTable {
  directory_id: string;
  value: string;
  role: Exclude<OrganizationRole, "owner">;
}

interface DirectoryGroupTable {
  directory_id: string;
  value: string;
  group_id: string;
}

interface ClaimedMembershipTable {
  directory_id: string;
  group_id: string;
  member_id: string;
}

interface DirectoryIdentityTable {
  directory_id: string;
  issuer: string;
  subject: string;
  member_id: string;
  external_id: string | null;
  created_at: Date;
  last_used_at: Date;
}

interface DirectorySignInTable {
  token_hash: Uint8Array;
  directory_id: string;
  step: "begun" | "proved" | "linking";
  member_id: string | null;
  subject: string | null;
  provider_session: string | null;
  has_second_factor: boolean | null;
  authenticated_at: Date | null;
  claimed_roles: Generated<string[] | null>;
  claimed_groups: Generated<string[] | null>;
  mail_token_hash: Uint8Array | null;
  expires_at: Date;
}

interface DirectorySessionTable {
  session_id: string;
  directory_id: string;
  subject: string;
  provider_session: string | null;
  has_second_factor: boolean;
}

interface DirectoryLogoutTable {
  directory_id: string;
  token_id_hash: Uint8Array;
  expires_at: Date;
}

interface OwnerRecoveryTable {
  member_id: string;
  expires_at: Date;
}

interface SetUpLinkTable {
  token_hash: Uint8Array;
  organization_id: string;
  created_at: Date;
  expires_at: Date;
}

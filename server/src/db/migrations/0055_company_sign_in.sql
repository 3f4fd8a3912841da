-- Roles and groups from claims, sign-in through directories only, and logouts at providers.

-- Names of claims with roles and groups. Null: none.
ALTER TABLE directory ADD COLUMN role_claim text, ADD COLUMN group_claim text;

CREATE TABLE directory_role (
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  -- Value of the claim.
  value text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'developer', 'billing', 'user', 'claude_code_user')),
  PRIMARY KEY (directory_id, value)
);

CREATE TABLE directory_group (
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  value text NOT NULL,
  group_id text NOT NULL REFERENCES member_group (id) ON DELETE CASCADE,
  PRIMARY KEY (directory_id, value, group_id)
);
CREATE INDEX directory_group_of_group ON directory_group (group_id);

-- Memberships that the claims of a directory state. Several directories can state the same one.
CREATE TABLE claimed_membership (
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  group_id text NOT NULL,
  member_id text NOT NULL,
  PRIMARY KEY (group_id, member_id, directory_id),
  FOREIGN KEY (group_id, member_id) REFERENCES group_member (group_id, member_id) ON DELETE CASCADE
);
CREATE INDEX claimed_membership_of_directory ON claimed_membership (directory_id, member_id);

-- Mapped values of the claims. Null: the directory maps none.
ALTER TABLE directory_sign_in ADD COLUMN claimed_roles text[], ADD COLUMN claimed_groups text[];

-- Members sign in through a directory only.
ALTER TABLE security_settings ADD COLUMN company_sign_in_only boolean NOT NULL DEFAULT false;

-- Owners who may sign in with a password meanwhile.
CREATE TABLE owner_recovery (
  member_id text PRIMARY KEY REFERENCES member (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);

-- Logout tokens of providers, until they expire. Each works once.
CREATE TABLE directory_logout (
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  token_id_hash bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (directory_id, token_id_hash)
);
CREATE INDEX directory_logout_expiry ON directory_logout (expires_at);

-- Identity providers of companies. People sign in there, by OpenID Connect.
CREATE TABLE directory (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  issuer text NOT NULL,
  -- Null: not registered at the provider yet.
  client_id text,
  -- Null: a public client, which has PKCE alone.
  client_secret_sealed bytea,
  is_enabled boolean NOT NULL,
  -- Domains of addresses that may sign in. Empty: none.
  allowed_domains text[] NOT NULL,
  -- Role of a member whom a first sign-in creates.
  default_role text NOT NULL CHECK (default_role IN ('admin', 'developer', 'billing', 'user', 'claude_code_user')),
  second_factor text NOT NULL CHECK (second_factor IN ('claims', 'trusted', 'here')),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (NOT is_enabled OR client_id IS NOT NULL)
);
CREATE UNIQUE INDEX directory_issuer ON directory (organization_id, issuer);

-- A person at a provider, and the member. The row outlives the member's access, so that a removed person does not return.
CREATE TABLE directory_identity (
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  issuer text NOT NULL,
  subject text NOT NULL,
  member_id text NOT NULL REFERENCES member (id),
  -- Id of the person in the directory's feed.
  external_id text,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  PRIMARY KEY (directory_id, issuer, subject)
);
CREATE UNIQUE INDEX directory_identity_member ON directory_identity (directory_id, member_id);
CREATE INDEX directory_identity_of_member ON directory_identity (member_id);

-- A sign-in under way, of one browser. Its cookie has the token, from which state, nonce and code verifier are derived.
CREATE TABLE directory_sign_in (
  token_hash bytea PRIMARY KEY,
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  -- 'begun': the browser is at the provider. 'proved': the member's own second factor is pending. 'linking': the member has to
  -- confirm that the person at the provider is the same.
  step text NOT NULL CHECK (step IN ('begun', 'proved', 'linking')),
  member_id text REFERENCES member (id),
  subject text,
  provider_session text,
  has_second_factor boolean,
  authenticated_at timestamptz,
  -- Token of the message that confirms a link.
  mail_token_hash bytea,
  expires_at timestamptz NOT NULL,
  CHECK ((step <> 'begun') = (member_id IS NOT NULL AND subject IS NOT NULL))
);
CREATE INDEX directory_sign_in_expiry ON directory_sign_in (expires_at);

-- Sessions that a directory has started.
CREATE TABLE directory_session (
  session_id text PRIMARY KEY REFERENCES auth_session (id) ON DELETE CASCADE,
  directory_id text NOT NULL REFERENCES directory (id) ON DELETE CASCADE,
  subject text NOT NULL,
  -- Session id of the provider. Null: the provider sends none.
  provider_session text,
  -- The provider vouches for a second factor.
  has_second_factor boolean NOT NULL
);
CREATE INDEX directory_session_of_subject ON directory_session (directory_id, subject);

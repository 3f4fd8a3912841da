-- Signing in. The tables auth_user … auth_passkey are written by better-auth (identity/); what is added to them for us
-- says so. Nothing here lets anybody in by itself: tokens are hashes, passwords are scrypt hashes, the secrets of
-- authenticator apps are sealed with a key that is not in the database.

-- The identity of a member, with the same id. Who the member is stands in the member's own row: `email` is made of the id,
-- since better-auth looks people up by an address and takes fewer kinds of them than mail does.
CREATE TABLE auth_user (
  id text PRIMARY KEY REFERENCES member (id),
  name text NOT NULL DEFAULT '',
  email text NOT NULL UNIQUE,
  email_verified boolean NOT NULL DEFAULT false,
  image text,
  two_factor_enabled boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Ways to prove to be that member; "credential" is the password.
CREATE TABLE auth_account (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
  provider_id text NOT NULL,
  account_id text NOT NULL,
  password text,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider_id, account_id)
);
CREATE INDEX auth_account_by_user ON auth_account (user_id);

CREATE TABLE auth_session (
  id text PRIMARY KEY,
  -- SHA-256 of the cookie's name and token, in hex.
  token text NOT NULL UNIQUE,
  user_id text NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  ip_address text,
  user_agent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- Ours, on the database's clock.
  started_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  stepped_up_at timestamptz
);
CREATE INDEX auth_session_by_user ON auth_session (user_id, started_at);
CREATE INDEX auth_session_by_last_use ON auth_session (last_used_at);

-- Steps that are waited for: a second factor, a passkey's answer, a password reset. Identifiers are hashes.
CREATE TABLE auth_verification (
  id text PRIMARY KEY,
  identifier text NOT NULL,
  value text NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX auth_verification_by_identifier ON auth_verification (identifier);
CREATE INDEX auth_verification_by_expiry ON auth_verification (expires_at);

CREATE TABLE auth_two_factor (
  id text PRIMARY KEY,
  user_id text NOT NULL UNIQUE REFERENCES auth_user (id) ON DELETE CASCADE,
  -- Sealed.
  secret text NOT NULL,
  backup_codes text NOT NULL,
  verified boolean NOT NULL DEFAULT false,
  failed_verification_count integer NOT NULL DEFAULT 0,
  locked_until timestamptz
);

-- Codes of authenticator apps that were used within their time: each counts once.
CREATE TABLE auth_used_code (
  user_id text NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
  code text NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, code)
);

CREATE TABLE auth_passkey (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
  name text,
  public_key text NOT NULL,
  credential_id text NOT NULL UNIQUE,
  -- Of signatures, unsigned 32 bits: exact in a double, which the driver gives as a number.
  counter double precision NOT NULL,
  device_type text NOT NULL,
  backed_up boolean NOT NULL,
  transports text,
  aaguid text,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Ours.
  last_used_at timestamptz
);
CREATE INDEX auth_passkey_by_user ON auth_passkey (user_id);

-- Browsers in which a member has signed in: somebody else's failed attempts do not slow these down.
CREATE TABLE auth_device (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES auth_user (id) ON DELETE CASCADE,
  token_hash bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL
);
CREATE INDEX auth_device_by_user ON auth_device (user_id, last_used_at);

-- How fast somebody may try: `full_at` is when the allowance will be used up by nobody any more. Failures are counted for
-- the audit log.
CREATE TABLE auth_attempt (
  key text PRIMARY KEY,
  full_at timestamptz NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  failing_since timestamptz
);
CREATE INDEX auth_attempt_by_time ON auth_attempt (full_at);

-- One-time links to the set-up page; of no use once the organization has an owner.
CREATE TABLE set_up_link (
  token_hash bytea PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);

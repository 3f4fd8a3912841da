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

-- Neutral features of requests, beside the shipped ones.
CREATE TABLE neutral_feature (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  kind text NOT NULL CHECK (kind IN ('field', 'tool', 'block', 'edit')),
  name text NOT NULL,
  effect text NOT NULL,
  source text NOT NULL,
  is_in_prompt boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (organization_id, kind, name)
);

-- Access reviews: what was reviewed, who decided what, and what came of it. Nothing of it is ever deleted: it is evidence.

CREATE TABLE access_review (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organization (id),
  name text NOT NULL,
  -- Paths of access that are reviewed, and the workspaces where (null: all of them).
  scope_paths text[] NOT NULL CHECK (cardinality(scope_paths) > 0),
  scope_workspace_ids text[] CHECK (cardinality(scope_workspace_ids) > 0),
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'applying', 'closed', 'cancelled')),
  if_no_answer text NOT NULL CHECK (if_no_answer IN ('keep', 'remove', 'as_recommended')),
  inactive_days integer NOT NULL CHECK (inactive_days BETWEEN 1 AND 365),
  due_at timestamptz NOT NULL,
  -- Days after due_at when it closes by itself; null: somebody closes it.
  auto_close_days integer CHECK (auto_close_days BETWEEN 0 AND 90),
  recurrence text NOT NULL CHECK (recurrence IN ('none', 'monthly', 'quarterly', 'yearly')),
  -- Where the review stands in its series: it should have begun then, and the series did at first_begins_at.
  begins_at timestamptz NOT NULL,
  first_begins_at timestamptz NOT NULL,
  previous_id text UNIQUE REFERENCES access_review (id),
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamptz NOT NULL,
  -- Of the end, be it closed or cancelled.
  ended_by_type text,
  ended_by_id text,
  ended_at timestamptz,
  CHECK ((status = 'open') = (ended_at IS NULL))
);
CREATE INDEX access_review_by_organization ON access_review (organization_id, created_at, id);
CREATE INDEX access_review_running ON access_review (due_at) WHERE status IN ('open', 'applying');
CREATE INDEX access_review_recurring ON access_review (begins_at) WHERE recurrence <> 'none';

CREATE TABLE access_review_reviewer (
  access_review_id text NOT NULL REFERENCES access_review (id),
  member_id text NOT NULL REFERENCES member (id),
  PRIMARY KEY (access_review_id, member_id)
);
CREATE INDEX access_review_reviewer_by_member ON access_review_reviewer (member_id);

-- One access of somebody or something, as it was when the review began.
CREATE TABLE access_review_item (
  id text PRIMARY KEY,
  access_review_id text NOT NULL REFERENCES access_review (id),
  position integer NOT NULL,
  path text NOT NULL CHECK (path IN ('organization_role', 'workspace_role', 'member_key', 'workspace_key', 'admin_key')),
  -- The role, or the permission of the key.
  role text NOT NULL,
  -- Whose access it is; null for keys that nobody owns.
  member_id text REFERENCES member (id),
  -- Where; null: in the whole organization.
  workspace_id text REFERENCES workspace (id),
  api_key_id text REFERENCES api_key (id),
  admin_key_id text REFERENCES admin_key (id),
  snapshot jsonb NOT NULL,
  signals text[] NOT NULL,
  recommendation text NOT NULL CHECK (recommendation IN ('keep', 'remove')),
  decision text CHECK (decision IN ('keep', 'remove', 'not_sure')),
  reason text,
  decided_by_id text REFERENCES member (id),
  decided_at timestamptz,
  is_self_review boolean NOT NULL DEFAULT false,
  result text CHECK (result IN ('kept', 'removed', 'already_gone', 'not_applied')),
  result_message text,
  applied_at timestamptz,
  UNIQUE (access_review_id, position),
  CHECK ((decision IS NULL) = (decided_by_id IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
  CHECK ((result IS NULL) = (applied_at IS NULL))
);
CREATE INDEX access_review_item_to_apply ON access_review_item (access_review_id, position) WHERE result IS NULL;

-- Messages that were sent to reviewers, each once.
CREATE TABLE access_review_reminder (
  access_review_id text NOT NULL REFERENCES access_review (id),
  member_id text NOT NULL REFERENCES member (id),
  kind text NOT NULL CHECK (kind IN ('asked', 'due_in_7_days', 'due_in_1_day', 'overdue')),
  sent_at timestamptz NOT NULL,
  PRIMARY KEY (access_review_id, member_id, kind)
);

-- Ed25519 keys that sign evidence. The private half is sealed with the installation's secret, bound to the row and the
-- public half, so that nobody who only has the database can add one that counts.
CREATE TABLE evidence_key (
  id text PRIMARY KEY,
  organization_id uuid NOT NULL UNIQUE REFERENCES organization (id),
  public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
  private_key_sealed bytea NOT NULL,
  created_at timestamptz NOT NULL
);

-- How often the keys of a workspace must get a new secret.
CREATE TABLE rotation_policy (
  workspace_id text PRIMARY KEY REFERENCES workspace (id),
  rotation_days integer NOT NULL CHECK (rotation_days BETWEEN 1 AND 3650),
  remind_days integer NOT NULL CHECK (remind_days BETWEEN 1 AND 90),
  grace_days integer NOT NULL CHECK (grace_days BETWEEN 1 AND 365),
  -- Since when these numbers hold. No key is late before somebody could be reminded.
  effective_at timestamptz NOT NULL
);

-- What was said about a secret's age, and done; each once for a secret.
CREATE TABLE rotation_notice (
  api_key_secret_id bigint NOT NULL REFERENCES api_key_secret (id),
  kind text NOT NULL CHECK (kind IN ('due', 'overdue', 'expired')),
  policy_effective_at timestamptz NOT NULL,
  sent_at timestamptz NOT NULL,
  PRIMARY KEY (api_key_secret_id, kind, policy_effective_at)
);

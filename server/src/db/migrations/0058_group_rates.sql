-- Rate limits of members and groups. `group_member` is the default rate of each member of a group, and has no bucket.

ALTER TABLE rate_limit DROP CONSTRAINT rate_limit_scope_type_check, ADD CONSTRAINT rate_limit_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'group_member'));
ALTER TABLE rate_limit_value DROP CONSTRAINT rate_limit_value_scope_type_check,
  ADD CONSTRAINT rate_limit_value_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'group_member'));

-- Defaults that apply to members, one for each rank. The limits in force of members are rows of rate_limit.
CREATE TABLE member_default_rate (
  organization_id uuid NOT NULL REFERENCES organization (id),
  member_id text NOT NULL REFERENCES member (id),
  model_group text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('requests', 'input_tokens', 'output_tokens')),
  rank text NOT NULL CHECK (rank IN ('machine', 'owner', 'admin', 'workspace', 'holder')),
  group_id text NOT NULL,
  per_minute integer NOT NULL CHECK (per_minute > 0),
  PRIMARY KEY (member_id, model_group, kind, rank)
);

-- Access reviews list roles of groups apart from assigned ones.
ALTER TABLE access_review_item DROP CONSTRAINT access_review_item_path_check,
  ADD CONSTRAINT access_review_item_path_check CHECK (path IN ('organization_role', 'workspace_role', 'group_role',
    'member_key', 'workspace_key', 'admin_key'));

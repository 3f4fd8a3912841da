-- Limits of members, groups and tags. `group_member` is the default limit of each member of a group, and has no balance.

ALTER TABLE balance DROP CONSTRAINT balance_scope_type_check, ADD CONSTRAINT balance_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE spend_limit DROP CONSTRAINT spend_limit_scope_type_check, ADD CONSTRAINT spend_limit_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag', 'group_member'));
ALTER TABLE spend_limit_value DROP CONSTRAINT spend_limit_value_scope_type_check,
  ADD CONSTRAINT spend_limit_value_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag', 'group_member'));
ALTER TABLE alert_episode DROP CONSTRAINT alert_episode_scope_type_check,
  ADD CONSTRAINT alert_episode_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE alert_firing DROP CONSTRAINT alert_firing_scope_type_check, ADD CONSTRAINT alert_firing_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));
ALTER TABLE spend_limit_increase_request DROP CONSTRAINT spend_limit_increase_request_scope_type_check,
  ADD CONSTRAINT spend_limit_increase_request_scope_type_check
  CHECK (scope_type IN ('organization', 'workspace', 'api_key', 'member', 'group', 'tag'));

-- Scopes of the adjusted request. An adjustment of version 0.1 has the member of its request.
ALTER TABLE spend_adjustment ADD COLUMN member_id text NOT NULL DEFAULT '',
  ADD COLUMN group_ids text NOT NULL DEFAULT '', ADD COLUMN tag_ids text NOT NULL DEFAULT '';
UPDATE spend_adjustment AS adjustment SET member_id = coalesce(request.member_id, '')
FROM recorded_request AS request
WHERE request.started_at = adjustment.started_at AND request.request_id = adjustment.request_id
  AND request.request_hash = hashtextextended(adjustment.request_id, 0);

-- How a member of several groups gets one default.
ALTER TABLE organization ADD COLUMN group_limit_mode text NOT NULL DEFAULT 'highest'
  CHECK (group_limit_mode IN ('highest', 'lowest'));

-- Defaults that apply to members, one for each rank. The limits in force of members are rows of spend_limit.
CREATE TABLE member_default_limit (
  organization_id uuid NOT NULL REFERENCES organization (id),
  member_id text NOT NULL REFERENCES member (id),
  period text NOT NULL CHECK (period IN ('daily', 'weekly', 'monthly')),
  rank text NOT NULL CHECK (rank IN ('machine', 'owner', 'admin', 'workspace', 'holder')),
  group_id text NOT NULL,
  amount_nano_usd bigint NOT NULL,
  enforcement text NOT NULL,
  open_ended_hold_nano_usd bigint,
  unknown_features text NOT NULL DEFAULT 'hold',
  PRIMARY KEY (member_id, period, rank)
);

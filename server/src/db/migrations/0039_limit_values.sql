-- Spend limits and rate limits, one value for each rank.

-- spend_limit and rate_limit keep the limit in force, which is computed from the values. Nodes read only that. Versions before
-- 0.2 write only that: a limit unlike its values replaces them (limits/limit-values.rule.ts).
-- rank: one of `ranks` in contract/src/permissions.ts. set_by_type, set_by_id: null where no event of the audit log tells.
CREATE TABLE spend_limit_value (
  organization_id uuid NOT NULL REFERENCES organization (id),
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  period text NOT NULL CHECK (period IN ('daily', 'weekly', 'monthly')),
  rank text NOT NULL CHECK (rank IN ('machine', 'owner', 'admin', 'workspace', 'holder')),
  amount_nano_usd bigint NOT NULL CHECK (amount_nano_usd >= 0),
  enforcement text NOT NULL CHECK (enforcement IN ('strict', 'soft', 'alert_only')),
  open_ended_hold_nano_usd bigint CHECK (open_ended_hold_nano_usd > 0),
  set_by_type text,
  set_by_id text,
  set_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope_id, scope_type, period, rank)
);

CREATE TABLE rate_limit_value (
  organization_id uuid NOT NULL REFERENCES organization (id),
  scope_type text NOT NULL CHECK (scope_type IN ('organization', 'workspace', 'api_key')),
  scope_id text NOT NULL,
  model_group text NOT NULL,
  rank text NOT NULL CHECK (rank IN ('machine', 'owner', 'admin', 'workspace', 'holder')),
  requests_per_minute integer CHECK (requests_per_minute > 0),
  input_tokens_per_minute integer CHECK (input_tokens_per_minute > 0),
  output_tokens_per_minute integer CHECK (output_tokens_per_minute > 0),
  set_by_type text,
  set_by_id text,
  set_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope_id, scope_type, model_group, rank),
  CHECK (num_nonnulls(requests_per_minute, input_tokens_per_minute, output_tokens_per_minute) > 0)
);

-- The audit log tells who set a limit last. Limits of the organization and of workspaces become values of an Admin, also those
-- that the workspace set. Limits of keys that the workspace set stay its own.
INSERT INTO spend_limit_value (organization_id, scope_type, scope_id, period, rank, amount_nano_usd, enforcement,
  open_ended_hold_nano_usd, set_by_type, set_by_id, set_at)
SELECT l.organization_id, l.scope_type, l.scope_id, l.period,
  CASE WHEN l.scope_type = 'api_key' AND (e.actor_type = 'api_key' OR m.role NOT IN ('owner', 'admin', 'billing'))
    THEN 'workspace' ELSE 'admin' END,
  l.amount_nano_usd, l.enforcement, l.open_ended_hold_nano_usd, e.actor_type, e.actor_id, l.updated_at
FROM spend_limit l
LEFT JOIN LATERAL (SELECT actor_type, actor_id FROM audit_event
  WHERE organization_id = l.organization_id AND subject_id = l.id AND event = 'spend_limit.set'
  ORDER BY seq DESC LIMIT 1) e ON true
LEFT JOIN member m ON e.actor_type = 'member' AND m.id = e.actor_id;

INSERT INTO rate_limit_value (organization_id, scope_type, scope_id, model_group, rank, requests_per_minute,
  input_tokens_per_minute, output_tokens_per_minute, set_by_type, set_by_id, set_at)
SELECT l.organization_id, l.scope_type, l.scope_id, l.model_group,
  CASE WHEN l.scope_type = 'api_key' AND (e.actor_type = 'api_key' OR m.role NOT IN ('owner', 'admin', 'billing'))
    THEN 'workspace' ELSE 'admin' END,
  l.requests_per_minute, l.input_tokens_per_minute, l.output_tokens_per_minute, e.actor_type, e.actor_id, l.updated_at
FROM rate_limit l
LEFT JOIN LATERAL (SELECT actor_type, actor_id FROM audit_event
  WHERE organization_id = l.organization_id AND subject_id = l.id AND event = 'rate_limit.set'
  ORDER BY seq DESC LIMIT 1) e ON true
LEFT JOIN member m ON e.actor_type = 'member' AND m.id = e.actor_id;

-- True: a raise of a spend limit needs an increase request that another person approves.
ALTER TABLE security_settings ADD COLUMN raises_need_two_people boolean NOT NULL DEFAULT false;

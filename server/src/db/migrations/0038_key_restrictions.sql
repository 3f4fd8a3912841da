-- Restrictions of API keys, one value for each rank of contract/src/permissions.ts. The columns of api_key are the values in
-- force: the strictest of all ranks. They can be an empty list, which allows nothing.
CREATE TABLE api_key_restriction (
  api_key_id text NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,
  rank text NOT NULL CHECK (rank IN ('machine', 'owner', 'admin', 'workspace', 'holder')),
  is_disabled boolean NOT NULL DEFAULT false,
  allowed_models text[],
  allowed_addresses text[],
  expires_at timestamptz,
  set_by_type text NOT NULL,
  set_by_id text NOT NULL,
  set_at timestamptz NOT NULL,
  PRIMARY KEY (api_key_id, rank)
);
ALTER TABLE api_key DROP CONSTRAINT api_key_allowed_models_check, DROP CONSTRAINT api_key_allowed_addresses_check;

-- lifetime_ends_at: expiry by the organization's maximum lifetime or a rotation policy, which belongs to no rank.
-- archived_rank: rank of the caller that archived the key. Null: not archived, or by a review, a workspace or a leaving.
ALTER TABLE api_key
  ADD COLUMN lifetime_ends_at timestamptz,
  ADD COLUMN archived_rank text CHECK (archived_rank IN ('machine', 'owner', 'admin', 'workspace', 'holder'));
-- Highest number of living personal keys of one member. Null: no limit.
ALTER TABLE security_settings ADD COLUMN max_keys_per_member integer CHECK (max_keys_per_member BETWEEN 1 AND 10000);

UPDATE api_key SET lifetime_ends_at = api_key.expires_at
FROM security_settings AS settings, api_key_secret AS secret
WHERE settings.organization_id = api_key.organization_id AND secret.api_key_id = api_key.id AND secret.valid_until IS NULL
  AND api_key.purpose = 'calls'
  AND api_key.expires_at = secret.created_at + make_interval(hours => 24 * settings.max_key_lifetime_days);

-- Earlier versions did not store who set a value. The audit log knows its last change. A value that the key's owner set
-- belongs to the holder, one of an Admin or an admin key to an Admin. All others belong to a Workspace Admin.
INSERT INTO api_key_restriction (api_key_id, rank, is_disabled, allowed_models, allowed_addresses, expires_at,
  set_by_type, set_by_id, set_at)
SELECT key.id, rank, bool_or(field = 'status'),
  CASE WHEN bool_or(field = 'allowed_models') THEN key.allowed_models END,
  CASE WHEN bool_or(field = 'allowed_addresses') THEN key.allowed_addresses END,
  CASE WHEN bool_or(field = 'expires_at') THEN key.expires_at END,
  coalesce((array_agg(actor_type ORDER BY seq DESC NULLS LAST))[1], 'system'),
  coalesce((array_agg(actor_id ORDER BY seq DESC NULLS LAST))[1], 'earlier_version'),
  coalesce(max(changed_at), date_trunc('milliseconds', now()))
FROM api_key AS key
CROSS JOIN LATERAL (VALUES
    ('status', key.status = 'inactive' AND NOT EXISTS (SELECT FROM held_key WHERE key_id = key.id)),
    ('allowed_models', key.allowed_models IS NOT NULL),
    ('allowed_addresses', key.allowed_addresses IS NOT NULL),
    ('expires_at', key.expires_at IS NOT NULL AND key.lifetime_ends_at IS NULL)) AS restriction (field, is_set)
LEFT JOIN LATERAL (
  SELECT event.seq, event.actor_type, event.actor_id, event.created_at AS changed_at FROM audit_event AS event
  WHERE event.organization_id = key.organization_id AND event.subject_id = key.id
    AND event.after ->> field IS DISTINCT FROM event.before ->> field
  ORDER BY event.seq DESC LIMIT 1) AS changed ON true
LEFT JOIN member ON changed.actor_type = 'member' AND member.id = changed.actor_id
CROSS JOIN LATERAL (SELECT CASE
    WHEN changed.actor_type IN ('admin_key', 'local_operator') OR member.role IN ('owner', 'admin') THEN 'admin'
    WHEN member.id = key.owner_member_id THEN 'holder'
    ELSE 'workspace' END AS rank) AS ranked
WHERE is_set AND key.purpose = 'calls' AND key.status <> 'archived'
GROUP BY key.id, rank;

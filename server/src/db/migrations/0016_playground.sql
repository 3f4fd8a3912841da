-- The playground of the console calls Claude as the person who has the page open: with a key that the person has in the
-- workspace for nothing else, and that works only while a session of the page lasts.
--
-- Such a key has no current secret, only secrets with an end, one for each session. So it stands in no list of keys, in no
-- review and in no count of what needs attention, whatever else a statement forgets; what it was used for is reported
-- like that of every key.

ALTER TABLE api_key ADD COLUMN purpose text NOT NULL DEFAULT 'calls' CHECK (purpose IN ('calls', 'playground'));
ALTER TABLE api_key ADD CONSTRAINT api_key_playground_owner CHECK (purpose = 'calls' OR owner_member_id IS NOT NULL);
CREATE UNIQUE INDEX api_key_playground ON api_key (owner_member_id, workspace_id) WHERE purpose = 'playground';

ALTER TABLE api_key_secret ADD COLUMN playground_session_id text UNIQUE;
-- The sign-in that it was started from: it does not outlive that.
ALTER TABLE api_key_secret ADD COLUMN auth_session_id text REFERENCES auth_session (id) ON DELETE CASCADE;
CREATE INDEX api_key_secret_by_session ON api_key_secret (auth_session_id) WHERE auth_session_id IS NOT NULL;
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_session_end
  CHECK (playground_session_id IS NULL OR valid_until IS NOT NULL);

-- Rules of a workspace for keys that members create for themselves. Earlier versions read none of these columns.
ALTER TABLE workspace
  ADD COLUMN personal_keys text NOT NULL DEFAULT 'off' CHECK (personal_keys IN ('off', 'members', 'everyone')),
  -- Models that new personal keys can use. Null: all.
  ADD COLUMN personal_key_models text[] CHECK (cardinality(personal_key_models) > 0),
  -- Longest lifetime of new personal keys, days. Null: that of the organization.
  ADD COLUMN personal_key_lifetime_days integer CHECK (personal_key_lifetime_days > 0),
  -- Highest number of working personal keys of each member. Null: no maximum.
  ADD COLUMN personal_keys_per_member integer CHECK (personal_keys_per_member > 0);

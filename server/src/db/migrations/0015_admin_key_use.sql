-- When an admin key was used last, and from where. Of a key that is older than this note nobody knows what it did before:
-- it counts as unused from uses_noted_since on, and not from the day it was made. Null: all its uses are noted.
ALTER TABLE admin_key
  ADD COLUMN last_used_at timestamptz,
  ADD COLUMN last_used_address text,
  ADD COLUMN uses_noted_since timestamptz;

UPDATE admin_key SET uses_noted_since = now();

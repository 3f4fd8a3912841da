-- Security settings of the organization: who needs a second factor, how long sessions last, and where they work.
ALTER TABLE security_settings
  ADD COLUMN second_factor text NOT NULL DEFAULT 'off'
    CHECK (second_factor IN ('off', 'admins', 'all')),
  -- Null: 30 days.
  ADD COLUMN session_hours integer CHECK (session_hours BETWEEN 1 AND 720),
  -- Null: 7 days.
  ADD COLUMN session_idle_hours integer CHECK (session_idle_hours BETWEEN 1 AND 168),
  -- Addresses and CIDR ranges from which sessions work. Null: all.
  ADD COLUMN console_addresses text[],
  ADD COLUMN min_password_length integer NOT NULL DEFAULT 12
    CHECK (min_password_length BETWEEN 12 AND 64);

-- The schema after all migrations. Made by `node server/src/db/dump-schema.ts`; not read by the program.
-- server/test/schema.test.ts fails when it and the migrations differ.

CREATE TABLE access_review (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  scope_paths text[] NOT NULL,
  scope_workspace_ids text[],
  status text DEFAULT 'open'::text NOT NULL,
  if_no_answer text NOT NULL,
  inactive_days integer NOT NULL,
  due_at timestamp with time zone NOT NULL,
  auto_close_days integer,
  recurrence text NOT NULL,
  begins_at timestamp with time zone NOT NULL,
  first_begins_at timestamp with time zone NOT NULL,
  previous_id text,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  ended_by_type text,
  ended_by_id text,
  ended_at timestamp with time zone,
  next_reviewer_ids text[]
);
CREATE TABLE access_review_item (
  id text NOT NULL,
  access_review_id text NOT NULL,
  "position" integer NOT NULL,
  path text NOT NULL,
  role text NOT NULL,
  member_id text,
  workspace_id text,
  api_key_id text,
  admin_key_id text,
  snapshot jsonb NOT NULL,
  signals text[] NOT NULL,
  recommendation text NOT NULL,
  decision text,
  reason text,
  decided_by_id text,
  decided_at timestamp with time zone,
  is_self_review boolean DEFAULT false NOT NULL,
  result text,
  result_message text,
  applied_at timestamp with time zone
);
CREATE TABLE access_review_reminder (
  access_review_id text NOT NULL,
  member_id text NOT NULL,
  kind text NOT NULL,
  sent_at timestamp with time zone NOT NULL
);
CREATE TABLE access_review_reviewer (
  access_review_id text NOT NULL,
  member_id text NOT NULL
);
CREATE TABLE access_token_key (
  id text NOT NULL,
  key_sealed bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  used_from timestamp with time zone NOT NULL
);
CREATE TABLE admin_key (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  status text DEFAULT 'active'::text NOT NULL,
  secret_hash bytea NOT NULL,
  partial_key_hint text NOT NULL,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  last_used_address text,
  uses_noted_since timestamp with time zone,
  mac bytea,
  scopes text[],
  allowed_addresses text[],
  contact_member_id text
);
CREATE TABLE alert (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  includes_below boolean NOT NULL,
  condition jsonb NOT NULL,
  notifies_owner boolean DEFAULT false NOT NULL,
  is_enabled boolean DEFAULT true NOT NULL,
  muted_until timestamp with time zone,
  version integer DEFAULT 1 NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  deleted_at timestamp with time zone,
  collect_minutes integer DEFAULT 0 NOT NULL
);
CREATE TABLE alert_channel (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  recipients jsonb,
  target_sealed bytea,
  target_hint text,
  is_enabled boolean DEFAULT true NOT NULL,
  paused_at timestamp with time zone,
  pause_reason text,
  failures_in_a_row integer DEFAULT 0 NOT NULL,
  failing_since timestamp with time zone,
  version integer DEFAULT 1 NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  archived_at timestamp with time zone
);
CREATE TABLE alert_channel_secret (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  alert_channel_id text NOT NULL,
  secret_sealed bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone
);
CREATE TABLE alert_delivery (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  alert_firing_id text,
  alert_channel_id text,
  status text NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  last_status integer,
  last_error text,
  last_attempt_at timestamp with time zone,
  created_at timestamp with time zone NOT NULL,
  sent_at timestamp with time zone,
  resolved_at timestamp with time zone,
  batch_id text,
  collects_until timestamp with time zone
);
CREATE TABLE alert_delivery_firing (
  alert_delivery_id text NOT NULL,
  alert_firing_id text NOT NULL
);
CREATE TABLE alert_episode (
  alert_id text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  began_at timestamp with time zone NOT NULL,
  last_seen_at timestamp with time zone NOT NULL
);
CREATE TABLE alert_firing (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  alert_id text NOT NULL,
  kind text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  workspace_id text,
  episode text NOT NULL,
  threshold text NOT NULL,
  facts jsonb NOT NULL,
  is_muted boolean NOT NULL,
  fired_at timestamp with time zone NOT NULL,
  acknowledged_at timestamp with time zone,
  acknowledged_by_type text,
  acknowledged_by_id text,
  note text,
  told_with_id text,
  covered_by_id text
);
CREATE TABLE alert_to_channel (
  alert_id text NOT NULL,
  alert_channel_id text NOT NULL
);
CREATE TABLE api_key (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  name text NOT NULL,
  permission text NOT NULL,
  status text DEFAULT 'active'::text NOT NULL,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone,
  owner_member_id text,
  allowed_models text[],
  allowed_addresses text[],
  archived_at timestamp with time zone,
  purpose text DEFAULT 'calls'::text NOT NULL,
  lifetime_ends_at timestamp with time zone,
  archived_rank text,
  mac bytea,
  tags jsonb DEFAULT '{}'::jsonb NOT NULL,
  tag_ranks jsonb DEFAULT '{}'::jsonb NOT NULL,
  contact_member_id text,
  user_directory_id text,
  requires_user boolean,
  allowed_origins text[]
);
CREATE TABLE api_key_network (
  api_key_id text NOT NULL,
  network text NOT NULL,
  first_seen_at timestamp with time zone NOT NULL,
  last_seen_at timestamp with time zone NOT NULL
);
CREATE TABLE api_key_restriction (
  api_key_id text NOT NULL,
  rank text NOT NULL,
  is_disabled boolean DEFAULT false NOT NULL,
  allowed_models text[],
  allowed_addresses text[],
  expires_at timestamp with time zone,
  set_by_type text NOT NULL,
  set_by_id text NOT NULL,
  set_at timestamp with time zone NOT NULL
);
CREATE TABLE api_key_secret (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  api_key_id text NOT NULL,
  hash bytea NOT NULL,
  hint text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  valid_until timestamp with time zone,
  last_used_at timestamp with time zone,
  last_used_address text,
  last_used_model text,
  playground_session_id text,
  auth_session_id text,
  mac bytea
);
CREATE TABLE audit_checkpoint (
  organization_id uuid NOT NULL,
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  events bigint NOT NULL,
  created_at timestamp with time zone NOT NULL,
  mac bytea NOT NULL
);
CREATE TABLE audit_event (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  seq bigint NOT NULL,
  event text NOT NULL,
  actor_type text NOT NULL,
  actor_id text NOT NULL,
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  workspace_id text,
  before jsonb,
  after jsonb,
  request_id text NOT NULL,
  ip_address text,
  user_agent text,
  created_at timestamp with time zone NOT NULL,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  actor_name text,
  actor_email text
);
CREATE TABLE audit_head (
  organization_id uuid NOT NULL,
  seq bigint DEFAULT 0 NOT NULL,
  hash bytea NOT NULL,
  keyed_from bigint,
  retention_days integer,
  mac bytea
);
CREATE TABLE auth_account (
  id text NOT NULL,
  user_id text NOT NULL,
  provider_id text NOT NULL,
  account_id text NOT NULL,
  password text,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamp with time zone,
  refresh_token_expires_at timestamp with time zone,
  scope text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE auth_attempt (
  key text NOT NULL,
  full_at timestamp with time zone NOT NULL,
  failures integer DEFAULT 0 NOT NULL,
  failing_since timestamp with time zone
);
CREATE TABLE auth_device (
  id text NOT NULL,
  user_id text NOT NULL,
  token_hash bytea NOT NULL,
  created_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone NOT NULL
);
CREATE TABLE auth_passkey (
  id text NOT NULL,
  user_id text NOT NULL,
  name text,
  public_key text NOT NULL,
  credential_id text NOT NULL,
  counter double precision NOT NULL,
  device_type text NOT NULL,
  backed_up boolean NOT NULL,
  transports text,
  aaguid text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  last_used_at timestamp with time zone
);
CREATE TABLE auth_session (
  id text NOT NULL,
  token text NOT NULL,
  user_id text NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  ip_address text,
  user_agent text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  started_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone NOT NULL,
  stepped_up_at timestamp with time zone,
  mac bytea
);
CREATE TABLE auth_two_factor (
  id text NOT NULL,
  user_id text NOT NULL,
  secret text NOT NULL,
  backup_codes text NOT NULL,
  verified boolean DEFAULT false NOT NULL,
  failed_verification_count integer DEFAULT 0 NOT NULL,
  locked_until timestamp with time zone
);
CREATE TABLE auth_used_code (
  user_id text NOT NULL,
  code text NOT NULL,
  used_at timestamp with time zone NOT NULL
);
CREATE TABLE auth_user (
  id text NOT NULL,
  name text DEFAULT ''::text NOT NULL,
  email text NOT NULL,
  email_verified boolean DEFAULT false NOT NULL,
  image text,
  two_factor_enabled boolean DEFAULT false NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE auth_verification (
  id text NOT NULL,
  identifier text NOT NULL,
  value text NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE backup (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  made_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone NOT NULL,
  file_name text NOT NULL,
  size_bytes bigint NOT NULL,
  sha256 bytea NOT NULL,
  requests bigint NOT NULL,
  is_encrypted boolean NOT NULL,
  has_secret boolean NOT NULL,
  made_by_type text NOT NULL,
  made_by_id text NOT NULL
);
CREATE TABLE balance (
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  organization_id uuid NOT NULL,
  settled_nano_usd bigint DEFAULT 0 NOT NULL,
  leased_nano_usd bigint DEFAULT 0 NOT NULL,
  unresolved_nano_usd bigint DEFAULT 0 NOT NULL,
  overrun_nano_usd bigint DEFAULT 0 NOT NULL,
  limit_overrun_nano_usd bigint DEFAULT 0 NOT NULL,
  limit_compared_nano_usd bigint DEFAULT 0 NOT NULL,
  limit_revision bigint DEFAULT 0 NOT NULL,
  is_complete boolean DEFAULT true NOT NULL
);
CREATE TABLE change_counter (
  is_only_row boolean DEFAULT true NOT NULL,
  value bigint DEFAULT 0 NOT NULL
);
CREATE TABLE change_scope (
  value bigint NOT NULL,
  kind text NOT NULL,
  id text NOT NULL
);
CREATE TABLE claimed_change (
  claim bytea NOT NULL,
  step integer NOT NULL,
  fingerprint bytea NOT NULL,
  result_sealed bytea NOT NULL,
  answer_sealed bytea,
  created_at timestamp with time zone NOT NULL
);
CREATE TABLE claimed_membership (
  directory_id text NOT NULL,
  group_id text NOT NULL,
  member_id text NOT NULL
);
CREATE TABLE contract_term (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  from_month date NOT NULL,
  model_family text NOT NULL,
  discount_ppm bigint NOT NULL,
  created_at timestamp with time zone NOT NULL
);
CREATE TABLE counted_limit (
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL
);
CREATE TABLE device_authorization (
  id text NOT NULL,
  device_code_hash bytea NOT NULL,
  user_code_hash bytea NOT NULL,
  client_version text,
  address text,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  status text DEFAULT 'pending'::text NOT NULL,
  session_id text,
  laptop_id text,
  laptop_ends_at timestamp with time zone
);
CREATE TABLE directory (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  issuer text NOT NULL,
  client_id text,
  client_secret_sealed bytea,
  is_enabled boolean NOT NULL,
  allowed_domains text[] NOT NULL,
  default_role text NOT NULL,
  second_factor text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  role_claim text,
  group_claim text
);
CREATE TABLE directory_group (
  directory_id text NOT NULL,
  value text NOT NULL,
  group_id text NOT NULL
);
CREATE TABLE directory_identity (
  directory_id text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  member_id text NOT NULL,
  external_id text,
  created_at timestamp with time zone NOT NULL,
  last_used_at timestamp with time zone NOT NULL
);
CREATE TABLE directory_logout (
  directory_id text NOT NULL,
  token_id_hash bytea NOT NULL,
  expires_at timestamp with time zone NOT NULL
);
CREATE TABLE directory_role (
  directory_id text NOT NULL,
  value text NOT NULL,
  role text NOT NULL
);
CREATE TABLE directory_session (
  session_id text NOT NULL,
  directory_id text NOT NULL,
  subject text NOT NULL,
  provider_session text,
  has_second_factor boolean NOT NULL
);
CREATE TABLE directory_sign_in (
  token_hash bytea NOT NULL,
  directory_id text NOT NULL,
  step text NOT NULL,
  member_id text,
  subject text,
  provider_session text,
  has_second_factor boolean,
  authenticated_at timestamp with time zone,
  mail_token_hash bytea,
  expires_at timestamp with time zone NOT NULL,
  claimed_roles text[],
  claimed_groups text[]
);
CREATE TABLE evidence_key (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  public_key bytea NOT NULL,
  private_key_sealed bytea NOT NULL,
  created_at timestamp with time zone NOT NULL
);
CREATE TABLE exceeded_bound (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  observed bigint NOT NULL,
  allowed bigint NOT NULL,
  request_id text NOT NULL,
  exceeded_at timestamp with time zone NOT NULL
);
CREATE TABLE fold_state (
  id boolean DEFAULT true NOT NULL,
  due_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);
CREATE TABLE group_member (
  group_id text NOT NULL,
  member_id text NOT NULL,
  source text DEFAULT 'direct'::text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  mac bytea
);
CREATE TABLE group_workspace (
  group_id text NOT NULL,
  workspace_id text NOT NULL,
  role text NOT NULL,
  mac bytea
);
CREATE TABLE held_key (
  key_id text NOT NULL,
  kind text NOT NULL,
  organization_id uuid NOT NULL,
  held_at timestamp with time zone NOT NULL
);
CREATE TABLE incarnation (
  value bigint NOT NULL,
  id uuid NOT NULL,
  system_identifier text,
  timeline bigint,
  reason text NOT NULL,
  details jsonb DEFAULT '{}'::jsonb NOT NULL,
  raised_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE installation (
  key text NOT NULL,
  value text NOT NULL
);
CREATE TABLE invite (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  email text NOT NULL,
  role text NOT NULL,
  token_hash bytea NOT NULL,
  invited_by_type text NOT NULL,
  invited_by_id text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  accepted_at timestamp with time zone,
  member_id text,
  revoked_at timestamp with time zone,
  is_open boolean DEFAULT true NOT NULL
);
CREATE TABLE invite_group (
  invite_id text NOT NULL,
  group_id text NOT NULL
);
CREATE TABLE invite_workspace (
  invite_id text NOT NULL,
  workspace_id text NOT NULL,
  role text NOT NULL
);
CREATE TABLE journal_record (
  node_id text NOT NULL,
  seq bigint NOT NULL,
  line bytea NOT NULL
);
CREATE TABLE journal_writer (
  node_id text NOT NULL,
  journal_id text NOT NULL,
  epoch bigint DEFAULT 1 NOT NULL,
  last_seq bigint DEFAULT 0 NOT NULL,
  beat bigint DEFAULT 0 NOT NULL,
  is_whole boolean DEFAULT true NOT NULL,
  is_adopted boolean DEFAULT false NOT NULL,
  seen_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE laptop (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  secret_id bigint NOT NULL,
  member_id text NOT NULL,
  workspace_id text NOT NULL,
  name text NOT NULL,
  client_version text,
  address text,
  created_at timestamp with time zone NOT NULL,
  generation integer DEFAULT 1 NOT NULL,
  is_confirmed boolean DEFAULT false NOT NULL,
  rotated_at timestamp with time zone NOT NULL,
  end_reason text
);
CREATE TABLE lease (
  node_id text NOT NULL,
  request_id text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  organization_id uuid NOT NULL,
  amount_nano_usd bigint NOT NULL,
  unresolved_since timestamp with time zone,
  granted_nano_usd bigint
);
CREATE TABLE lease_draw (
  node_id text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  drawn_nano_usd bigint NOT NULL
);
CREATE TABLE lease_node (
  node_id text NOT NULL,
  epoch bigint DEFAULT 0 NOT NULL,
  op bigint DEFAULT 0 NOT NULL,
  expires_at timestamp with time zone,
  limits_version bigint DEFAULT '-1'::integer NOT NULL,
  seen_at timestamp with time zone DEFAULT now() NOT NULL,
  awaited_until timestamp with time zone
);
CREATE TABLE limit_overrun (
  organization_id uuid NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  minute_at timestamp with time zone NOT NULL,
  overrun_nano_usd bigint NOT NULL,
  limit_nano_usd bigint NOT NULL,
  settled_nano_usd bigint NOT NULL,
  request_ids text[] DEFAULT '{}'::text[] NOT NULL,
  beyond_nano_usd bigint[] DEFAULT '{}'::bigint[] NOT NULL,
  beyond_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE limits_version (
  is_only_row boolean DEFAULT true NOT NULL,
  value bigint DEFAULT 0 NOT NULL
);
CREATE TABLE mail (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  kind text NOT NULL,
  to_address text NOT NULL,
  subject text NOT NULL,
  body_sealed bytea,
  about_id text,
  is_for_owner boolean DEFAULT false NOT NULL,
  status text DEFAULT 'queued'::text NOT NULL,
  attempts integer DEFAULT 0 NOT NULL,
  last_error text,
  claimed_until timestamp with time zone,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  sent_at timestamp with time zone
);
CREATE TABLE managed_settings_version (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  version integer NOT NULL,
  policies text NOT NULL,
  comment text,
  restored_version integer,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  mac bytea
);
CREATE TABLE member (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  email text NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  status text DEFAULT 'active'::text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  last_active_at timestamp with time zone,
  removed_at timestamp with time zone,
  mac bytea
);
CREATE TABLE member_default_limit (
  organization_id uuid NOT NULL,
  member_id text NOT NULL,
  period text NOT NULL,
  rank text NOT NULL,
  group_id text NOT NULL,
  amount_nano_usd bigint NOT NULL,
  enforcement text NOT NULL,
  open_ended_hold_nano_usd bigint,
  unknown_features text DEFAULT 'hold'::text NOT NULL,
  hold text DEFAULT 'whole'::text NOT NULL
);
CREATE TABLE member_default_rate (
  organization_id uuid NOT NULL,
  member_id text NOT NULL,
  model_group text NOT NULL,
  kind text NOT NULL,
  rank text NOT NULL,
  group_id text NOT NULL,
  per_minute integer NOT NULL
);
CREATE TABLE member_group (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  source text DEFAULT 'direct'::text NOT NULL,
  directory_id text,
  external_id text,
  allowed_models text[],
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  mac bytea,
  model_lists jsonb
);
CREATE TABLE member_preference (
  member_id text NOT NULL,
  organization_id uuid NOT NULL,
  time_zone text,
  date_format text,
  saved_views jsonb DEFAULT '[]'::jsonb NOT NULL,
  version bigint DEFAULT 1 NOT NULL
);
CREATE TABLE message_batch (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text,
  group_ids text[] DEFAULT '{}'::text[] NOT NULL,
  tag_ids text[] DEFAULT '{}'::text[] NOT NULL,
  client text NOT NULL,
  upstream_id text NOT NULL,
  is_simulated boolean NOT NULL,
  upstream_batch_id text,
  state text NOT NULL,
  node_id text NOT NULL,
  body_hash text,
  line_count integer DEFAULT 0 NOT NULL,
  hold_nano_usd bigint DEFAULT 0 NOT NULL,
  started_at timestamp with time zone NOT NULL,
  sent_at timestamp with time zone,
  metered_lines integer DEFAULT 0 NOT NULL,
  cost_nano_usd bigint DEFAULT 0 NOT NULL,
  poll_at timestamp with time zone,
  last_object jsonb,
  expires_at timestamp with time zone,
  ended_at timestamp with time zone,
  failover text,
  open_ended_holds jsonb,
  waits_until timestamp with time zone
);
CREATE TABLE message_batch_line (
  batch_id text NOT NULL,
  custom_id text NOT NULL,
  line integer NOT NULL,
  model text NOT NULL,
  hold_nano_usd bigint NOT NULL,
  worst_case jsonb NOT NULL,
  has_unbilled_parts boolean NOT NULL,
  is_metered boolean DEFAULT false NOT NULL,
  is_open_ended boolean DEFAULT false NOT NULL
);
CREATE TABLE neutral_feature (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  effect text NOT NULL,
  source text NOT NULL,
  is_in_prompt boolean NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE node (
  id text NOT NULL,
  journal_id text NOT NULL,
  epoch bigint DEFAULT 1 NOT NULL,
  flushed_seq bigint DEFAULT 0 NOT NULL,
  version text NOT NULL,
  started_at timestamp with time zone DEFAULT now() NOT NULL,
  seen_at timestamp with time zone DEFAULT now() NOT NULL,
  lease_op bigint DEFAULT 0 NOT NULL,
  lease_expires_at timestamp with time zone,
  limits_version bigint DEFAULT '-1'::integer NOT NULL,
  folded_seq bigint DEFAULT 0 NOT NULL,
  max_connections integer,
  appends boolean DEFAULT false NOT NULL,
  signs_rows boolean DEFAULT false NOT NULL
);
CREATE TABLE organization (
  id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  has_first_alerts boolean DEFAULT false NOT NULL,
  has_overrun_alert boolean DEFAULT false NOT NULL,
  has_failover_alert boolean DEFAULT false NOT NULL,
  group_limit_mode text DEFAULT 'highest'::text NOT NULL,
  billing_group_tag text,
  login_notice text,
  has_bound_alert boolean DEFAULT false NOT NULL,
  cost_center_tag text
);
CREATE TABLE owner_recovery (
  member_id text NOT NULL,
  expires_at timestamp with time zone NOT NULL
);
CREATE TABLE personal_key_rules (
  workspace_id text NOT NULL,
  personal_keys text NOT NULL,
  personal_key_models text[],
  personal_key_lifetime_days integer,
  personal_keys_per_member integer,
  mac bytea
);
CREATE TABLE price_override (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  model text NOT NULL,
  effective_from timestamp with time zone NOT NULL,
  input_nano_usd bigint NOT NULL,
  cache_write_5m_nano_usd bigint NOT NULL,
  cache_write_1h_nano_usd bigint NOT NULL,
  cache_read_nano_usd bigint NOT NULL,
  output_nano_usd bigint NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE UNLOGGED TABLE rate_bucket (
  rate_limit_id text NOT NULL,
  kind text NOT NULL,
  level double precision NOT NULL,
  refilled_at timestamp with time zone NOT NULL
);
CREATE TABLE rate_limit (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  model_group text NOT NULL,
  requests_per_minute integer,
  input_tokens_per_minute integer,
  output_tokens_per_minute integer,
  revision bigint NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE rate_limit_value (
  organization_id uuid NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  model_group text NOT NULL,
  rank text NOT NULL,
  requests_per_minute integer,
  input_tokens_per_minute integer,
  output_tokens_per_minute integer,
  set_by_type text,
  set_by_id text,
  set_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE rate_limits_version (
  is_only_row boolean DEFAULT true NOT NULL,
  value bigint DEFAULT 0 NOT NULL
);
CREATE TABLE refusal_hour (
  organization_id uuid NOT NULL,
  bucket_at timestamp with time zone NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  error_code text NOT NULL,
  model text NOT NULL,
  requests bigint NOT NULL
);
CREATE TABLE refusal_minute (
  organization_id uuid NOT NULL,
  bucket_at timestamp with time zone NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  error_code text NOT NULL,
  model text NOT NULL,
  requests bigint NOT NULL
);
CREATE TABLE refusal_recent (
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  refused_at timestamp with time zone NOT NULL,
  request_id text NOT NULL,
  error_code text NOT NULL,
  http_status smallint NOT NULL,
  model text NOT NULL,
  address text,
  facts jsonb NOT NULL
);
CREATE TABLE refused_request (
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  minute_at timestamp with time zone NOT NULL,
  requests integer NOT NULL
);
CREATE TABLE refused_request_hour (
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  hour_at timestamp with time zone NOT NULL,
  requests integer NOT NULL
);
CREATE TABLE retention_mark (
  is_only_row boolean DEFAULT true NOT NULL,
  hours_before timestamp with time zone,
  days_before timestamp with time zone,
  balances_before date
);
CREATE TABLE retired_audit_key (
  organization_id uuid NOT NULL,
  through_seq bigint NOT NULL,
  key_sealed bytea NOT NULL
);
CREATE TABLE rollup_progress (
  is_only_row boolean DEFAULT true NOT NULL,
  hour_at timestamp with time zone NOT NULL,
  organization_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
  workspace_id text DEFAULT ''::text NOT NULL,
  api_key_id text DEFAULT ''::text NOT NULL
);
CREATE TABLE rotation_notice (
  api_key_secret_id bigint NOT NULL,
  kind text NOT NULL,
  policy_effective_at timestamp with time zone NOT NULL,
  sent_at timestamp with time zone NOT NULL
);
CREATE TABLE rotation_policy (
  workspace_id text NOT NULL,
  rotation_days integer NOT NULL,
  remind_days integer NOT NULL,
  grace_days integer NOT NULL,
  effective_at timestamp with time zone NOT NULL
);
CREATE TABLE row_change (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  xact xid8 DEFAULT pg_current_xact_id() NOT NULL,
  table_name text NOT NULL,
  old_row jsonb,
  new_row jsonb NOT NULL
);
CREATE TABLE schema_migration (
  number integer NOT NULL,
  name text NOT NULL,
  sha256 text NOT NULL,
  applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE scim_group_member (
  group_id text NOT NULL,
  member_id text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  mac bytea
);
CREATE TABLE scim_token (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  directory_id text NOT NULL,
  secret_hash bytea NOT NULL,
  partial_token_hint text NOT NULL,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  valid_until timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  mac bytea
);
CREATE TABLE scim_user (
  directory_id text NOT NULL,
  member_id text NOT NULL,
  user_name text NOT NULL,
  external_id text,
  attributes jsonb NOT NULL,
  is_creator boolean NOT NULL,
  is_suspended boolean NOT NULL,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL
);
CREATE TABLE security_settings (
  organization_id uuid NOT NULL,
  max_key_lifetime_days integer,
  max_keys_per_member integer,
  raises_need_two_people boolean DEFAULT false NOT NULL,
  second_factor text DEFAULT 'off'::text NOT NULL,
  session_hours integer,
  session_idle_hours integer,
  console_addresses text[],
  min_password_length integer DEFAULT 12 NOT NULL,
  company_sign_in_only boolean DEFAULT false NOT NULL
);
CREATE TABLE set_up_link (
  token_hash bytea NOT NULL,
  organization_id uuid NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL
);
CREATE TABLE spend_adjustment (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  request_id text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  cost_nano_usd bigint NOT NULL,
  reason text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  member_id text DEFAULT ''::text NOT NULL,
  group_ids text DEFAULT ''::text NOT NULL,
  tag_ids text DEFAULT ''::text NOT NULL
);
CREATE TABLE spend_limit (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  amount_nano_usd bigint NOT NULL,
  enforcement text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  version bigint DEFAULT 0 NOT NULL,
  open_ended_hold_nano_usd bigint,
  revision bigint DEFAULT 0 NOT NULL,
  version_at timestamp with time zone DEFAULT now() NOT NULL,
  unknown_features text DEFAULT 'hold'::text NOT NULL,
  hold text DEFAULT 'whole'::text NOT NULL
);
CREATE TABLE spend_limit_increase_request (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  requester_type text NOT NULL,
  requester_id text NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  workspace_id text,
  period text NOT NULL,
  limit_nano_usd bigint NOT NULL,
  amount_nano_usd bigint NOT NULL,
  reason text NOT NULL,
  status text DEFAULT 'pending'::text NOT NULL,
  approved_nano_usd bigint,
  answer text,
  resolved_by_type text,
  resolved_by_id text,
  created_at timestamp with time zone NOT NULL,
  resolved_at timestamp with time zone
);
CREATE TABLE spend_limit_raise (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  period_start date NOT NULL,
  settled_nano_usd bigint NOT NULL,
  amount_nano_usd bigint,
  raised_at timestamp with time zone NOT NULL
);
CREATE TABLE spend_limit_value (
  organization_id uuid NOT NULL,
  scope_type text NOT NULL,
  scope_id text NOT NULL,
  period text NOT NULL,
  rank text NOT NULL,
  amount_nano_usd bigint NOT NULL,
  enforcement text NOT NULL,
  open_ended_hold_nano_usd bigint,
  set_by_type text,
  set_by_id text,
  set_at timestamp with time zone DEFAULT now() NOT NULL,
  unknown_features text DEFAULT 'hold'::text NOT NULL,
  hold text DEFAULT 'whole'::text NOT NULL
);
CREATE TABLE statement (
  organization_id uuid NOT NULL,
  month date NOT NULL,
  closed_at timestamp with time zone NOT NULL,
  line_count integer NOT NULL,
  list_cost_nano_usd bigint NOT NULL,
  adjustments_nano_usd bigint NOT NULL,
  earlier_nano_usd bigint NOT NULL,
  discount_nano_usd bigint NOT NULL,
  requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  partly_unbilled_requests bigint NOT NULL,
  simulated_requests bigint NOT NULL,
  simulated_cost_nano_usd bigint NOT NULL,
  sha256 bytea NOT NULL
);
CREATE TABLE statement_line (
  organization_id uuid NOT NULL,
  month date NOT NULL,
  place integer NOT NULL,
  kind text NOT NULL,
  for_month date NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  group_ids text NOT NULL,
  tag_ids text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  adjustment_id text NOT NULL,
  requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  partly_unbilled_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  discount_nano_usd bigint NOT NULL
);
CREATE TABLE statement_name (
  organization_id uuid NOT NULL,
  month date NOT NULL,
  kind text NOT NULL,
  id text NOT NULL,
  name text NOT NULL,
  detail text DEFAULT ''::text NOT NULL
);
CREATE TABLE statement_usage (
  organization_id uuid NOT NULL,
  month date NOT NULL,
  for_month date NOT NULL,
  requests bigint NOT NULL,
  cost_nano_usd bigint NOT NULL
);
CREATE TABLE tag (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  created_at timestamp with time zone DEFAULT date_trunc('milliseconds'::text, now()) NOT NULL
);
CREATE TABLE telemetry_receiver (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  url text NOT NULL,
  headers_sealed bytea,
  header_names text[] NOT NULL,
  signals text[] NOT NULL,
  is_enabled boolean NOT NULL,
  version integer NOT NULL,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL,
  last_relayed_at timestamp with time zone,
  last_failed_at timestamp with time zone,
  last_failure text
);
CREATE TABLE upstream (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  base_url text NOT NULL,
  credential_sealed bytea,
  credential_hint text,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  updated_at timestamp with time zone DEFAULT now() NOT NULL,
  provider text DEFAULT 'anthropic'::text NOT NULL,
  settings jsonb DEFAULT '{}'::jsonb NOT NULL,
  extra_headers_sealed bytea,
  extra_header_names text[] DEFAULT '{}'::text[] NOT NULL,
  proxy_url text,
  proxy_credential_sealed bytea,
  upstream_workspace_id text,
  default_position integer DEFAULT 0
);
CREATE TABLE upstream_node_health (
  upstream_id text NOT NULL,
  node_id text NOT NULL,
  state text NOT NULL,
  answers bigint NOT NULL,
  failures bigint NOT NULL,
  failures_in_row integer NOT NULL,
  last_answer_at timestamp with time zone,
  last_failure_at timestamp with time zone,
  last_failure text,
  reported_at timestamp with time zone NOT NULL
);
CREATE TABLE upstream_object (
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  upstream_id text NOT NULL,
  kind text NOT NULL,
  id text NOT NULL,
  api_key_id text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  description jsonb,
  failover text
);
CREATE TABLE upstream_order_version (
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  version integer NOT NULL
);
CREATE TABLE usage_attributed_day (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  attribution_id bigint NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint NOT NULL
);
CREATE TABLE usage_attributed_hour (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  attribution_id bigint NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint NOT NULL
);
CREATE TABLE usage_attributed_month (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  attribution_id bigint NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint NOT NULL
);
CREATE TABLE usage_attribution (
  id bigint NOT NULL,
  organization_id uuid NOT NULL,
  group_ids text NOT NULL,
  tag_ids text NOT NULL
);
CREATE TABLE usage_batch (
  id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
  node_id text NOT NULL,
  journal_id text NOT NULL,
  to_seq bigint NOT NULL,
  appended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
  oldest_at timestamp with time zone,
  row_count integer NOT NULL,
  set_aside_at timestamp with time zone,
  hold_charges jsonb NOT NULL,
  bucket_at timestamp with time zone[] NOT NULL,
  status text[] NOT NULL,
  requests bigint[] NOT NULL,
  errors bigint[] NOT NULL,
  estimated_requests bigint[] NOT NULL,
  unpriced_requests bigint[] NOT NULL,
  input_tokens bigint[] NOT NULL,
  cache_write_5m_tokens bigint[] NOT NULL,
  cache_write_1h_tokens bigint[] NOT NULL,
  cache_read_tokens bigint[] NOT NULL,
  output_tokens bigint[] NOT NULL,
  web_searches bigint[] NOT NULL,
  input_cost_nano_usd bigint[] NOT NULL,
  cache_write_5m_cost_nano_usd bigint[] NOT NULL,
  cache_write_1h_cost_nano_usd bigint[] NOT NULL,
  cache_read_cost_nano_usd bigint[] NOT NULL,
  output_cost_nano_usd bigint[] NOT NULL,
  web_search_cost_nano_usd bigint[] NOT NULL,
  cost_nano_usd bigint[] NOT NULL,
  labels_id bigint[] NOT NULL,
  partly_unbilled_requests bigint[] NOT NULL
);
CREATE TABLE usage_day (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_event (
  request_id text NOT NULL,
  started_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone NOT NULL,
  node_id text NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  outcome text NOT NULL,
  http_status integer,
  is_stream boolean NOT NULL,
  is_estimated boolean NOT NULL,
  is_unpriced boolean NOT NULL,
  requested_model text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  prices jsonb NOT NULL,
  upstream_request_id text,
  first_byte_ms integer,
  hold_nano_usd bigint,
  member_id text DEFAULT ''::text NOT NULL
) PARTITION BY RANGE (started_at);
CREATE TABLE usage_hour (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_key_day (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_key_month (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_key_week (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_labels (
  id bigint NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  group_ids text DEFAULT ''::text NOT NULL,
  tag_ids text DEFAULT ''::text NOT NULL,
  attribution_id bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_member_day (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_member_hour (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_member_week (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_month (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_node (
  id bigint NOT NULL,
  node_id text NOT NULL
);
CREATE TABLE usage_organization_day (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_organization_hour (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_organization_minute (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_prices (
  id bigint NOT NULL,
  prices jsonb NOT NULL
);
CREATE TABLE usage_record (
  started_at timestamp with time zone NOT NULL,
  labels_id bigint NOT NULL,
  prices_id bigint NOT NULL,
  usage_node_id bigint NOT NULL,
  hold_nano_usd bigint,
  input_tokens bigint,
  cache_write_5m_tokens bigint,
  cache_write_1h_tokens bigint,
  cache_read_tokens bigint,
  output_tokens bigint,
  web_searches bigint,
  input_cost_nano_usd bigint,
  cache_write_5m_cost_nano_usd bigint,
  cache_write_1h_cost_nano_usd bigint,
  cache_read_cost_nano_usd bigint,
  output_cost_nano_usd bigint,
  web_search_cost_nano_usd bigint,
  cost_nano_usd bigint,
  duration_ms integer NOT NULL,
  first_byte_ms integer,
  http_status smallint,
  outcome_code smallint NOT NULL,
  is_stream boolean NOT NULL,
  is_estimated boolean NOT NULL,
  is_unpriced boolean NOT NULL,
  request_id text NOT NULL,
  upstream_request_id text,
  requested_model text,
  doubt_code smallint,
  has_unbilled_parts boolean,
  agent_session_id text,
  prompt_id text,
  agent_id text,
  parent_agent_id text,
  request_class text,
  cut jsonb,
  served_by text
) PARTITION BY RANGE (started_at);
CREATE TABLE usage_settings (
  organization_id uuid NOT NULL,
  log_retention_days integer,
  log_pruned_before timestamp with time zone
);
CREATE TABLE usage_week (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  model text NOT NULL,
  service_tier text NOT NULL,
  context_window text NOT NULL,
  inference_geo text NOT NULL,
  speed text NOT NULL,
  client text NOT NULL,
  status text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_weeks (
  is_only_row boolean DEFAULT true NOT NULL,
  summed_before timestamp with time zone NOT NULL
);
CREATE TABLE usage_workspace_day (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE usage_workspace_hour (
  bucket_at timestamp with time zone NOT NULL,
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cache_write_5m_tokens bigint NOT NULL,
  cache_write_1h_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  input_cost_nano_usd bigint NOT NULL,
  cache_write_5m_cost_nano_usd bigint NOT NULL,
  cache_write_1h_cost_nano_usd bigint NOT NULL,
  cache_read_cost_nano_usd bigint NOT NULL,
  output_cost_nano_usd bigint NOT NULL,
  web_search_cost_nano_usd bigint NOT NULL,
  cost_nano_usd bigint NOT NULL,
  partly_unbilled_requests bigint DEFAULT 0 NOT NULL
);
CREATE TABLE waiting_secret (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  api_key_id text NOT NULL,
  member_id text NOT NULL,
  secret_sealed bytea NOT NULL,
  reason text NOT NULL,
  created_by_type text NOT NULL,
  created_by_id text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL
);
CREATE TABLE workspace (
  id text NOT NULL,
  organization_id uuid NOT NULL,
  name text NOT NULL,
  description text,
  display_color text NOT NULL,
  tags jsonb DEFAULT '{}'::jsonb NOT NULL,
  is_default boolean DEFAULT false NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  archived_at timestamp with time zone,
  tag_ranks jsonb DEFAULT '{}'::jsonb NOT NULL
);
CREATE TABLE workspace_member (
  workspace_id text NOT NULL,
  member_id text NOT NULL,
  role text NOT NULL,
  created_at timestamp with time zone DEFAULT now() NOT NULL,
  mac bytea
);
CREATE TABLE workspace_upstream (
  organization_id uuid NOT NULL,
  workspace_id text NOT NULL,
  "position" integer NOT NULL,
  upstream_id text NOT NULL
);
CREATE TABLE usage_event_default PARTITION OF usage_event DEFAULT;
CREATE TABLE usage_record_default PARTITION OF usage_record DEFAULT;

ALTER TABLE access_review ADD CONSTRAINT access_review_auto_close_days_check CHECK (((auto_close_days >= 0) AND (auto_close_days <= 90)));
ALTER TABLE access_review ADD CONSTRAINT access_review_check CHECK (((status = 'open'::text) = (ended_at IS NULL)));
ALTER TABLE access_review ADD CONSTRAINT access_review_if_no_answer_check CHECK ((if_no_answer = ANY (ARRAY['keep'::text, 'remove'::text, 'as_recommended'::text])));
ALTER TABLE access_review ADD CONSTRAINT access_review_inactive_days_check CHECK (((inactive_days >= 1) AND (inactive_days <= 365)));
ALTER TABLE access_review ADD CONSTRAINT access_review_next_reviewer_ids_check CHECK ((cardinality(next_reviewer_ids) > 0));
ALTER TABLE access_review ADD CONSTRAINT access_review_pkey PRIMARY KEY (id);
ALTER TABLE access_review ADD CONSTRAINT access_review_previous_id_key UNIQUE (previous_id);
ALTER TABLE access_review ADD CONSTRAINT access_review_recurrence_check CHECK ((recurrence = ANY (ARRAY['none'::text, 'monthly'::text, 'quarterly'::text, 'yearly'::text])));
ALTER TABLE access_review ADD CONSTRAINT access_review_scope_paths_check CHECK ((cardinality(scope_paths) > 0));
ALTER TABLE access_review ADD CONSTRAINT access_review_scope_workspace_ids_check CHECK ((cardinality(scope_workspace_ids) > 0));
ALTER TABLE access_review ADD CONSTRAINT access_review_status_check CHECK ((status = ANY (ARRAY['open'::text, 'applying'::text, 'closed'::text, 'cancelled'::text])));
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_access_review_id_position_key UNIQUE (access_review_id, "position");
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_check CHECK ((((decision IS NULL) = (decided_by_id IS NULL)) AND ((decision IS NULL) = (decided_at IS NULL))));
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_check1 CHECK (((result IS NULL) = (applied_at IS NULL)));
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_decision_check CHECK ((decision = ANY (ARRAY['keep'::text, 'remove'::text, 'not_sure'::text])));
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_path_check CHECK ((path = ANY (ARRAY['organization_role'::text, 'workspace_role'::text, 'group_role'::text, 'member_key'::text, 'workspace_key'::text, 'admin_key'::text])));
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_pkey PRIMARY KEY (id);
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_recommendation_check CHECK ((recommendation = ANY (ARRAY['keep'::text, 'remove'::text])));
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_result_check CHECK ((result = ANY (ARRAY['kept'::text, 'removed'::text, 'already_gone'::text, 'not_applied'::text])));
ALTER TABLE access_review_reminder ADD CONSTRAINT access_review_reminder_kind_check CHECK ((kind = ANY (ARRAY['asked'::text, 'due_in_7_days'::text, 'due_in_1_day'::text, 'overdue'::text])));
ALTER TABLE access_review_reminder ADD CONSTRAINT access_review_reminder_pkey PRIMARY KEY (access_review_id, member_id, kind);
ALTER TABLE access_review_reviewer ADD CONSTRAINT access_review_reviewer_pkey PRIMARY KEY (access_review_id, member_id);
ALTER TABLE access_token_key ADD CONSTRAINT access_token_key_pkey PRIMARY KEY (id);
ALTER TABLE admin_key ADD CONSTRAINT admin_key_allowed_addresses_check CHECK ((cardinality(allowed_addresses) > 0));
ALTER TABLE admin_key ADD CONSTRAINT admin_key_pkey PRIMARY KEY (id);
ALTER TABLE admin_key ADD CONSTRAINT admin_key_scopes_check CHECK ((cardinality(scopes) > 0));
ALTER TABLE admin_key ADD CONSTRAINT admin_key_secret_hash_check CHECK ((octet_length(secret_hash) = 32));
ALTER TABLE admin_key ADD CONSTRAINT admin_key_secret_hash_key UNIQUE (secret_hash);
ALTER TABLE admin_key ADD CONSTRAINT admin_key_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'revoked'::text])));
ALTER TABLE alert ADD CONSTRAINT alert_collect_minutes_check CHECK (((collect_minutes >= 0) AND (collect_minutes <= 60)));
ALTER TABLE alert ADD CONSTRAINT alert_kind_check CHECK ((kind = ANY (ARRAY['spend_limit'::text, 'limit_overrun'::text, 'forecast'::text, 'unusual_spend'::text, 'key_expiring'::text, 'key_unused'::text, 'key_new_address'::text, 'refused_requests'::text, 'upstream_errors'::text, 'database_failover'::text, 'bound_exceeded'::text])));
ALTER TABLE alert ADD CONSTRAINT alert_pkey PRIMARY KEY (id);
ALTER TABLE alert ADD CONSTRAINT alert_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'tag'::text])));
ALTER TABLE alert_channel ADD CONSTRAINT alert_channel_check CHECK (((kind = 'email'::text) = (recipients IS NOT NULL)));
ALTER TABLE alert_channel ADD CONSTRAINT alert_channel_check1 CHECK (((kind = 'email'::text) = (target_sealed IS NULL)));
ALTER TABLE alert_channel ADD CONSTRAINT alert_channel_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'slack'::text, 'pagerduty'::text, 'webhook'::text])));
ALTER TABLE alert_channel ADD CONSTRAINT alert_channel_pkey PRIMARY KEY (id);
ALTER TABLE alert_channel_secret ADD CONSTRAINT alert_channel_secret_pkey PRIMARY KEY (id);
ALTER TABLE alert_delivery ADD CONSTRAINT alert_delivery_pkey PRIMARY KEY (id);
ALTER TABLE alert_delivery ADD CONSTRAINT alert_delivery_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text, 'dropped'::text])));
ALTER TABLE alert_delivery_firing ADD CONSTRAINT alert_delivery_firing_pkey PRIMARY KEY (alert_delivery_id, alert_firing_id);
ALTER TABLE alert_episode ADD CONSTRAINT alert_episode_pkey PRIMARY KEY (alert_id, scope_type, scope_id);
ALTER TABLE alert_episode ADD CONSTRAINT alert_episode_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'tag'::text])));
ALTER TABLE alert_firing ADD CONSTRAINT alert_firing_alert_id_scope_type_scope_id_episode_threshold_key UNIQUE (alert_id, scope_type, scope_id, episode, threshold);
ALTER TABLE alert_firing ADD CONSTRAINT alert_firing_pkey PRIMARY KEY (id);
ALTER TABLE alert_firing ADD CONSTRAINT alert_firing_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'tag'::text])));
ALTER TABLE alert_to_channel ADD CONSTRAINT alert_to_channel_pkey PRIMARY KEY (alert_id, alert_channel_id);
ALTER TABLE api_key ADD CONSTRAINT api_key_allowed_origins_check CHECK ((cardinality(allowed_origins) > 0));
ALTER TABLE api_key ADD CONSTRAINT api_key_archived_rank_check CHECK ((archived_rank = ANY (ARRAY['machine'::text, 'owner'::text, 'admin'::text, 'workspace'::text, 'holder'::text])));
ALTER TABLE api_key ADD CONSTRAINT api_key_check CHECK (((requires_user IS NULL) = (user_directory_id IS NULL)));
ALTER TABLE api_key ADD CONSTRAINT api_key_permission_check CHECK ((permission = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text])));
ALTER TABLE api_key ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);
ALTER TABLE api_key ADD CONSTRAINT api_key_playground_owner CHECK (((purpose = 'calls'::text) OR (owner_member_id IS NOT NULL)));
ALTER TABLE api_key ADD CONSTRAINT api_key_purpose_check CHECK ((purpose = ANY (ARRAY['calls'::text, 'playground'::text, 'claude_code'::text])));
ALTER TABLE api_key ADD CONSTRAINT api_key_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'archived'::text])));
ALTER TABLE api_key_network ADD CONSTRAINT api_key_network_pkey PRIMARY KEY (api_key_id, network);
ALTER TABLE api_key_restriction ADD CONSTRAINT api_key_restriction_pkey PRIMARY KEY (api_key_id, rank);
ALTER TABLE api_key_restriction ADD CONSTRAINT api_key_restriction_rank_check CHECK ((rank = ANY (ARRAY['machine'::text, 'owner'::text, 'admin'::text, 'workspace'::text, 'holder'::text])));
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_hash_check1 CHECK ((octet_length(hash) = 32));
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_hash_key1 UNIQUE (hash);
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_pkey PRIMARY KEY (id);
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_playground_session_id_key UNIQUE (playground_session_id);
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_session_end CHECK (((playground_session_id IS NULL) OR (valid_until IS NOT NULL)));
ALTER TABLE audit_checkpoint ADD CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (organization_id, seq);
ALTER TABLE audit_event ADD CONSTRAINT audit_event_organization_id_seq_key UNIQUE (organization_id, seq);
ALTER TABLE audit_event ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id);
ALTER TABLE audit_head ADD CONSTRAINT audit_head_pkey PRIMARY KEY (organization_id);
ALTER TABLE audit_head ADD CONSTRAINT audit_head_retention_days_check CHECK ((retention_days >= 30));
ALTER TABLE auth_account ADD CONSTRAINT auth_account_pkey PRIMARY KEY (id);
ALTER TABLE auth_account ADD CONSTRAINT auth_account_provider_id_account_id_key UNIQUE (provider_id, account_id);
ALTER TABLE auth_attempt ADD CONSTRAINT auth_attempt_pkey PRIMARY KEY (key);
ALTER TABLE auth_device ADD CONSTRAINT auth_device_pkey PRIMARY KEY (id);
ALTER TABLE auth_device ADD CONSTRAINT auth_device_token_hash_key UNIQUE (token_hash);
ALTER TABLE auth_passkey ADD CONSTRAINT auth_passkey_credential_id_key UNIQUE (credential_id);
ALTER TABLE auth_passkey ADD CONSTRAINT auth_passkey_pkey PRIMARY KEY (id);
ALTER TABLE auth_session ADD CONSTRAINT auth_session_pkey PRIMARY KEY (id);
ALTER TABLE auth_session ADD CONSTRAINT auth_session_token_key UNIQUE (token);
ALTER TABLE auth_two_factor ADD CONSTRAINT auth_two_factor_pkey PRIMARY KEY (id);
ALTER TABLE auth_two_factor ADD CONSTRAINT auth_two_factor_user_id_key UNIQUE (user_id);
ALTER TABLE auth_used_code ADD CONSTRAINT auth_used_code_pkey PRIMARY KEY (user_id, code);
ALTER TABLE auth_user ADD CONSTRAINT auth_user_email_key UNIQUE (email);
ALTER TABLE auth_user ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);
ALTER TABLE auth_verification ADD CONSTRAINT auth_verification_pkey PRIMARY KEY (id);
ALTER TABLE backup ADD CONSTRAINT backup_pkey PRIMARY KEY (id);
ALTER TABLE backup ADD CONSTRAINT backup_sha256_check CHECK ((octet_length(sha256) = 32));
ALTER TABLE balance ADD CONSTRAINT balance_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text])));
ALTER TABLE balance ADD CONSTRAINT balance_pkey PRIMARY KEY (scope_type, scope_id, period, period_start);
ALTER TABLE balance ADD CONSTRAINT balance_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'tag'::text])));
ALTER TABLE change_counter ADD CONSTRAINT change_counter_is_only_row_check CHECK (is_only_row);
ALTER TABLE change_counter ADD CONSTRAINT change_counter_pkey PRIMARY KEY (is_only_row);
ALTER TABLE change_scope ADD CONSTRAINT change_scope_kind_check CHECK ((kind = ANY (ARRAY['no_key'::text, 'api_key'::text, 'workspace'::text, 'member'::text, 'group'::text])));
ALTER TABLE change_scope ADD CONSTRAINT change_scope_pkey PRIMARY KEY (value);
ALTER TABLE claimed_change ADD CONSTRAINT claimed_change_pkey PRIMARY KEY (claim, step);
ALTER TABLE claimed_membership ADD CONSTRAINT claimed_membership_pkey PRIMARY KEY (group_id, member_id, directory_id);
ALTER TABLE contract_term ADD CONSTRAINT contract_term_discount_ppm_check CHECK (((discount_ppm >= '-9000000'::integer) AND (discount_ppm <= 1000000)));
ALTER TABLE contract_term ADD CONSTRAINT contract_term_from_month_check CHECK ((EXTRACT(day FROM from_month) = (1)::numeric));
ALTER TABLE contract_term ADD CONSTRAINT contract_term_once UNIQUE (organization_id, model_family, from_month);
ALTER TABLE contract_term ADD CONSTRAINT contract_term_pkey PRIMARY KEY (id);
ALTER TABLE counted_limit ADD CONSTRAINT counted_limit_pkey PRIMARY KEY (scope_type, scope_id, period);
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_check CHECK (((status <> ALL (ARRAY['approved'::text, 'used'::text])) OR (session_id IS NOT NULL)));
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_device_code_hash_check CHECK ((octet_length(device_code_hash) = 32));
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_device_code_hash_key UNIQUE (device_code_hash);
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_pkey PRIMARY KEY (id);
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'used'::text])));
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_user_code_hash_check CHECK ((octet_length(user_code_hash) = 32));
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_user_code_hash_key UNIQUE (user_code_hash);
ALTER TABLE directory ADD CONSTRAINT directory_check CHECK (((NOT is_enabled) OR (client_id IS NOT NULL)));
ALTER TABLE directory ADD CONSTRAINT directory_default_role_check CHECK ((default_role = ANY (ARRAY['admin'::text, 'developer'::text, 'billing'::text, 'user'::text, 'claude_code_user'::text])));
ALTER TABLE directory ADD CONSTRAINT directory_pkey PRIMARY KEY (id);
ALTER TABLE directory ADD CONSTRAINT directory_second_factor_check CHECK ((second_factor = ANY (ARRAY['claims'::text, 'trusted'::text, 'here'::text])));
ALTER TABLE directory_group ADD CONSTRAINT directory_group_pkey PRIMARY KEY (directory_id, value, group_id);
ALTER TABLE directory_identity ADD CONSTRAINT directory_identity_pkey PRIMARY KEY (directory_id, issuer, subject);
ALTER TABLE directory_logout ADD CONSTRAINT directory_logout_pkey PRIMARY KEY (directory_id, token_id_hash);
ALTER TABLE directory_role ADD CONSTRAINT directory_role_pkey PRIMARY KEY (directory_id, value);
ALTER TABLE directory_role ADD CONSTRAINT directory_role_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'developer'::text, 'billing'::text, 'user'::text, 'claude_code_user'::text])));
ALTER TABLE directory_session ADD CONSTRAINT directory_session_pkey PRIMARY KEY (session_id);
ALTER TABLE directory_sign_in ADD CONSTRAINT directory_sign_in_check CHECK (((step <> 'begun'::text) = ((member_id IS NOT NULL) AND (subject IS NOT NULL))));
ALTER TABLE directory_sign_in ADD CONSTRAINT directory_sign_in_pkey PRIMARY KEY (token_hash);
ALTER TABLE directory_sign_in ADD CONSTRAINT directory_sign_in_step_check CHECK ((step = ANY (ARRAY['begun'::text, 'proved'::text, 'linking'::text])));
ALTER TABLE evidence_key ADD CONSTRAINT evidence_key_organization_id_key UNIQUE (organization_id);
ALTER TABLE evidence_key ADD CONSTRAINT evidence_key_pkey PRIMARY KEY (id);
ALTER TABLE evidence_key ADD CONSTRAINT evidence_key_public_key_check CHECK ((octet_length(public_key) = 32));
ALTER TABLE exceeded_bound ADD CONSTRAINT exceeded_bound_kind_check CHECK ((kind = ANY (ARRAY['model'::text, 'tool'::text])));
ALTER TABLE exceeded_bound ADD CONSTRAINT exceeded_bound_organization_id_kind_name_key UNIQUE (organization_id, kind, name);
ALTER TABLE exceeded_bound ADD CONSTRAINT exceeded_bound_pkey PRIMARY KEY (id);
ALTER TABLE fold_state ADD CONSTRAINT fold_state_id_check CHECK (id);
ALTER TABLE fold_state ADD CONSTRAINT fold_state_pkey PRIMARY KEY (id);
ALTER TABLE group_member ADD CONSTRAINT group_member_pkey PRIMARY KEY (group_id, member_id);
ALTER TABLE group_member ADD CONSTRAINT group_member_source_check CHECK ((source = ANY (ARRAY['direct'::text, 'claims'::text, 'scim'::text])));
ALTER TABLE group_workspace ADD CONSTRAINT group_workspace_pkey PRIMARY KEY (group_id, workspace_id);
ALTER TABLE group_workspace ADD CONSTRAINT group_workspace_role_check CHECK ((role = ANY (ARRAY['workspace_admin'::text, 'workspace_developer'::text, 'workspace_restricted_developer'::text, 'workspace_user'::text])));
ALTER TABLE held_key ADD CONSTRAINT held_key_kind_check CHECK ((kind = ANY (ARRAY['api_key'::text, 'admin_key'::text])));
ALTER TABLE held_key ADD CONSTRAINT held_key_pkey PRIMARY KEY (key_id);
ALTER TABLE incarnation ADD CONSTRAINT incarnation_pkey PRIMARY KEY (value);
ALTER TABLE incarnation ADD CONSTRAINT incarnation_reason_check CHECK ((reason = ANY (ARRAY['first'::text, 'timeline'::text, 'system'::text, 'rollback'::text])));
ALTER TABLE incarnation ADD CONSTRAINT incarnation_value_check CHECK ((value >= 0));
ALTER TABLE installation ADD CONSTRAINT installation_pkey PRIMARY KEY (key);
ALTER TABLE invite ADD CONSTRAINT invite_check CHECK (((accepted_at IS NULL) = (member_id IS NULL)));
ALTER TABLE invite ADD CONSTRAINT invite_check1 CHECK (((NOT is_open) OR ((accepted_at IS NULL) AND (revoked_at IS NULL))));
ALTER TABLE invite ADD CONSTRAINT invite_email_check CHECK ((email = lower(email)));
ALTER TABLE invite ADD CONSTRAINT invite_pkey PRIMARY KEY (id);
ALTER TABLE invite ADD CONSTRAINT invite_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'billing'::text, 'user'::text, 'claude_code_user'::text])));
ALTER TABLE invite_group ADD CONSTRAINT invite_group_pkey PRIMARY KEY (invite_id, group_id);
ALTER TABLE invite_workspace ADD CONSTRAINT invite_workspace_pkey PRIMARY KEY (invite_id, workspace_id);
ALTER TABLE invite_workspace ADD CONSTRAINT invite_workspace_role_check CHECK ((role = ANY (ARRAY['workspace_admin'::text, 'workspace_developer'::text, 'workspace_restricted_developer'::text, 'workspace_user'::text])));
ALTER TABLE journal_record ADD CONSTRAINT journal_record_pkey PRIMARY KEY (node_id, seq);
ALTER TABLE journal_writer ADD CONSTRAINT journal_writer_pkey PRIMARY KEY (node_id);
ALTER TABLE laptop ADD CONSTRAINT laptop_end_reason_check CHECK ((end_reason = ANY (ARRAY['ended'::text, 'ended_by_admin'::text, 'signed_out'::text, 'replayed'::text, 'restored'::text])));
ALTER TABLE laptop ADD CONSTRAINT laptop_generation_check CHECK ((generation > 0));
ALTER TABLE laptop ADD CONSTRAINT laptop_pkey PRIMARY KEY (id);
ALTER TABLE laptop ADD CONSTRAINT laptop_secret_id_key UNIQUE (secret_id);
ALTER TABLE lease ADD CONSTRAINT lease_amount_nano_usd_check CHECK ((amount_nano_usd >= 0));
ALTER TABLE lease ADD CONSTRAINT lease_check CHECK (((granted_nano_usd IS NULL) OR ((request_id = ''::text) AND (amount_nano_usd = 0))));
ALTER TABLE lease ADD CONSTRAINT lease_pkey PRIMARY KEY (node_id, request_id, scope_type, scope_id, period, period_start);
ALTER TABLE lease_draw ADD CONSTRAINT lease_draw_drawn_nano_usd_check CHECK ((drawn_nano_usd >= 0));
ALTER TABLE lease_draw ADD CONSTRAINT lease_draw_pkey PRIMARY KEY (node_id, scope_type, scope_id, period, period_start);
ALTER TABLE lease_node ADD CONSTRAINT lease_node_pkey PRIMARY KEY (node_id);
ALTER TABLE limit_overrun ADD CONSTRAINT limit_overrun_overrun_nano_usd_check CHECK ((overrun_nano_usd > 0));
ALTER TABLE limit_overrun ADD CONSTRAINT limit_overrun_pkey PRIMARY KEY (scope_type, scope_id, period, period_start, minute_at);
ALTER TABLE limits_version ADD CONSTRAINT limits_version_is_only_row_check CHECK (is_only_row);
ALTER TABLE limits_version ADD CONSTRAINT limits_version_pkey PRIMARY KEY (is_only_row);
ALTER TABLE mail ADD CONSTRAINT mail_pkey PRIMARY KEY (id);
ALTER TABLE mail ADD CONSTRAINT mail_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text, 'withdrawn'::text])));
ALTER TABLE managed_settings_version ADD CONSTRAINT managed_settings_version_organization_id_version_key UNIQUE (organization_id, version);
ALTER TABLE managed_settings_version ADD CONSTRAINT managed_settings_version_pkey PRIMARY KEY (id);
ALTER TABLE managed_settings_version ADD CONSTRAINT managed_settings_version_restored_version_check CHECK ((restored_version > 0));
ALTER TABLE managed_settings_version ADD CONSTRAINT managed_settings_version_version_check CHECK ((version > 0));
ALTER TABLE member ADD CONSTRAINT member_email_check CHECK ((email = lower(email)));
ALTER TABLE member ADD CONSTRAINT member_pkey PRIMARY KEY (id);
ALTER TABLE member ADD CONSTRAINT member_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'billing'::text, 'user'::text, 'claude_code_user'::text])));
ALTER TABLE member ADD CONSTRAINT member_status_check CHECK ((status = ANY (ARRAY['active'::text, 'deactivated'::text, 'removed'::text])));
ALTER TABLE member_default_limit ADD CONSTRAINT member_default_limit_hold_check CHECK ((hold = ANY (ARRAY['steps'::text, 'whole'::text])));
ALTER TABLE member_default_limit ADD CONSTRAINT member_default_limit_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text])));
ALTER TABLE member_default_limit ADD CONSTRAINT member_default_limit_pkey PRIMARY KEY (member_id, period, rank);
ALTER TABLE member_default_limit ADD CONSTRAINT member_default_limit_rank_check CHECK ((rank = ANY (ARRAY['machine'::text, 'owner'::text, 'admin'::text, 'workspace'::text, 'holder'::text])));
ALTER TABLE member_default_rate ADD CONSTRAINT member_default_rate_kind_check CHECK ((kind = ANY (ARRAY['requests'::text, 'input_tokens'::text, 'output_tokens'::text])));
ALTER TABLE member_default_rate ADD CONSTRAINT member_default_rate_per_minute_check CHECK ((per_minute > 0));
ALTER TABLE member_default_rate ADD CONSTRAINT member_default_rate_pkey PRIMARY KEY (member_id, model_group, kind, rank);
ALTER TABLE member_default_rate ADD CONSTRAINT member_default_rate_rank_check CHECK ((rank = ANY (ARRAY['machine'::text, 'owner'::text, 'admin'::text, 'workspace'::text, 'holder'::text])));
ALTER TABLE member_group ADD CONSTRAINT member_group_allowed_models_check CHECK ((cardinality(allowed_models) > 0));
ALTER TABLE member_group ADD CONSTRAINT member_group_pkey PRIMARY KEY (id);
ALTER TABLE member_group ADD CONSTRAINT member_group_source_check CHECK ((source = ANY (ARRAY['direct'::text, 'scim'::text])));
ALTER TABLE member_preference ADD CONSTRAINT member_preference_date_format_check CHECK ((date_format = ANY (ARRAY['day_month_year'::text, 'month_day_year'::text, 'year_month_day'::text])));
ALTER TABLE member_preference ADD CONSTRAINT member_preference_pkey PRIMARY KEY (member_id);
ALTER TABLE message_batch ADD CONSTRAINT message_batch_check CHECK (((state <> ALL (ARRAY['running'::text, 'metered'::text])) OR (upstream_batch_id IS NOT NULL)));
ALTER TABLE message_batch ADD CONSTRAINT message_batch_hold_nano_usd_check CHECK ((hold_nano_usd >= 0));
ALTER TABLE message_batch ADD CONSTRAINT message_batch_line_count_check CHECK ((line_count >= 0));
ALTER TABLE message_batch ADD CONSTRAINT message_batch_pkey PRIMARY KEY (id);
ALTER TABLE message_batch ADD CONSTRAINT message_batch_state_check CHECK ((state = ANY (ARRAY['preparing'::text, 'held'::text, 'sent'::text, 'running'::text, 'metered'::text, 'refused'::text, 'unresolved'::text])));
ALTER TABLE message_batch_line ADD CONSTRAINT message_batch_line_hold_nano_usd_check CHECK ((hold_nano_usd >= 0));
ALTER TABLE message_batch_line ADD CONSTRAINT message_batch_line_pkey PRIMARY KEY (batch_id, custom_id);
ALTER TABLE neutral_feature ADD CONSTRAINT neutral_feature_kind_check CHECK ((kind = ANY (ARRAY['field'::text, 'tool'::text, 'block'::text, 'edit'::text])));
ALTER TABLE neutral_feature ADD CONSTRAINT neutral_feature_organization_id_kind_name_key UNIQUE (organization_id, kind, name);
ALTER TABLE neutral_feature ADD CONSTRAINT neutral_feature_pkey PRIMARY KEY (id);
ALTER TABLE node ADD CONSTRAINT node_pkey PRIMARY KEY (id);
ALTER TABLE organization ADD CONSTRAINT organization_group_limit_mode_check CHECK ((group_limit_mode = ANY (ARRAY['highest'::text, 'lowest'::text])));
ALTER TABLE organization ADD CONSTRAINT organization_pkey PRIMARY KEY (id);
ALTER TABLE owner_recovery ADD CONSTRAINT owner_recovery_pkey PRIMARY KEY (member_id);
ALTER TABLE personal_key_rules ADD CONSTRAINT personal_key_rules_personal_key_lifetime_days_check CHECK ((personal_key_lifetime_days > 0));
ALTER TABLE personal_key_rules ADD CONSTRAINT personal_key_rules_personal_key_models_check CHECK ((cardinality(personal_key_models) > 0));
ALTER TABLE personal_key_rules ADD CONSTRAINT personal_key_rules_personal_keys_check CHECK ((personal_keys = ANY (ARRAY['off'::text, 'members'::text, 'everyone'::text])));
ALTER TABLE personal_key_rules ADD CONSTRAINT personal_key_rules_personal_keys_per_member_check CHECK ((personal_keys_per_member > 0));
ALTER TABLE personal_key_rules ADD CONSTRAINT personal_key_rules_pkey PRIMARY KEY (workspace_id);
ALTER TABLE price_override ADD CONSTRAINT price_override_cache_read_nano_usd_check CHECK ((cache_read_nano_usd >= 0));
ALTER TABLE price_override ADD CONSTRAINT price_override_cache_write_1h_nano_usd_check CHECK ((cache_write_1h_nano_usd >= 0));
ALTER TABLE price_override ADD CONSTRAINT price_override_cache_write_5m_nano_usd_check CHECK ((cache_write_5m_nano_usd >= 0));
ALTER TABLE price_override ADD CONSTRAINT price_override_input_nano_usd_check CHECK ((input_nano_usd >= 0));
ALTER TABLE price_override ADD CONSTRAINT price_override_organization_id_model_effective_from_key UNIQUE (organization_id, model, effective_from);
ALTER TABLE price_override ADD CONSTRAINT price_override_output_nano_usd_check CHECK ((output_nano_usd >= 0));
ALTER TABLE price_override ADD CONSTRAINT price_override_pkey PRIMARY KEY (id);
ALTER TABLE rate_bucket ADD CONSTRAINT rate_bucket_kind_check CHECK ((kind = ANY (ARRAY['requests'::text, 'input_tokens'::text, 'output_tokens'::text])));
ALTER TABLE rate_bucket ADD CONSTRAINT rate_bucket_pkey PRIMARY KEY (rate_limit_id, kind);
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_check CHECK ((num_nonnulls(requests_per_minute, input_tokens_per_minute, output_tokens_per_minute) > 0));
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_input_tokens_per_minute_check CHECK ((input_tokens_per_minute > 0));
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_output_tokens_per_minute_check CHECK ((output_tokens_per_minute > 0));
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_pkey PRIMARY KEY (id);
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_requests_per_minute_check CHECK ((requests_per_minute > 0));
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'group_member'::text])));
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_scope_type_scope_id_model_group_key UNIQUE (scope_type, scope_id, model_group);
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_check CHECK ((num_nonnulls(requests_per_minute, input_tokens_per_minute, output_tokens_per_minute) > 0));
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_input_tokens_per_minute_check CHECK ((input_tokens_per_minute > 0));
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_output_tokens_per_minute_check CHECK ((output_tokens_per_minute > 0));
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_pkey PRIMARY KEY (scope_id, scope_type, model_group, rank);
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_rank_check CHECK ((rank = ANY (ARRAY['machine'::text, 'owner'::text, 'admin'::text, 'workspace'::text, 'holder'::text])));
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_requests_per_minute_check CHECK ((requests_per_minute > 0));
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'group_member'::text])));
ALTER TABLE rate_limits_version ADD CONSTRAINT rate_limits_version_is_only_row_check CHECK (is_only_row);
ALTER TABLE rate_limits_version ADD CONSTRAINT rate_limits_version_pkey PRIMARY KEY (is_only_row);
ALTER TABLE refusal_hour ADD CONSTRAINT refusal_hour_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, error_code, model);
ALTER TABLE refusal_hour ADD CONSTRAINT refusal_minute_check CHECK (((workspace_id = ''::text) = (api_key_id = ''::text)));
ALTER TABLE refusal_hour ADD CONSTRAINT refusal_minute_requests_check CHECK ((requests > 0));
ALTER TABLE refusal_minute ADD CONSTRAINT refusal_minute_check CHECK (((workspace_id = ''::text) = (api_key_id = ''::text)));
ALTER TABLE refusal_minute ADD CONSTRAINT refusal_minute_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, error_code, model);
ALTER TABLE refusal_minute ADD CONSTRAINT refusal_minute_requests_check CHECK ((requests > 0));
ALTER TABLE refusal_recent ADD CONSTRAINT refusal_recent_check CHECK (((workspace_id = ''::text) = (api_key_id = ''::text)));
ALTER TABLE refusal_recent ADD CONSTRAINT refusal_recent_pkey PRIMARY KEY (organization_id, api_key_id, refused_at, request_id);
ALTER TABLE refused_request ADD CONSTRAINT refused_request_pkey PRIMARY KEY (api_key_id, minute_at);
ALTER TABLE refused_request_hour ADD CONSTRAINT refused_request_hour_pkey PRIMARY KEY (api_key_id, hour_at);
ALTER TABLE retention_mark ADD CONSTRAINT retention_mark_is_only_row_check CHECK (is_only_row);
ALTER TABLE retention_mark ADD CONSTRAINT retention_mark_pkey PRIMARY KEY (is_only_row);
ALTER TABLE retired_audit_key ADD CONSTRAINT retired_audit_key_pkey PRIMARY KEY (organization_id, through_seq);
ALTER TABLE rollup_progress ADD CONSTRAINT rollup_progress_is_only_row_check CHECK (is_only_row);
ALTER TABLE rollup_progress ADD CONSTRAINT rollup_progress_pkey PRIMARY KEY (is_only_row);
ALTER TABLE rotation_notice ADD CONSTRAINT rotation_notice_kind_check CHECK ((kind = ANY (ARRAY['due'::text, 'overdue'::text, 'expired'::text])));
ALTER TABLE rotation_notice ADD CONSTRAINT rotation_notice_pkey PRIMARY KEY (api_key_secret_id, kind, policy_effective_at);
ALTER TABLE rotation_policy ADD CONSTRAINT rotation_policy_grace_days_check CHECK (((grace_days >= 1) AND (grace_days <= 365)));
ALTER TABLE rotation_policy ADD CONSTRAINT rotation_policy_pkey PRIMARY KEY (workspace_id);
ALTER TABLE rotation_policy ADD CONSTRAINT rotation_policy_remind_days_check CHECK (((remind_days >= 1) AND (remind_days <= 90)));
ALTER TABLE rotation_policy ADD CONSTRAINT rotation_policy_rotation_days_check CHECK (((rotation_days >= 1) AND (rotation_days <= 3650)));
ALTER TABLE schema_migration ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);
ALTER TABLE scim_group_member ADD CONSTRAINT scim_group_member_pkey PRIMARY KEY (group_id, member_id);
ALTER TABLE scim_token ADD CONSTRAINT scim_token_pkey PRIMARY KEY (id);
ALTER TABLE scim_token ADD CONSTRAINT scim_token_secret_hash_key UNIQUE (secret_hash);
ALTER TABLE scim_user ADD CONSTRAINT scim_user_pkey PRIMARY KEY (directory_id, member_id);
ALTER TABLE security_settings ADD CONSTRAINT security_settings_max_key_lifetime_days_check CHECK (((max_key_lifetime_days >= 1) AND (max_key_lifetime_days <= 3650)));
ALTER TABLE security_settings ADD CONSTRAINT security_settings_max_keys_per_member_check CHECK (((max_keys_per_member >= 1) AND (max_keys_per_member <= 10000)));
ALTER TABLE security_settings ADD CONSTRAINT security_settings_min_password_length_check CHECK (((min_password_length >= 12) AND (min_password_length <= 64)));
ALTER TABLE security_settings ADD CONSTRAINT security_settings_pkey PRIMARY KEY (organization_id);
ALTER TABLE security_settings ADD CONSTRAINT security_settings_second_factor_check CHECK ((second_factor = ANY (ARRAY['off'::text, 'admins'::text, 'all'::text])));
ALTER TABLE security_settings ADD CONSTRAINT security_settings_session_hours_check CHECK (((session_hours >= 1) AND (session_hours <= 720)));
ALTER TABLE security_settings ADD CONSTRAINT security_settings_session_idle_hours_check CHECK (((session_idle_hours >= 1) AND (session_idle_hours <= 168)));
ALTER TABLE set_up_link ADD CONSTRAINT set_up_link_pkey PRIMARY KEY (token_hash);
ALTER TABLE spend_adjustment ADD CONSTRAINT spend_adjustment_pkey PRIMARY KEY (id);
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_amount_nano_usd_check CHECK ((amount_nano_usd >= 0));
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_enforcement_check CHECK ((enforcement = ANY (ARRAY['strict'::text, 'soft'::text, 'alert_only'::text])));
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_hold_check CHECK ((hold = ANY (ARRAY['steps'::text, 'whole'::text])));
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_open_ended_hold_nano_usd_check CHECK ((open_ended_hold_nano_usd > 0));
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text])));
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_pkey PRIMARY KEY (id);
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'tag'::text, 'group_member'::text])));
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_scope_type_scope_id_period_key UNIQUE (scope_type, scope_id, period);
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_unknown_features_check CHECK ((unknown_features = ANY (ARRAY['hold'::text, 'refuse'::text])));
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_amount_nano_usd_check CHECK ((amount_nano_usd > 0));
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_check CHECK (((status = 'pending'::text) = (resolved_at IS NULL)));
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text])));
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_pkey PRIMARY KEY (id);
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_requester_type_check CHECK ((requester_type = ANY (ARRAY['member'::text, 'api_key'::text, 'admin_key'::text, 'local_operator'::text])));
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'tag'::text])));
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'withdrawn'::text])));
ALTER TABLE spend_limit_raise ADD CONSTRAINT spend_limit_raise_pkey PRIMARY KEY (id);
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_amount_nano_usd_check CHECK ((amount_nano_usd >= 0));
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_enforcement_check CHECK ((enforcement = ANY (ARRAY['strict'::text, 'soft'::text, 'alert_only'::text])));
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_hold_check CHECK ((hold = ANY (ARRAY['steps'::text, 'whole'::text])));
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_open_ended_hold_nano_usd_check CHECK ((open_ended_hold_nano_usd > 0));
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text])));
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_pkey PRIMARY KEY (scope_id, scope_type, period, rank);
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_rank_check CHECK ((rank = ANY (ARRAY['machine'::text, 'owner'::text, 'admin'::text, 'workspace'::text, 'holder'::text])));
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text, 'member'::text, 'group'::text, 'tag'::text, 'group_member'::text])));
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_unknown_features_check CHECK ((unknown_features = ANY (ARRAY['hold'::text, 'refuse'::text])));
ALTER TABLE statement ADD CONSTRAINT statement_month_check CHECK ((EXTRACT(day FROM month) = (1)::numeric));
ALTER TABLE statement ADD CONSTRAINT statement_pkey PRIMARY KEY (organization_id, month);
ALTER TABLE statement_line ADD CONSTRAINT statement_line_kind_check CHECK ((kind = ANY (ARRAY['usage'::text, 'simulated'::text, 'adjustment'::text])));
ALTER TABLE statement_line ADD CONSTRAINT statement_line_pkey PRIMARY KEY (organization_id, month, place);
ALTER TABLE statement_name ADD CONSTRAINT statement_name_kind_check CHECK ((kind = ANY (ARRAY['workspace'::text, 'api_key'::text, 'member'::text, 'group'::text])));
ALTER TABLE statement_name ADD CONSTRAINT statement_name_pkey PRIMARY KEY (organization_id, month, kind, id);
ALTER TABLE statement_usage ADD CONSTRAINT statement_usage_pkey PRIMARY KEY (organization_id, month, for_month);
ALTER TABLE tag ADD CONSTRAINT tag_organization_id_name_value_key UNIQUE (organization_id, name, value);
ALTER TABLE tag ADD CONSTRAINT tag_pkey PRIMARY KEY (id);
ALTER TABLE tag ADD CONSTRAINT tag_value_check CHECK ((value <> ''::text));
ALTER TABLE telemetry_receiver ADD CONSTRAINT telemetry_receiver_pkey PRIMARY KEY (id);
ALTER TABLE telemetry_receiver ADD CONSTRAINT telemetry_receiver_signals_check CHECK (((signals <@ ARRAY['metrics'::text, 'logs'::text, 'traces'::text]) AND (cardinality(signals) > 0)));
ALTER TABLE telemetry_receiver ADD CONSTRAINT telemetry_receiver_version_check CHECK ((version > 0));
ALTER TABLE upstream ADD CONSTRAINT upstream_default_position CHECK ((default_position >= 0));
ALTER TABLE upstream ADD CONSTRAINT upstream_of_organization UNIQUE (organization_id, id);
ALTER TABLE upstream ADD CONSTRAINT upstream_pkey PRIMARY KEY (id);
ALTER TABLE upstream ADD CONSTRAINT upstream_provider CHECK ((provider = ANY (ARRAY['anthropic'::text, 'bedrock'::text, 'vertex'::text, 'foundry'::text])));
ALTER TABLE upstream_node_health ADD CONSTRAINT upstream_node_health_answers_check CHECK ((answers >= 0));
ALTER TABLE upstream_node_health ADD CONSTRAINT upstream_node_health_failures_check CHECK ((failures >= 0));
ALTER TABLE upstream_node_health ADD CONSTRAINT upstream_node_health_failures_in_row_check CHECK ((failures_in_row >= 0));
ALTER TABLE upstream_node_health ADD CONSTRAINT upstream_node_health_pkey PRIMARY KEY (upstream_id, node_id);
ALTER TABLE upstream_node_health ADD CONSTRAINT upstream_node_health_state_check CHECK ((state = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text])));
ALTER TABLE upstream_object ADD CONSTRAINT upstream_object_id_check CHECK (((length(id) >= 1) AND (length(id) <= 128)));
ALTER TABLE upstream_object ADD CONSTRAINT upstream_object_kind_check CHECK ((kind = ANY (ARRAY['file'::text, 'skill'::text, 'container'::text, 'thread'::text, 'message_batch'::text])));
ALTER TABLE upstream_object ADD CONSTRAINT upstream_object_pkey PRIMARY KEY (upstream_id, kind, id);
ALTER TABLE upstream_order_version ADD CONSTRAINT upstream_order_version_pkey PRIMARY KEY (organization_id, workspace_id);
ALTER TABLE upstream_order_version ADD CONSTRAINT upstream_order_version_version_check CHECK ((version > 0));
ALTER TABLE usage_attributed_day ADD CONSTRAINT usage_attributed_day_pkey PRIMARY KEY (organization_id, bucket_at, attribution_id, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_attributed_hour ADD CONSTRAINT usage_attributed_hour_pkey PRIMARY KEY (organization_id, bucket_at, attribution_id, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_attributed_month ADD CONSTRAINT usage_attributed_month_pkey PRIMARY KEY (organization_id, bucket_at, attribution_id, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_attribution ADD CONSTRAINT usage_attribution_pkey PRIMARY KEY (id);
ALTER TABLE usage_batch ADD CONSTRAINT usage_batch_pkey PRIMARY KEY (id);
ALTER TABLE usage_day ADD CONSTRAINT usage_day_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_event ADD CONSTRAINT usage_event_outcome_check CHECK ((outcome = ANY (ARRAY['answered'::text, 'refused'::text, 'unreached'::text, 'aborted'::text, 'interrupted'::text])));
ALTER TABLE usage_event ADD CONSTRAINT usage_event_pkey PRIMARY KEY (started_at, request_id);
ALTER TABLE usage_hour ADD CONSTRAINT usage_hour_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_key_day ADD CONSTRAINT usage_key_day_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id);
ALTER TABLE usage_key_month ADD CONSTRAINT usage_key_month_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id);
ALTER TABLE usage_key_week ADD CONSTRAINT usage_key_week_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id);
ALTER TABLE usage_labels ADD CONSTRAINT usage_labels_pkey PRIMARY KEY (id);
ALTER TABLE usage_member_day ADD CONSTRAINT usage_member_day_pkey PRIMARY KEY (organization_id, bucket_at, member_id, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_member_hour ADD CONSTRAINT usage_member_hour_pkey PRIMARY KEY (organization_id, bucket_at, member_id, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_member_week ADD CONSTRAINT usage_member_week_pkey PRIMARY KEY (organization_id, bucket_at, member_id, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_month ADD CONSTRAINT usage_month_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_node ADD CONSTRAINT usage_node_pkey PRIMARY KEY (id);
ALTER TABLE usage_organization_day ADD CONSTRAINT usage_organization_day_pkey PRIMARY KEY (organization_id, bucket_at, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_organization_hour ADD CONSTRAINT usage_organization_hour_pkey PRIMARY KEY (organization_id, bucket_at, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_organization_minute ADD CONSTRAINT usage_organization_minute_pkey PRIMARY KEY (organization_id, bucket_at, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_prices ADD CONSTRAINT usage_prices_pkey PRIMARY KEY (id);
ALTER TABLE usage_record ADD CONSTRAINT usage_record_doubt_code_check CHECK (((doubt_code >= 1) AND (doubt_code <= 3)));
ALTER TABLE usage_record ADD CONSTRAINT usage_record_outcome_code_check CHECK (((outcome_code >= 0) AND (outcome_code <= 4)));
ALTER TABLE usage_settings ADD CONSTRAINT usage_settings_log_retention_days_check CHECK (((log_retention_days >= 7) AND (log_retention_days <= 36500)));
ALTER TABLE usage_settings ADD CONSTRAINT usage_settings_pkey PRIMARY KEY (organization_id);
ALTER TABLE usage_week ADD CONSTRAINT usage_week_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE usage_weeks ADD CONSTRAINT usage_weeks_is_only_row_check CHECK (is_only_row);
ALTER TABLE usage_weeks ADD CONSTRAINT usage_weeks_pkey PRIMARY KEY (is_only_row);
ALTER TABLE usage_workspace_day ADD CONSTRAINT usage_workspace_day_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id);
ALTER TABLE usage_workspace_hour ADD CONSTRAINT usage_workspace_hour_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id);
ALTER TABLE waiting_secret ADD CONSTRAINT waiting_secret_api_key_id_key UNIQUE (api_key_id);
ALTER TABLE waiting_secret ADD CONSTRAINT waiting_secret_pkey PRIMARY KEY (id);
ALTER TABLE waiting_secret ADD CONSTRAINT waiting_secret_reason_check CHECK ((reason = ANY (ARRAY['created'::text, 'rotated'::text])));
ALTER TABLE workspace ADD CONSTRAINT workspace_pkey PRIMARY KEY (id);
ALTER TABLE workspace_member ADD CONSTRAINT workspace_member_pkey PRIMARY KEY (workspace_id, member_id);
ALTER TABLE workspace_member ADD CONSTRAINT workspace_member_role_check CHECK ((role = ANY (ARRAY['workspace_admin'::text, 'workspace_developer'::text, 'workspace_restricted_developer'::text, 'workspace_user'::text])));
ALTER TABLE workspace_upstream ADD CONSTRAINT workspace_upstream_once UNIQUE (workspace_id, upstream_id);
ALTER TABLE workspace_upstream ADD CONSTRAINT workspace_upstream_pkey PRIMARY KEY (workspace_id, "position");
ALTER TABLE workspace_upstream ADD CONSTRAINT workspace_upstream_position_check CHECK (("position" >= 0));
ALTER TABLE access_review ADD CONSTRAINT access_review_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE access_review ADD CONSTRAINT access_review_previous_id_fkey FOREIGN KEY (previous_id) REFERENCES access_review(id);
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_access_review_id_fkey FOREIGN KEY (access_review_id) REFERENCES access_review(id);
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_admin_key_id_fkey FOREIGN KEY (admin_key_id) REFERENCES admin_key(id);
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key(id);
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_decided_by_id_fkey FOREIGN KEY (decided_by_id) REFERENCES member(id);
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE access_review_item ADD CONSTRAINT access_review_item_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE access_review_reminder ADD CONSTRAINT access_review_reminder_access_review_id_fkey FOREIGN KEY (access_review_id) REFERENCES access_review(id);
ALTER TABLE access_review_reminder ADD CONSTRAINT access_review_reminder_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE access_review_reviewer ADD CONSTRAINT access_review_reviewer_access_review_id_fkey FOREIGN KEY (access_review_id) REFERENCES access_review(id);
ALTER TABLE access_review_reviewer ADD CONSTRAINT access_review_reviewer_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE admin_key ADD CONSTRAINT admin_key_contact_member_id_fkey FOREIGN KEY (contact_member_id) REFERENCES member(id);
ALTER TABLE admin_key ADD CONSTRAINT admin_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE alert ADD CONSTRAINT alert_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE alert_channel ADD CONSTRAINT alert_channel_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE alert_channel_secret ADD CONSTRAINT alert_channel_secret_alert_channel_id_fkey FOREIGN KEY (alert_channel_id) REFERENCES alert_channel(id);
ALTER TABLE alert_delivery ADD CONSTRAINT alert_delivery_alert_channel_id_fkey FOREIGN KEY (alert_channel_id) REFERENCES alert_channel(id);
ALTER TABLE alert_delivery ADD CONSTRAINT alert_delivery_alert_firing_id_fkey FOREIGN KEY (alert_firing_id) REFERENCES alert_firing(id);
ALTER TABLE alert_delivery ADD CONSTRAINT alert_delivery_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE alert_delivery_firing ADD CONSTRAINT alert_delivery_firing_alert_delivery_id_fkey FOREIGN KEY (alert_delivery_id) REFERENCES alert_delivery(id) ON DELETE CASCADE;
ALTER TABLE alert_delivery_firing ADD CONSTRAINT alert_delivery_firing_alert_firing_id_fkey FOREIGN KEY (alert_firing_id) REFERENCES alert_firing(id);
ALTER TABLE alert_episode ADD CONSTRAINT alert_episode_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert(id);
ALTER TABLE alert_firing ADD CONSTRAINT alert_firing_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert(id);
ALTER TABLE alert_firing ADD CONSTRAINT alert_firing_covered_by_id_fkey FOREIGN KEY (covered_by_id) REFERENCES alert_firing(id);
ALTER TABLE alert_firing ADD CONSTRAINT alert_firing_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE alert_firing ADD CONSTRAINT alert_firing_told_with_id_fkey FOREIGN KEY (told_with_id) REFERENCES alert_firing(id);
ALTER TABLE alert_to_channel ADD CONSTRAINT alert_to_channel_alert_channel_id_fkey FOREIGN KEY (alert_channel_id) REFERENCES alert_channel(id);
ALTER TABLE alert_to_channel ADD CONSTRAINT alert_to_channel_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert(id);
ALTER TABLE api_key ADD CONSTRAINT api_key_contact_member_id_fkey FOREIGN KEY (contact_member_id) REFERENCES member(id);
ALTER TABLE api_key ADD CONSTRAINT api_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE api_key ADD CONSTRAINT api_key_owner_member_id_fkey FOREIGN KEY (owner_member_id) REFERENCES member(id);
ALTER TABLE api_key ADD CONSTRAINT api_key_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE api_key_network ADD CONSTRAINT api_key_network_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key(id);
ALTER TABLE api_key_restriction ADD CONSTRAINT api_key_restriction_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key(id) ON DELETE CASCADE;
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key(id);
ALTER TABLE api_key_secret ADD CONSTRAINT api_key_secret_auth_session_id_fkey FOREIGN KEY (auth_session_id) REFERENCES auth_session(id) ON DELETE CASCADE;
ALTER TABLE audit_checkpoint ADD CONSTRAINT audit_checkpoint_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE audit_event ADD CONSTRAINT audit_event_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE audit_head ADD CONSTRAINT audit_head_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE auth_account ADD CONSTRAINT auth_account_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth_user(id) ON DELETE CASCADE;
ALTER TABLE auth_device ADD CONSTRAINT auth_device_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth_user(id) ON DELETE CASCADE;
ALTER TABLE auth_passkey ADD CONSTRAINT auth_passkey_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth_user(id) ON DELETE CASCADE;
ALTER TABLE auth_session ADD CONSTRAINT auth_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth_user(id) ON DELETE CASCADE;
ALTER TABLE auth_two_factor ADD CONSTRAINT auth_two_factor_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth_user(id) ON DELETE CASCADE;
ALTER TABLE auth_used_code ADD CONSTRAINT auth_used_code_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth_user(id) ON DELETE CASCADE;
ALTER TABLE auth_user ADD CONSTRAINT auth_user_id_fkey FOREIGN KEY (id) REFERENCES member(id);
ALTER TABLE balance ADD CONSTRAINT balance_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE claimed_membership ADD CONSTRAINT claimed_membership_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE claimed_membership ADD CONSTRAINT claimed_membership_group_id_member_id_fkey FOREIGN KEY (group_id, member_id) REFERENCES group_member(group_id, member_id) ON DELETE CASCADE;
ALTER TABLE contract_term ADD CONSTRAINT contract_term_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE device_authorization ADD CONSTRAINT device_authorization_laptop_id_fkey FOREIGN KEY (laptop_id) REFERENCES laptop(id) ON DELETE SET NULL;
ALTER TABLE directory ADD CONSTRAINT directory_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE directory_group ADD CONSTRAINT directory_group_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE directory_group ADD CONSTRAINT directory_group_group_id_fkey FOREIGN KEY (group_id) REFERENCES member_group(id) ON DELETE CASCADE;
ALTER TABLE directory_identity ADD CONSTRAINT directory_identity_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE directory_identity ADD CONSTRAINT directory_identity_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE directory_logout ADD CONSTRAINT directory_logout_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE directory_role ADD CONSTRAINT directory_role_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE directory_session ADD CONSTRAINT directory_session_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE directory_session ADD CONSTRAINT directory_session_session_id_fkey FOREIGN KEY (session_id) REFERENCES auth_session(id) ON DELETE CASCADE;
ALTER TABLE directory_sign_in ADD CONSTRAINT directory_sign_in_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE directory_sign_in ADD CONSTRAINT directory_sign_in_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE evidence_key ADD CONSTRAINT evidence_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE exceeded_bound ADD CONSTRAINT exceeded_bound_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE group_member ADD CONSTRAINT group_member_group_id_fkey FOREIGN KEY (group_id) REFERENCES member_group(id);
ALTER TABLE group_member ADD CONSTRAINT group_member_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE group_workspace ADD CONSTRAINT group_workspace_group_id_fkey FOREIGN KEY (group_id) REFERENCES member_group(id);
ALTER TABLE group_workspace ADD CONSTRAINT group_workspace_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE held_key ADD CONSTRAINT held_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE invite ADD CONSTRAINT invite_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE invite ADD CONSTRAINT invite_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE invite_group ADD CONSTRAINT invite_group_group_id_fkey FOREIGN KEY (group_id) REFERENCES member_group(id);
ALTER TABLE invite_group ADD CONSTRAINT invite_group_invite_id_fkey FOREIGN KEY (invite_id) REFERENCES invite(id);
ALTER TABLE invite_workspace ADD CONSTRAINT invite_workspace_invite_id_fkey FOREIGN KEY (invite_id) REFERENCES invite(id);
ALTER TABLE invite_workspace ADD CONSTRAINT invite_workspace_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE laptop ADD CONSTRAINT laptop_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE laptop ADD CONSTRAINT laptop_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE laptop ADD CONSTRAINT laptop_secret_id_fkey FOREIGN KEY (secret_id) REFERENCES api_key_secret(id);
ALTER TABLE laptop ADD CONSTRAINT laptop_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE lease ADD CONSTRAINT lease_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE limit_overrun ADD CONSTRAINT limit_overrun_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE mail ADD CONSTRAINT mail_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE managed_settings_version ADD CONSTRAINT managed_settings_version_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE member ADD CONSTRAINT member_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE member_default_limit ADD CONSTRAINT member_default_limit_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE member_default_limit ADD CONSTRAINT member_default_limit_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE member_default_rate ADD CONSTRAINT member_default_rate_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE member_default_rate ADD CONSTRAINT member_default_rate_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE member_group ADD CONSTRAINT member_group_directory FOREIGN KEY (directory_id) REFERENCES directory(id);
ALTER TABLE member_group ADD CONSTRAINT member_group_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE member_preference ADD CONSTRAINT member_preference_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE member_preference ADD CONSTRAINT member_preference_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE message_batch ADD CONSTRAINT message_batch_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE message_batch_line ADD CONSTRAINT message_batch_line_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES message_batch(id) ON DELETE CASCADE;
ALTER TABLE neutral_feature ADD CONSTRAINT neutral_feature_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE owner_recovery ADD CONSTRAINT owner_recovery_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id) ON DELETE CASCADE;
ALTER TABLE personal_key_rules ADD CONSTRAINT personal_key_rules_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE price_override ADD CONSTRAINT price_override_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE rate_limit ADD CONSTRAINT rate_limit_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE rate_limit_value ADD CONSTRAINT rate_limit_value_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE refusal_hour ADD CONSTRAINT refusal_hour_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE refusal_minute ADD CONSTRAINT refusal_minute_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE refusal_recent ADD CONSTRAINT refusal_recent_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE refused_request ADD CONSTRAINT refused_request_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key(id);
ALTER TABLE refused_request ADD CONSTRAINT refused_request_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE refused_request_hour ADD CONSTRAINT refused_request_hour_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key(id);
ALTER TABLE refused_request_hour ADD CONSTRAINT refused_request_hour_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE retired_audit_key ADD CONSTRAINT retired_audit_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE rotation_notice ADD CONSTRAINT rotation_notice_api_key_secret_id_fkey FOREIGN KEY (api_key_secret_id) REFERENCES api_key_secret(id);
ALTER TABLE rotation_policy ADD CONSTRAINT rotation_policy_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE scim_group_member ADD CONSTRAINT scim_group_member_group_id_fkey FOREIGN KEY (group_id) REFERENCES member_group(id) ON DELETE CASCADE;
ALTER TABLE scim_group_member ADD CONSTRAINT scim_group_member_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE scim_token ADD CONSTRAINT scim_token_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE scim_token ADD CONSTRAINT scim_token_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE scim_user ADD CONSTRAINT scim_user_directory_id_fkey FOREIGN KEY (directory_id) REFERENCES directory(id) ON DELETE CASCADE;
ALTER TABLE scim_user ADD CONSTRAINT scim_user_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE security_settings ADD CONSTRAINT security_settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE set_up_link ADD CONSTRAINT set_up_link_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE spend_adjustment ADD CONSTRAINT spend_adjustment_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE spend_limit ADD CONSTRAINT spend_limit_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE spend_limit_increase_request ADD CONSTRAINT spend_limit_increase_request_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE spend_limit_value ADD CONSTRAINT spend_limit_value_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE statement ADD CONSTRAINT statement_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE statement_line ADD CONSTRAINT statement_line_organization_id_month_fkey FOREIGN KEY (organization_id, month) REFERENCES statement(organization_id, month);
ALTER TABLE statement_name ADD CONSTRAINT statement_name_organization_id_month_fkey FOREIGN KEY (organization_id, month) REFERENCES statement(organization_id, month);
ALTER TABLE statement_usage ADD CONSTRAINT statement_usage_organization_id_month_fkey FOREIGN KEY (organization_id, month) REFERENCES statement(organization_id, month);
ALTER TABLE tag ADD CONSTRAINT tag_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE telemetry_receiver ADD CONSTRAINT telemetry_receiver_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE upstream ADD CONSTRAINT upstream_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE upstream_node_health ADD CONSTRAINT upstream_node_health_upstream_id_fkey FOREIGN KEY (upstream_id) REFERENCES upstream(id) ON DELETE CASCADE;
ALTER TABLE upstream_object ADD CONSTRAINT upstream_object_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE upstream_order_version ADD CONSTRAINT upstream_order_version_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE usage_settings ADD CONSTRAINT usage_settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE waiting_secret ADD CONSTRAINT waiting_secret_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key(id) ON DELETE CASCADE;
ALTER TABLE waiting_secret ADD CONSTRAINT waiting_secret_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE waiting_secret ADD CONSTRAINT waiting_secret_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE workspace ADD CONSTRAINT workspace_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE workspace_member ADD CONSTRAINT workspace_member_member_id_fkey FOREIGN KEY (member_id) REFERENCES member(id);
ALTER TABLE workspace_member ADD CONSTRAINT workspace_member_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);
ALTER TABLE workspace_upstream ADD CONSTRAINT workspace_upstream_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization(id);
ALTER TABLE workspace_upstream ADD CONSTRAINT workspace_upstream_organization_id_upstream_id_fkey FOREIGN KEY (organization_id, upstream_id) REFERENCES upstream(organization_id, id);
ALTER TABLE workspace_upstream ADD CONSTRAINT workspace_upstream_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES workspace(id);

CREATE INDEX access_review_by_organization ON access_review USING btree (organization_id, created_at, id);
CREATE INDEX access_review_item_to_apply ON access_review_item USING btree (access_review_id, "position") WHERE (result IS NULL);
CREATE INDEX access_review_recurring ON access_review USING btree (begins_at) WHERE (recurrence <> 'none'::text);
CREATE INDEX access_review_reviewer_by_member ON access_review_reviewer USING btree (member_id);
CREATE INDEX access_review_running ON access_review USING btree (due_at) WHERE (status = ANY (ARRAY['open'::text, 'applying'::text]));
CREATE INDEX admin_key_by_organization ON admin_key USING btree (organization_id, created_at, id);
CREATE INDEX alert_by_organization ON alert USING btree (organization_id, created_at, id);
CREATE INDEX alert_by_scope ON alert USING btree (scope_type, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX alert_channel_by_organization ON alert_channel USING btree (organization_id, created_at, id);
CREATE INDEX alert_channel_secret_by_channel ON alert_channel_secret USING btree (alert_channel_id);
CREATE INDEX alert_delivery_by_batch ON alert_delivery USING btree (batch_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX alert_delivery_by_channel ON alert_delivery USING btree (alert_channel_id, created_at, id);
CREATE INDEX alert_delivery_collecting ON alert_delivery USING btree (alert_channel_id) WHERE ((status = 'queued'::text) AND (collects_until IS NOT NULL));
CREATE INDEX alert_delivery_firing_by_firing ON alert_delivery_firing USING btree (alert_firing_id);
CREATE UNIQUE INDEX alert_delivery_once ON alert_delivery USING btree (alert_firing_id, alert_channel_id) NULLS NOT DISTINCT WHERE (alert_firing_id IS NOT NULL);
CREATE INDEX alert_delivery_unresolved ON alert_delivery USING btree (alert_channel_id) WHERE ((status = 'sent'::text) AND (resolved_at IS NULL));
CREATE INDEX alert_delivery_waiting ON alert_delivery USING btree (created_at) WHERE (status = 'queued'::text);
CREATE INDEX alert_firing_by_alert ON alert_firing USING btree (alert_id, fired_at, id);
CREATE INDEX alert_firing_by_time ON alert_firing USING btree (organization_id, fired_at, id);
CREATE INDEX alert_firing_covered_by ON alert_firing USING btree (covered_by_id) WHERE (covered_by_id IS NOT NULL);
CREATE INDEX alert_firing_open ON alert_firing USING btree (organization_id, fired_at) WHERE (acknowledged_at IS NULL);
CREATE INDEX alert_firing_told_with ON alert_firing USING btree (told_with_id) WHERE (told_with_id IS NOT NULL);
CREATE INDEX alert_to_channel_by_channel ON alert_to_channel USING btree (alert_channel_id);
CREATE INDEX api_key_allowed_origins ON api_key USING btree (id) WHERE (allowed_origins IS NOT NULL);
CREATE INDEX api_key_by_organization ON api_key USING btree (organization_id, created_at, id);
CREATE INDEX api_key_by_owner ON api_key USING btree (owner_member_id) WHERE (owner_member_id IS NOT NULL);
CREATE INDEX api_key_by_workspace ON api_key USING btree (workspace_id, created_at, id);
CREATE UNIQUE INDEX api_key_claude_code ON api_key USING btree (owner_member_id, workspace_id) WHERE ((purpose = 'claude_code'::text) AND (status <> 'archived'::text));
CREATE INDEX api_key_network_by_time ON api_key_network USING btree (first_seen_at);
CREATE UNIQUE INDEX api_key_playground ON api_key USING btree (owner_member_id, workspace_id) WHERE (purpose = 'playground'::text);
CREATE INDEX api_key_secret_by_key ON api_key_secret USING btree (api_key_id);
CREATE INDEX api_key_secret_by_session ON api_key_secret USING btree (auth_session_id) WHERE (auth_session_id IS NOT NULL);
CREATE UNIQUE INDEX api_key_secret_current ON api_key_secret USING btree (api_key_id) WHERE (valid_until IS NULL);
CREATE INDEX audit_event_by_actor ON audit_event USING btree (organization_id, actor_id, created_at, seq);
CREATE INDEX audit_event_by_actor_type ON audit_event USING btree (organization_id, actor_type, created_at, seq);
CREATE INDEX audit_event_by_address ON audit_event USING btree (organization_id, ip_address, created_at, seq) WHERE (ip_address IS NOT NULL);
CREATE INDEX audit_event_by_assignment ON audit_event USING btree (organization_id, subject_id, workspace_id) WHERE (event = ANY (ARRAY['workspace_member.added'::text, 'workspace_member.updated'::text, 'group_member.added'::text]));
CREATE INDEX audit_event_by_event ON audit_event USING btree (organization_id, event text_pattern_ops, created_at, seq);
CREATE INDEX audit_event_by_request ON audit_event USING btree (organization_id, request_id);
CREATE INDEX audit_event_by_subject ON audit_event USING btree (organization_id, subject_id, created_at, seq);
CREATE INDEX audit_event_by_subject_type ON audit_event USING btree (organization_id, subject_type, created_at, seq);
CREATE INDEX audit_event_by_time ON audit_event USING btree (organization_id, created_at, seq);
CREATE INDEX audit_event_by_workspace ON audit_event USING btree (organization_id, workspace_id, created_at, seq) WHERE (workspace_id IS NOT NULL);
CREATE INDEX auth_account_by_user ON auth_account USING btree (user_id);
CREATE INDEX auth_attempt_by_time ON auth_attempt USING btree (full_at);
CREATE INDEX auth_device_by_user ON auth_device USING btree (user_id, last_used_at);
CREATE INDEX auth_passkey_by_user ON auth_passkey USING btree (user_id);
CREATE INDEX auth_session_by_last_use ON auth_session USING btree (last_used_at);
CREATE INDEX auth_session_by_user ON auth_session USING btree (user_id, started_at);
CREATE INDEX auth_verification_by_expiry ON auth_verification USING btree (expires_at);
CREATE INDEX auth_verification_by_identifier ON auth_verification USING btree (identifier);
CREATE INDEX backup_by_time ON backup USING btree (made_at);
CREATE INDEX balance_incomplete ON balance USING btree (scope_type, scope_id) WHERE (NOT is_complete);
CREATE INDEX claimed_change_by_time ON claimed_change USING btree (created_at);
CREATE INDEX claimed_membership_of_directory ON claimed_membership USING btree (directory_id, member_id);
CREATE INDEX device_authorization_by_end ON device_authorization USING btree (expires_at);
CREATE INDEX directory_group_of_group ON directory_group USING btree (group_id);
CREATE UNIQUE INDEX directory_identity_member ON directory_identity USING btree (directory_id, member_id);
CREATE INDEX directory_identity_of_member ON directory_identity USING btree (member_id);
CREATE UNIQUE INDEX directory_issuer ON directory USING btree (organization_id, issuer);
CREATE INDEX directory_logout_expiry ON directory_logout USING btree (expires_at);
CREATE INDEX directory_session_of_subject ON directory_session USING btree (directory_id, subject);
CREATE INDEX directory_sign_in_expiry ON directory_sign_in USING btree (expires_at);
CREATE INDEX group_member_by_member ON group_member USING btree (member_id);
CREATE INDEX group_member_by_time ON group_member USING btree (created_at);
CREATE INDEX group_workspace_by_workspace ON group_workspace USING btree (workspace_id);
CREATE INDEX held_key_by_organization ON held_key USING btree (organization_id);
CREATE INDEX invite_by_organization ON invite USING btree (organization_id, created_at, id);
CREATE INDEX invite_group_by_group ON invite_group USING btree (group_id);
CREATE UNIQUE INDEX invite_open ON invite USING btree (organization_id, email) WHERE is_open;
CREATE UNIQUE INDEX invite_token ON invite USING btree (token_hash);
CREATE INDEX laptop_by_member ON laptop USING btree (member_id);
CREATE INDEX laptop_by_organization ON laptop USING btree (organization_id, created_at DESC, id DESC);
CREATE INDEX lease_by_balance ON lease USING btree (scope_type, scope_id, period, period_start);
CREATE INDEX lease_of_nodes ON lease USING btree (scope_type, scope_id, period, period_start) WHERE (request_id = ''::text);
CREATE INDEX lease_unresolved ON lease USING btree (unresolved_since) WHERE (unresolved_since IS NOT NULL);
CREATE INDEX mail_about ON mail USING btree (about_id) WHERE (about_id IS NOT NULL);
CREATE INDEX mail_by_age ON mail USING btree (created_at);
CREATE INDEX mail_by_organization ON mail USING btree (organization_id, created_at, id);
CREATE INDEX mail_queued ON mail USING btree (created_at) WHERE (status = 'queued'::text);
CREATE INDEX member_by_organization ON member USING btree (organization_id, created_at, id);
CREATE UNIQUE INDEX member_email ON member USING btree (email) WHERE (status <> 'removed'::text);
CREATE INDEX member_group_by_organization ON member_group USING btree (organization_id, created_at, id);
CREATE INDEX member_group_directory_name ON member_group USING btree (directory_id, lower(name));
CREATE UNIQUE INDEX member_group_external_id ON member_group USING btree (directory_id, external_id);
CREATE INDEX message_batch_by_organization ON message_batch USING btree (organization_id, started_at, id);
CREATE INDEX message_batch_by_workspace ON message_batch USING btree (workspace_id, started_at);
CREATE INDEX message_batch_due ON message_batch USING btree (poll_at) WHERE (poll_at IS NOT NULL);
CREATE INDEX message_batch_retry ON message_batch USING btree (api_key_id, body_hash) WHERE (body_hash IS NOT NULL);
CREATE INDEX message_batch_unfinished ON message_batch USING btree (state) WHERE (state = ANY (ARRAY['preparing'::text, 'held'::text, 'sent'::text]));
CREATE UNIQUE INDEX message_batch_upstream ON message_batch USING btree (upstream_id, upstream_batch_id) WHERE (upstream_batch_id IS NOT NULL);
CREATE INDEX message_batch_waiting ON message_batch USING btree (waits_until) WHERE (waits_until IS NOT NULL);
CREATE INDEX rate_limit_by_organization ON rate_limit USING btree (organization_id, created_at);
CREATE INDEX refusal_hour_bucket_at_idx ON refusal_hour USING btree (bucket_at);
CREATE INDEX refusal_minute_by_time ON refusal_minute USING btree (bucket_at);
CREATE INDEX refusal_recent_by_time ON refusal_recent USING btree (organization_id, refused_at, request_id);
CREATE INDEX refused_request_by_time ON refused_request USING btree (organization_id, minute_at);
CREATE INDEX refused_request_hour_by_time ON refused_request_hour USING btree (organization_id, hour_at);
CREATE INDEX row_change_xact ON row_change USING btree (xact);
CREATE INDEX scim_group_member_by_member ON scim_group_member USING btree (member_id);
CREATE INDEX scim_token_by_directory ON scim_token USING btree (directory_id, created_at, id);
CREATE UNIQUE INDEX scim_user_external_id ON scim_user USING btree (directory_id, external_id) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX scim_user_name ON scim_user USING btree (directory_id, lower(user_name)) WHERE (deleted_at IS NULL);
CREATE INDEX scim_user_of_member ON scim_user USING btree (member_id);
CREATE INDEX spend_adjustment_by_request ON spend_adjustment USING btree (request_id);
CREATE INDEX spend_adjustment_by_time ON spend_adjustment USING btree (organization_id, started_at);
CREATE INDEX spend_limit_increase_request_by_time ON spend_limit_increase_request USING btree (organization_id, created_at, id);
CREATE UNIQUE INDEX spend_limit_increase_request_pending ON spend_limit_increase_request USING btree (requester_type, requester_id, scope_type, scope_id, period) WHERE (status = 'pending'::text);
CREATE INDEX spend_limit_raise_by_balance ON spend_limit_raise USING btree (scope_type, scope_id, period, period_start);
CREATE UNIQUE INDEX statement_line_adjustment ON statement_line USING btree (organization_id, adjustment_id) WHERE (adjustment_id <> ''::text);
CREATE INDEX tag_by_time ON tag USING btree (organization_id, created_at, id);
CREATE INDEX telemetry_receiver_of_organization ON telemetry_receiver USING btree (organization_id, created_at, id);
CREATE INDEX upstream_by_time ON upstream USING btree (organization_id, created_at, id);
CREATE INDEX upstream_object_by_expiry ON upstream_object USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX upstream_object_by_id ON upstream_object USING btree (workspace_id, kind, id);
CREATE INDEX upstream_object_by_organization ON upstream_object USING btree (organization_id, created_at, id);
CREATE INDEX upstream_object_by_workspace ON upstream_object USING btree (workspace_id, kind, created_at, id);
CREATE INDEX usage_attribution_by_organization ON usage_attribution USING btree (organization_id);
CREATE INDEX usage_event_by_key ON usage_event USING btree (organization_id, api_key_id, started_at);
CREATE INDEX usage_event_by_workspace ON usage_event USING btree (organization_id, workspace_id, started_at);
CREATE INDEX usage_event_failed ON usage_event USING btree (organization_id, started_at) WHERE (outcome <> ALL (ARRAY['answered'::text, 'aborted'::text]));
CREATE INDEX usage_key_month_by_member ON usage_key_month USING btree (organization_id, member_id, bucket_at, workspace_id, api_key_id);
CREATE INDEX usage_labels_by_key ON usage_labels USING btree (organization_id, api_key_id);
CREATE INDEX usage_labels_by_workspace ON usage_labels USING btree (organization_id, workspace_id);
CREATE INDEX usage_record_by_agent_session ON usage_record USING btree (agent_session_id, started_at) WHERE (agent_session_id IS NOT NULL);
CREATE INDEX usage_record_by_labels ON usage_record USING btree (labels_id, started_at);
CREATE INDEX usage_record_cut ON usage_record USING btree (started_at) WHERE (cut IS NOT NULL);
CREATE INDEX usage_record_doubtful ON usage_record USING btree (started_at) WHERE (doubt_code IS NOT NULL);
CREATE INDEX usage_record_failed ON usage_record USING btree (started_at) WHERE (outcome_code >= 2);
CREATE UNIQUE INDEX usage_record_once ON usage_record USING btree (started_at, hashtextextended(request_id, (0)::bigint));
CREATE INDEX usage_record_unbilled ON usage_record USING btree (started_at) WHERE has_unbilled_parts;
CREATE INDEX waiting_secret_member ON waiting_secret USING btree (member_id);
CREATE UNIQUE INDEX workspace_active_name ON workspace USING btree (organization_id, lower(name)) WHERE (archived_at IS NULL);
CREATE INDEX workspace_by_organization ON workspace USING btree (organization_id, created_at, id);
CREATE INDEX workspace_member_by_member ON workspace_member USING btree (member_id);
CREATE INDEX workspace_member_by_time ON workspace_member USING btree (created_at);
CREATE UNIQUE INDEX workspace_one_default ON workspace USING btree (organization_id) WHERE is_default;
CREATE INDEX workspace_upstream_by_upstream ON workspace_upstream USING btree (upstream_id);

CREATE VIEW balance_sum AS
 SELECT b.scope_type,
    b.scope_id,
    b.period,
    b.period_start,
    b.organization_id,
    b.settled_nano_usd,
    (b.leased_nano_usd + held.leased) AS leased_nano_usd,
    (b.unresolved_nano_usd + held.unresolved) AS unresolved_nano_usd,
    b.overrun_nano_usd,
    b.limit_overrun_nano_usd,
    b.is_complete
   FROM (balance b
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(of_node.amount) FILTER (WHERE (of_node.unresolved_since IS NULL)), (0)::numeric))::bigint AS leased,
            (COALESCE(sum(of_node.amount) FILTER (WHERE (of_node.unresolved_since IS NOT NULL)), (0)::numeric))::bigint AS unresolved
           FROM ( SELECT lease.unresolved_since,
                    GREATEST((lease.granted_nano_usd - COALESCE(draw.drawn_nano_usd, (0)::bigint)), (0)::bigint) AS amount
                   FROM (lease
                     LEFT JOIN lease_draw draw USING (node_id, scope_type, scope_id, period, period_start))
                  WHERE ((lease.request_id = ''::text) AND (lease.granted_nano_usd IS NOT NULL) AND (lease.scope_type = b.scope_type) AND (lease.scope_id = b.scope_id) AND (lease.period = b.period) AND (lease.period_start = b.period_start))) of_node) held);
CREATE VIEW given_workspace_role AS
 SELECT workspace_member.workspace_id,
    workspace_member.member_id,
    workspace_member.role,
    NULL::text AS group_id
   FROM workspace_member
UNION ALL
 SELECT given.workspace_id,
    held.member_id,
    given.role,
    given.group_id
   FROM (group_member held
     JOIN group_workspace given ON ((given.group_id = held.group_id)));
CREATE VIEW lease_left AS
 SELECT lease.node_id,
    lease.request_id,
    lease.scope_type,
    lease.scope_id,
    lease.period,
    lease.period_start,
    lease.organization_id,
    lease.unresolved_since,
        CASE
            WHEN (lease.granted_nano_usd IS NULL) THEN lease.amount_nano_usd
            ELSE GREATEST((lease.granted_nano_usd - COALESCE(draw.drawn_nano_usd, (0)::bigint)), (0)::bigint)
        END AS amount_nano_usd
   FROM (lease
     LEFT JOIN lease_draw draw ON (((lease.granted_nano_usd IS NOT NULL) AND (draw.node_id = lease.node_id) AND (draw.scope_type = lease.scope_type) AND (draw.scope_id = lease.scope_id) AND (draw.period = lease.period) AND (draw.period_start = lease.period_start))));
CREATE VIEW node_contact AS
 SELECT node.id,
    GREATEST(node.seen_at, lease_node.seen_at) AS seen_at,
    GREATEST(node.lease_expires_at, lease_node.expires_at) AS lease_expires_at,
    GREATEST(node.limits_version, lease_node.limits_version) AS limits_version,
    lease_node.awaited_until
   FROM (node
     LEFT JOIN lease_node ON ((lease_node.node_id = node.id)));
CREATE VIEW recorded_request AS
 SELECT record.request_id,
    hashtextextended(record.request_id, (0)::bigint) AS request_hash,
    record.started_at,
    (record.started_at + ((record.duration_ms)::double precision * '00:00:00.001'::interval)) AS ended_at,
    node.node_id,
    labels.organization_id,
    labels.workspace_id,
    labels.api_key_id,
    labels.member_id,
    (ARRAY['answered'::text, 'aborted'::text, 'refused'::text, 'unreached'::text, 'interrupted'::text])[(record.outcome_code + 1)] AS outcome,
    (record.outcome_code)::integer AS outcome_code,
    (record.http_status)::integer AS http_status,
    record.is_stream,
    record.is_estimated,
    record.is_unpriced,
    COALESCE(record.requested_model, labels.model) AS requested_model,
    labels.model,
    labels.service_tier,
    labels.context_window,
    labels.inference_geo,
    labels.speed,
    labels.client,
    COALESCE(record.input_tokens, (0)::bigint) AS input_tokens,
    COALESCE(record.cache_write_5m_tokens, (0)::bigint) AS cache_write_5m_tokens,
    COALESCE(record.cache_write_1h_tokens, (0)::bigint) AS cache_write_1h_tokens,
    COALESCE(record.cache_read_tokens, (0)::bigint) AS cache_read_tokens,
    COALESCE(record.output_tokens, (0)::bigint) AS output_tokens,
    COALESCE(record.web_searches, (0)::bigint) AS web_searches,
    COALESCE(record.input_cost_nano_usd, (0)::bigint) AS input_cost_nano_usd,
    COALESCE(record.cache_write_5m_cost_nano_usd, (0)::bigint) AS cache_write_5m_cost_nano_usd,
    COALESCE(record.cache_write_1h_cost_nano_usd, (0)::bigint) AS cache_write_1h_cost_nano_usd,
    COALESCE(record.cache_read_cost_nano_usd, (0)::bigint) AS cache_read_cost_nano_usd,
    COALESCE(record.output_cost_nano_usd, (0)::bigint) AS output_cost_nano_usd,
    COALESCE(record.web_search_cost_nano_usd, (0)::bigint) AS web_search_cost_nano_usd,
    COALESCE(record.cost_nano_usd, (0)::bigint) AS cost_nano_usd,
    prices.prices,
    record.upstream_request_id,
    record.first_byte_ms,
    record.hold_nano_usd,
    (ARRAY['impossible_usage'::text, 'missing_usage'::text, 'incomplete_usage'::text])[record.doubt_code] AS doubt,
    COALESCE(record.has_unbilled_parts, false) AS has_unbilled_parts,
    labels.group_ids,
    labels.tag_ids,
    labels.attribution_id,
    record.agent_session_id,
    record.prompt_id,
    record.agent_id,
    record.parent_agent_id,
    record.request_class,
    record.cut,
    split_part(record.served_by, ' '::text, 1) AS upstream_id,
    NULLIF(split_part(record.served_by, ' '::text, 2), ''::text) AS failover
   FROM (((usage_record record
     JOIN usage_labels labels ON ((labels.id = record.labels_id)))
     LEFT JOIN usage_prices prices ON ((prices.id = record.prices_id)))
     LEFT JOIN usage_node node ON ((node.id = record.usage_node_id)))
UNION ALL
 SELECT request_id,
    hashtextextended(request_id, (0)::bigint) AS request_hash,
    started_at,
    ended_at,
    node_id,
    organization_id,
    workspace_id,
    api_key_id,
    member_id,
    outcome,
    (array_position(ARRAY['answered'::text, 'aborted'::text, 'refused'::text, 'unreached'::text, 'interrupted'::text], outcome) - 1) AS outcome_code,
    http_status,
    is_stream,
    is_estimated,
    is_unpriced,
    requested_model,
    model,
    service_tier,
    context_window,
    inference_geo,
    speed,
    client,
    input_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    cache_read_tokens,
    output_tokens,
    web_searches,
    input_cost_nano_usd,
    cache_write_5m_cost_nano_usd,
    cache_write_1h_cost_nano_usd,
    cache_read_cost_nano_usd,
    output_cost_nano_usd,
    web_search_cost_nano_usd,
    cost_nano_usd,
    prices,
    upstream_request_id,
    first_byte_ms,
    hold_nano_usd,
    NULL::text AS doubt,
    false AS has_unbilled_parts,
    ''::text AS group_ids,
    ''::text AS tag_ids,
    0 AS attribution_id,
    NULL::text AS agent_session_id,
    NULL::text AS prompt_id,
    NULL::text AS agent_id,
    NULL::text AS parent_agent_id,
    NULL::text AS request_class,
    NULL::jsonb AS cut,
    NULL::text AS upstream_id,
    NULL::text AS failover
   FROM usage_event event;

CREATE OR REPLACE FUNCTION public.audit_prune(organization uuid, batch integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  deleted bigint;
BEGIN
  DELETE FROM audit_event e
  WHERE e.organization_id = organization AND e.seq IN (
    SELECT o.seq FROM audit_event o
    WHERE o.organization_id = organization
      AND o.seq <= (SELECT max(c.seq) FROM audit_checkpoint c WHERE c.organization_id = organization)
    ORDER BY o.seq LIMIT batch);
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN deleted;
END $function$
;
CREATE OR REPLACE FUNCTION public.audit_refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $function$
;
CREATE OR REPLACE FUNCTION public.audit_refuse_delete()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF EXISTS (SELECT FROM audit_checkpoint c WHERE c.organization_id = OLD.organization_id AND c.seq >= OLD.seq) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_event is append-only: DELETE is refused' USING ERRCODE = 'restrict_violation';
END $function$
;
CREATE OR REPLACE FUNCTION public.audit_refuse_rollback()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF NEW.organization_id = OLD.organization_id AND NEW.seq >= OLD.seq THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'audit_head never goes back: UPDATE is refused' USING ERRCODE = 'restrict_violation';
END $function$
;
CREATE OR REPLACE FUNCTION public.create_group_tags(of_organization uuid)
 RETURNS void
 LANGUAGE sql
AS $function$
  INSERT INTO tag (id, organization_id, name, value)
  SELECT tag_id(o.id, o.billing_group_tag, g.name), o.id, o.billing_group_tag, g.name
  FROM organization AS o JOIN member_group AS g ON g.organization_id = o.id
  WHERE o.id = of_organization AND o.billing_group_tag IS NOT NULL ORDER BY 1
  ON CONFLICT DO NOTHING
$function$
;
CREATE OR REPLACE FUNCTION public.create_tags()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO tag (id, organization_id, name, value)
  SELECT tag_id(NEW.organization_id, set.name, set.value), NEW.organization_id, set.name, set.value
  FROM jsonb_each_text(NEW.tags) AS set (name, value) WHERE set.value <> '' ORDER BY 1
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$function$
;
CREATE OR REPLACE FUNCTION public.create_tags_of_group()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM create_group_tags(NEW.organization_id);
  RETURN NULL;
END
$function$
;
CREATE OR REPLACE FUNCTION public.create_tags_of_organization()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM create_group_tags(NEW.id);
  RETURN NULL;
END
$function$
;
CREATE OR REPLACE FUNCTION public.keep_budget(of_node text, row_id text, since timestamp with time zone, scope_types text[], scope_ids text[], periods text[], period_starts date[], organization_ids uuid[], kept bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  -- In the order in which every transaction locks balances.
  PERFORM FROM balance WHERE (scope_type, scope_id, period, period_start) IN (
    SELECT type, scope, name, start FROM unnest(scope_types, scope_ids, periods, period_starts, kept)
      AS k (type, scope, name, start, amount) WHERE amount IS NOT NULL)
  ORDER BY concat_ws(E'\n', scope_type, scope_id, period, period_start) COLLATE "C" FOR UPDATE;
  UPDATE balance AS b SET unresolved_nano_usd = b.unresolved_nano_usd + k.amount
  FROM unnest(scope_types, scope_ids, periods, period_starts, kept) AS k (type, scope, name, start, amount)
  WHERE k.amount IS NOT NULL AND b.scope_type = k.type AND b.scope_id = k.scope AND b.period = k.name
    AND b.period_start = k.start;
  -- A node may have to report again what its journal has lost.
  INSERT INTO lease AS l (node_id, request_id, scope_type, scope_id, period, period_start, organization_id,
    amount_nano_usd, unresolved_since)
  SELECT of_node, row_id, type, scope, name, start, organization, amount, since
  FROM unnest(scope_types, scope_ids, periods, period_starts, organization_ids, kept)
    AS k (type, scope, name, start, organization, amount)
  WHERE amount IS NOT NULL
  ON CONFLICT (node_id, request_id, scope_type, scope_id, period, period_start)
  DO UPDATE SET amount_nano_usd = l.amount_nano_usd + excluded.amount_nano_usd,
    unresolved_since = excluded.unresolved_since;
END
$function$
;
CREATE OR REPLACE FUNCTION public.lease_keep_budget()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF current_setting('bursar.may_release_budget', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RETURN NULL;
END
$function$
;
CREATE OR REPLACE FUNCTION public.notify_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM pg_notify('bursar_changes', '');
  RETURN NULL;
END
$function$
;
CREATE OR REPLACE FUNCTION public.raise_incarnation(expected_id uuid, known bigint, new_id uuid, why text, about jsonb, at timestamp with time zone DEFAULT NULL::timestamp with time zone)
 RETURNS SETOF incarnation
 LANGUAGE plpgsql
AS $function$
DECLARE
  latest incarnation;
  last_raised_at timestamptz;
  raised timestamptz := coalesce(at, now());
  base bigint;
BEGIN
  LOCK TABLE incarnation IN EXCLUSIVE MODE;
  SELECT * INTO latest FROM incarnation ORDER BY value DESC LIMIT 1;
  IF latest.id = expected_id THEN
    last_raised_at := latest.raised_at;
    INSERT INTO incarnation (value, id, system_identifier, timeline, reason, details, raised_at)
    SELECT greatest(latest.value, known) + 1, new_id, server.system_identifier, server.timeline, why, about, raised
    FROM read_server_identity() AS server
    RETURNING * INTO latest;
    base := latest.value << 32;

    -- Each process is fenced and reports its leases again. A lease renewed in the missing seconds can last for a TTL from
    -- now. A node sends its messages for a quarter of the TTL longer. A node that is awaited since the raise before may have
    -- reported in the missing seconds.
    INSERT INTO lease_node (node_id, expires_at, seen_at)
    SELECT id, lease_expires_at, seen_at FROM node WHERE lease_expires_at IS NOT NULL
    ON CONFLICT (node_id) DO UPDATE SET
      expires_at = greatest(lease_node.expires_at, excluded.expires_at), seen_at = excluded.seen_at;
    UPDATE lease_node SET expires_at = NULL, awaited_until = CASE
      WHEN expires_at + (expires_at - seen_at) / 4 > raised THEN raised + (expires_at - seen_at) * 1.25
      WHEN awaited_until > raised THEN raised + (awaited_until - last_raised_at) END;
    UPDATE node SET epoch = greatest(epoch + 1, base);
    UPDATE lease SET unresolved_since = raised WHERE granted_nano_usd IS NOT NULL AND unresolved_since IS NULL;

    -- Nodes compare these numbers with the last ones they have seen.
    UPDATE limits_version SET value = greatest(value + 1, base);
    UPDATE rate_limits_version SET value = greatest(value + 1, base);
    UPDATE change_counter SET value = greatest(value + 1, base);
  END IF;
  RETURN NEXT latest;
END $function$
;
CREATE OR REPLACE FUNCTION public.read_server_identity(OUT system_identifier text, OUT timeline bigint)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
BEGIN
  SELECT c.system_identifier::text INTO system_identifier FROM pg_control_system() AS c;
  IF NOT pg_is_in_recovery() THEN
    timeline := ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint;
  END IF;
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_function
  OR object_not_in_prerequisite_state THEN
  NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.record_row_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  INSERT INTO row_change (table_name, old_row, new_row)
  VALUES (TG_TABLE_NAME, CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END, to_jsonb(NEW));
  RETURN NULL;
END
$function$
;
CREATE OR REPLACE FUNCTION public.refuse_older_node()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (SELECT hour_at < 'infinity' FROM rollup_progress) THEN
    RAISE EXCEPTION 'A newer version of Bursar uses this database. Stop this process and start the newer version: it continues the journal.';
  END IF;
  RETURN NEW;
END
$function$
;
CREATE OR REPLACE FUNCTION public.refuse_unsigned_node()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF EXISTS (SELECT FROM installation WHERE key = 'rows_signed_at') THEN
    RAISE EXCEPTION 'A newer version of Bursar uses this database. Stop this process and start the newer version: it continues the journal.';
  END IF;
  RETURN NEW;
END
$function$
;
CREATE OR REPLACE FUNCTION public.tag_id(organization_id uuid, name text, value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ('tag_'::text || "left"(encode(sha256(convert_to((((((organization_id || ' '::text) || length(name)) || ' '::text) || name) || value), 'UTF8'::name)), 'hex'::text), 24))
;
CREATE OR REPLACE FUNCTION public.write_leases(of_node text, of_epoch bigint, of_op bigint, knows bigint, follows bigint, is_leaving boolean, at timestamp with time zone, ttl_ms double precision, scope_types text[], scope_ids text[], periods text[], period_starts date[], organization_ids uuid[], granted bigint[], count_ids bigint[], is_guarded boolean[], kept bigint[], is_awaiting boolean DEFAULT false)
 RETURNS text
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
DECLARE
  last lease_node;
  written_at timestamptz := coalesce(at, clock_timestamp());
BEGIN
  SELECT * INTO last FROM lease_node WHERE node_id = of_node FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO lease_node (node_id) VALUES (of_node) ON CONFLICT DO NOTHING;
    SELECT * INTO last FROM lease_node WHERE node_id = of_node FOR UPDATE;
  END IF;
  IF (SELECT epoch FROM node WHERE id = of_node) IS DISTINCT FROM of_epoch THEN
    RETURN 'fenced';
  ELSIF (last.epoch, last.op) >= (of_epoch, of_op) THEN
    RETURN 'late';
  END IF;
  -- A node that becomes live waits for changes of limits under way, and they for it. So it misses none.
  IF last.expires_at IS NULL THEN
    IF knows < (SELECT value FROM limits_version FOR SHARE) THEN
      RETURN 'behind';
    END IF;
  END IF;

  IF is_awaiting AND NOT EXISTS (SELECT FROM lease_node WHERE awaited_until > written_at) THEN
    RETURN 'changed';
  END IF;

  -- Grants on one limit run one after the other. A count of draws is not deleted before its new lease is committed.
  PERFORM FROM counted_limit WHERE (scope_type, scope_id, period) IN (
    SELECT type, scope, name FROM unnest(scope_types, scope_ids, periods, is_guarded) AS k (type, scope, name, guarded)
    WHERE guarded) ORDER BY scope_type, scope_id, period FOR NO KEY UPDATE;
  PERFORM FROM counted_limit WHERE (scope_type, scope_id, period) IN (
    SELECT type, scope, name FROM unnest(scope_types, scope_ids, periods, granted) AS k (type, scope, name, number)
    WHERE number IS NOT NULL) ORDER BY scope_type, scope_id, period FOR KEY SHARE;
  IF EXISTS (
    SELECT FROM unnest(scope_types, scope_ids, periods, granted, count_ids)
      AS k (scope_type, scope_id, period, number, count_id)
    LEFT JOIN counted_limit AS counted USING (scope_type, scope_id, period)
    WHERE k.number IS NOT NULL AND counted.id IS DISTINCT FROM k.count_id
  ) THEN
    RETURN 'changed';
  END IF;
  -- The guard: settled + leased + unresolved <= limit, with the leases of this message. The sums of a balance without a row
  -- are unknown.
  IF EXISTS (
    SELECT FROM unnest(scope_types, scope_ids, periods, period_starts, granted, is_guarded)
      AS k (scope_type, scope_id, period, period_start, number, guarded)
    JOIN spend_limit USING (scope_type, scope_id, period)
    LEFT JOIN balance_sum AS sum USING (scope_type, scope_id, period, period_start)
    LEFT JOIN lease_left AS own ON own.node_id = of_node AND own.request_id = '' AND own.scope_type = k.scope_type
      AND own.scope_id = k.scope_id AND own.period = k.period AND own.period_start = k.period_start
    LEFT JOIN lease_draw AS draw ON draw.node_id = of_node AND draw.scope_type = k.scope_type
      AND draw.scope_id = k.scope_id AND draw.period = k.period AND draw.period_start = k.period_start
    WHERE k.guarded AND spend_limit.enforcement = 'strict' AND (sum.settled_nano_usd IS NULL OR spend_limit.amount_nano_usd
      < sum.settled_nano_usd + sum.leased_nano_usd + sum.unresolved_nano_usd - coalesce(own.amount_nano_usd, 0)
        + greatest(k.number - coalesce(draw.drawn_nano_usd, 0), 0))
  ) THEN
    RETURN 'changed';
  END IF;

  INSERT INTO lease (node_id, request_id, scope_type, scope_id, period, period_start, organization_id, amount_nano_usd,
    granted_nano_usd)
  SELECT of_node, '', type, scope, name, start, organization, 0, number
  FROM unnest(scope_types, scope_ids, periods, period_starts, organization_ids, granted)
    AS k (type, scope, name, start, organization, number)
  WHERE number IS NOT NULL
  ON CONFLICT (node_id, request_id, scope_type, scope_id, period, period_start)
  DO UPDATE SET granted_nano_usd = excluded.granted_nano_usd, unresolved_since = NULL;
  IF array_position(granted, NULL) IS NOT NULL THEN
    PERFORM set_config('bursar.may_release_budget', 'on', true);
    DELETE FROM lease USING unnest(scope_types, scope_ids, periods, period_starts, granted)
      AS k (type, scope, name, start, number)
    WHERE number IS NULL AND lease.node_id = of_node AND lease.request_id = '' AND lease.scope_type = type
      AND lease.scope_id = scope AND lease.period = name AND lease.period_start = start;
  END IF;
  IF EXISTS (SELECT FROM unnest(kept) AS amount WHERE amount IS NOT NULL) THEN
    PERFORM keep_budget(of_node, 'epoch:' || of_epoch, written_at, scope_types, scope_ids, periods, period_starts,
      organization_ids, kept);
  END IF;
  UPDATE lease_node SET epoch = of_epoch, op = of_op, seen_at = written_at,
    expires_at = CASE WHEN is_leaving THEN NULL ELSE written_at + ttl_ms * interval '1 millisecond' END,
    limits_version = coalesce(follows, limits_version),
    awaited_until = CASE WHEN follows IS NULL THEN awaited_until END
  WHERE node_id = of_node;
  RETURN 'done';
END
$function$
;

CREATE AGGREGATE sum_bigint(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE);

CREATE TRIGGER admin_key_insert AFTER INSERT ON public.admin_key FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER admin_key_update AFTER UPDATE ON public.admin_key FOR EACH ROW WHEN ((((((((old.id IS DISTINCT FROM new.id) OR (old.organization_id IS DISTINCT FROM new.organization_id)) OR (old.status IS DISTINCT FROM new.status)) OR (old.secret_hash IS DISTINCT FROM new.secret_hash)) OR (old.expires_at IS DISTINCT FROM new.expires_at)) OR (old.scopes IS DISTINCT FROM new.scopes)) OR (old.allowed_addresses IS DISTINCT FROM new.allowed_addresses))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER api_key_insert AFTER INSERT ON public.api_key FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER api_key_insert_tags AFTER INSERT ON public.api_key FOR EACH ROW WHEN ((new.tags <> '{}'::jsonb)) EXECUTE FUNCTION create_tags();
CREATE TRIGGER api_key_update AFTER UPDATE ON public.api_key FOR EACH ROW WHEN ((((((((((((((old.id IS DISTINCT FROM new.id) OR (old.organization_id IS DISTINCT FROM new.organization_id)) OR (old.workspace_id IS DISTINCT FROM new.workspace_id)) OR (old.permission IS DISTINCT FROM new.permission)) OR (old.status IS DISTINCT FROM new.status)) OR (old.purpose IS DISTINCT FROM new.purpose)) OR (old.owner_member_id IS DISTINCT FROM new.owner_member_id)) OR (old.expires_at IS DISTINCT FROM new.expires_at)) OR (old.allowed_models IS DISTINCT FROM new.allowed_models)) OR (old.allowed_addresses IS DISTINCT FROM new.allowed_addresses)) OR (old.user_directory_id IS DISTINCT FROM new.user_directory_id)) OR (old.requires_user IS DISTINCT FROM new.requires_user)) OR (old.allowed_origins IS DISTINCT FROM new.allowed_origins))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER api_key_update_tags AFTER UPDATE OF tags ON public.api_key FOR EACH ROW WHEN (((new.tags <> '{}'::jsonb) AND (new.tags <> old.tags))) EXECUTE FUNCTION create_tags();
CREATE TRIGGER api_key_secret_insert AFTER INSERT ON public.api_key_secret FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER api_key_secret_update AFTER UPDATE ON public.api_key_secret FOR EACH ROW WHEN ((((((((old.id IS DISTINCT FROM new.id) OR (old.api_key_id IS DISTINCT FROM new.api_key_id)) OR (old.hash IS DISTINCT FROM new.hash)) OR (old.created_at IS DISTINCT FROM new.created_at)) OR (old.valid_until IS DISTINCT FROM new.valid_until)) OR (old.playground_session_id IS DISTINCT FROM new.playground_session_id)) OR (old.auth_session_id IS DISTINCT FROM new.auth_session_id))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER audit_checkpoint_change BEFORE DELETE OR UPDATE ON public.audit_checkpoint FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_checkpoint_truncate BEFORE TRUNCATE ON public.audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_delete BEFORE DELETE ON public.audit_event FOR EACH ROW EXECUTE FUNCTION audit_refuse_delete();
CREATE TRIGGER audit_event_truncate BEFORE TRUNCATE ON public.audit_event FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_update BEFORE UPDATE ON public.audit_event FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_delete BEFORE DELETE ON public.audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_truncate BEFORE TRUNCATE ON public.audit_head FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_head_update BEFORE UPDATE ON public.audit_head FOR EACH ROW EXECUTE FUNCTION audit_refuse_rollback();
CREATE TRIGGER auth_session_insert AFTER INSERT ON public.auth_session FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER auth_session_update AFTER UPDATE ON public.auth_session FOR EACH ROW WHEN ((((((old.id IS DISTINCT FROM new.id) OR (old.token IS DISTINCT FROM new.token)) OR (old.user_id IS DISTINCT FROM new.user_id)) OR (old.started_at IS DISTINCT FROM new.started_at)) OR (old.stepped_up_at IS DISTINCT FROM new.stepped_up_at))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER change_counter_notify AFTER UPDATE ON public.change_counter FOR EACH STATEMENT EXECUTE FUNCTION notify_change();
CREATE TRIGGER group_member_insert AFTER INSERT ON public.group_member FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER group_member_update AFTER UPDATE ON public.group_member FOR EACH ROW WHEN ((((old.group_id IS DISTINCT FROM new.group_id) OR (old.member_id IS DISTINCT FROM new.member_id)) OR (old.source IS DISTINCT FROM new.source))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER group_workspace_insert AFTER INSERT ON public.group_workspace FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER group_workspace_update AFTER UPDATE ON public.group_workspace FOR EACH ROW WHEN ((((old.group_id IS DISTINCT FROM new.group_id) OR (old.workspace_id IS DISTINCT FROM new.workspace_id)) OR (old.role IS DISTINCT FROM new.role))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER lease_keep_budget BEFORE DELETE ON public.lease FOR EACH ROW WHEN (((old.unresolved_since IS NOT NULL) AND ((old.amount_nano_usd > 0) OR (old.granted_nano_usd IS NOT NULL)) AND ((old.request_id = ''::text) OR (old.request_id ~~ 'epoch:%'::text)))) EXECUTE FUNCTION lease_keep_budget();
CREATE TRIGGER managed_settings_version_insert AFTER INSERT ON public.managed_settings_version FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER managed_settings_version_update AFTER UPDATE ON public.managed_settings_version FOR EACH ROW WHEN (((((old.id IS DISTINCT FROM new.id) OR (old.organization_id IS DISTINCT FROM new.organization_id)) OR (old.version IS DISTINCT FROM new.version)) OR (old.policies IS DISTINCT FROM new.policies))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER member_insert AFTER INSERT ON public.member FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER member_update AFTER UPDATE ON public.member FOR EACH ROW WHEN (((((old.id IS DISTINCT FROM new.id) OR (old.organization_id IS DISTINCT FROM new.organization_id)) OR (old.role IS DISTINCT FROM new.role)) OR (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER member_group_insert AFTER INSERT ON public.member_group FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER member_group_insert_tags AFTER INSERT ON public.member_group FOR EACH ROW EXECUTE FUNCTION create_tags_of_group();
CREATE TRIGGER member_group_rename_tags AFTER UPDATE OF name ON public.member_group FOR EACH ROW WHEN ((new.name <> old.name)) EXECUTE FUNCTION create_tags_of_group();
CREATE TRIGGER member_group_update AFTER UPDATE ON public.member_group FOR EACH ROW WHEN ((((((((old.id IS DISTINCT FROM new.id) OR (old.organization_id IS DISTINCT FROM new.organization_id)) OR (old.source IS DISTINCT FROM new.source)) OR (old.directory_id IS DISTINCT FROM new.directory_id)) OR (old.external_id IS DISTINCT FROM new.external_id)) OR (old.allowed_models IS DISTINCT FROM new.allowed_models)) OR (old.model_lists IS DISTINCT FROM new.model_lists))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER node_refuse_older BEFORE UPDATE OF flushed_seq, lease_op ON public.node FOR EACH ROW WHEN ((NOT new.appends)) EXECUTE FUNCTION refuse_older_node();
CREATE TRIGGER node_refuse_unsigned BEFORE UPDATE OF flushed_seq, lease_op ON public.node FOR EACH ROW WHEN (((NOT new.signs_rows) AND (NOT new.appends))) EXECUTE FUNCTION refuse_unsigned_node();
CREATE TRIGGER organization_update_tags AFTER UPDATE OF billing_group_tag ON public.organization FOR EACH ROW WHEN ((new.billing_group_tag IS NOT NULL)) EXECUTE FUNCTION create_tags_of_organization();
CREATE TRIGGER personal_key_rules_insert AFTER INSERT ON public.personal_key_rules FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER personal_key_rules_update AFTER UPDATE ON public.personal_key_rules FOR EACH ROW WHEN ((((((old.workspace_id IS DISTINCT FROM new.workspace_id) OR (old.personal_keys IS DISTINCT FROM new.personal_keys)) OR (old.personal_key_models IS DISTINCT FROM new.personal_key_models)) OR (old.personal_key_lifetime_days IS DISTINCT FROM new.personal_key_lifetime_days)) OR (old.personal_keys_per_member IS DISTINCT FROM new.personal_keys_per_member))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER scim_group_member_insert AFTER INSERT ON public.scim_group_member FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER scim_group_member_update AFTER UPDATE ON public.scim_group_member FOR EACH ROW WHEN (((old.group_id IS DISTINCT FROM new.group_id) OR (old.member_id IS DISTINCT FROM new.member_id))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER scim_token_insert AFTER INSERT ON public.scim_token FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER scim_token_update AFTER UPDATE ON public.scim_token FOR EACH ROW WHEN (((((((old.id IS DISTINCT FROM new.id) OR (old.organization_id IS DISTINCT FROM new.organization_id)) OR (old.directory_id IS DISTINCT FROM new.directory_id)) OR (old.secret_hash IS DISTINCT FROM new.secret_hash)) OR (old.valid_until IS DISTINCT FROM new.valid_until)) OR (old.revoked_at IS DISTINCT FROM new.revoked_at))) EXECUTE FUNCTION record_row_change();
CREATE TRIGGER workspace_insert_tags AFTER INSERT ON public.workspace FOR EACH ROW WHEN ((new.tags <> '{}'::jsonb)) EXECUTE FUNCTION create_tags();
CREATE TRIGGER workspace_update_tags AFTER UPDATE OF tags ON public.workspace FOR EACH ROW WHEN (((new.tags <> '{}'::jsonb) AND (new.tags <> old.tags))) EXECUTE FUNCTION create_tags();
CREATE TRIGGER workspace_member_insert AFTER INSERT ON public.workspace_member FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER workspace_member_update AFTER UPDATE ON public.workspace_member FOR EACH ROW WHEN ((((old.workspace_id IS DISTINCT FROM new.workspace_id) OR (old.member_id IS DISTINCT FROM new.member_id)) OR (old.role IS DISTINCT FROM new.role))) EXECUTE FUNCTION record_row_change();

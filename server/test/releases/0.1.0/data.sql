SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA graphile_worker;
CREATE TYPE graphile_worker.job_spec AS (
	identifier text,
	payload json,
	queue_name text,
	run_at timestamp with time zone,
	max_attempts smallint,
	job_key text,
	priority smallint,
	flags text[]
);
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE graphile_worker._private_jobs (
    id bigint NOT NULL,
    job_queue_id integer,
    task_id integer NOT NULL,
    payload json DEFAULT '{}'::json NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    max_attempts smallint DEFAULT 25 NOT NULL,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    key text,
    locked_at timestamp with time zone,
    locked_by text,
    revision integer DEFAULT 0 NOT NULL,
    flags jsonb,
    is_available boolean GENERATED ALWAYS AS (((locked_at IS NULL) AND (attempts < max_attempts))) STORED NOT NULL,
    CONSTRAINT jobs_key_check CHECK (((length(key) > 0) AND (length(key) <= 512))),
    CONSTRAINT jobs_max_attempts_check CHECK ((max_attempts >= 1))
);
CREATE FUNCTION graphile_worker.add_job(identifier text, payload json DEFAULT NULL::json, queue_name text DEFAULT NULL::text, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, max_attempts integer DEFAULT NULL::integer, job_key text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, flags text[] DEFAULT NULL::text[], job_key_mode text DEFAULT 'replace'::text) RETURNS graphile_worker._private_jobs
    LANGUAGE plpgsql
    AS $$
declare
  v_job "graphile_worker"._private_jobs;
begin
  if (job_key is null or job_key_mode is null or job_key_mode in ('replace', 'preserve_run_at')) then
    select * into v_job
    from "graphile_worker".add_jobs(
      ARRAY[(
        identifier,
        payload,
        queue_name,
        run_at,
        max_attempts::smallint,
        job_key,
        priority::smallint,
        flags
      )::"graphile_worker".job_spec],
      (job_key_mode = 'preserve_run_at')
    )
    limit 1;
    return v_job;
  elsif job_key_mode = 'unsafe_dedupe' then
    -- Ensure all the tasks exist (insert only missing identifiers so identity is not consumed)
    insert into "graphile_worker"._private_tasks as tasks (identifier)
    select add_job.identifier
    where not exists (
      select 1
      from "graphile_worker"._private_tasks as existing
      where existing.identifier = add_job.identifier
    )
    on conflict do nothing;
    -- Ensure all the queues exist
    if add_job.queue_name is not null then
      insert into "graphile_worker"._private_job_queues as job_queues (queue_name)
      select add_job.queue_name
      where not exists (
        select 1
        from "graphile_worker"._private_job_queues as existing
        where existing.queue_name = add_job.queue_name
      )
      on conflict do nothing;
    end if;
    -- Insert job, but if one already exists then do nothing, even if the
    -- existing job has already started (and thus represents an out-of-date
    -- world state). This is dangerous because it means that whatever state
    -- change triggered this add_job may not be acted upon (since it happened
    -- after the existing job started executing, but no further job is being
    -- scheduled), but it is useful in very rare circumstances for
    -- de-duplication. If in doubt, DO NOT USE THIS.
    insert into "graphile_worker"._private_jobs as jobs (
      job_queue_id,
      task_id,
      payload,
      run_at,
      max_attempts,
      key,
      priority,
      flags
    )
      select
        job_queues.id,
        tasks.id,
        coalesce(add_job.payload, '{}'::json),
        coalesce(add_job.run_at, now()),
        coalesce(add_job.max_attempts::smallint, 25::smallint),
        add_job.job_key,
        coalesce(add_job.priority::smallint, 0::smallint),
        (
          select jsonb_object_agg(flag, true)
          from unnest(add_job.flags) as item(flag)
        )
      from "graphile_worker"._private_tasks as tasks
      left join "graphile_worker"._private_job_queues as job_queues
      on job_queues.queue_name = add_job.queue_name
      where tasks.identifier = add_job.identifier
    on conflict (key)
      -- Bump the updated_at so that there's something to return
      do update set
        revision = jobs.revision + 1,
        updated_at = now()
      returning *
      into v_job;
    if v_job.revision = 0 then
      perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":1}');
    end if;
    return v_job;
  else
    raise exception 'Invalid job_key_mode value, expected ''replace'', ''preserve_run_at'' or ''unsafe_dedupe''.' using errcode = 'GWBKM';
  end if;
end;
$$;
CREATE FUNCTION graphile_worker.add_jobs(specs graphile_worker.job_spec[], job_key_preserve_run_at boolean DEFAULT false) RETURNS SETOF graphile_worker._private_jobs
    LANGUAGE plpgsql
    AS $$
begin
  -- Ensure all the tasks exist (insert only missing identifiers so identity is not consumed)
  insert into "graphile_worker"._private_tasks as tasks (identifier)
  select distinct spec.identifier
  from unnest(specs) spec
  where not exists (
    select 1
    from "graphile_worker"._private_tasks as existing
    where existing.identifier = spec.identifier
  )
  on conflict do nothing;
  -- Ensure all the queues exist
  insert into "graphile_worker"._private_job_queues as job_queues (queue_name)
  select distinct spec.queue_name
  from unnest(specs) spec
  where spec.queue_name is not null
  and not exists (
    select 1
    from "graphile_worker"._private_job_queues as existing
    where existing.queue_name = spec.queue_name
  )
  on conflict do nothing;
  -- Ensure any locked jobs have their key cleared - in the case of locked
  -- existing job create a new job instead as it must have already started
  -- executing (i.e. it's world state is out of date, and the fact add_job
  -- has been called again implies there's new information that needs to be
  -- acted upon).
  update "graphile_worker"._private_jobs as jobs
  set
    key = null,
    attempts = jobs.max_attempts,
    updated_at = now()
  from unnest(specs) spec
  where spec.job_key is not null
  and jobs.key = spec.job_key
  and is_available is not true;
  -- WARNING: this count is not 100% accurate; 'on conflict' clause will cause it to be an overestimate
  perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":' || array_length(specs, 1)::text || '}');
  -- TODO: is there a risk that a conflict could occur depending on the
  -- isolation level?
  return query insert into "graphile_worker"._private_jobs as jobs (
    job_queue_id,
    task_id,
    payload,
    run_at,
    max_attempts,
    key,
    priority,
    flags
  )
    select
      job_queues.id,
      tasks.id,
      coalesce(spec.payload, '{}'::json),
      coalesce(spec.run_at, now()),
      coalesce(spec.max_attempts, 25),
      spec.job_key,
      coalesce(spec.priority, 0),
      (
        select jsonb_object_agg(flag, true)
        from unnest(spec.flags) as item(flag)
      )
    from unnest(specs) spec
    inner join "graphile_worker"._private_tasks as tasks
    on tasks.identifier = spec.identifier
    left join "graphile_worker"._private_job_queues as job_queues
    on job_queues.queue_name = spec.queue_name
  on conflict (key) do update set
    job_queue_id = excluded.job_queue_id,
    task_id = excluded.task_id,
    payload =
      case
      when json_typeof(jobs.payload) = 'array' and json_typeof(excluded.payload) = 'array' then
        (jobs.payload::jsonb || excluded.payload::jsonb)::json
      else
        excluded.payload
      end,
    max_attempts = excluded.max_attempts,
    run_at = (case
      when job_key_preserve_run_at is true and jobs.attempts = 0 then jobs.run_at
      else excluded.run_at
    end),
    priority = excluded.priority,
    revision = jobs.revision + 1,
    flags = excluded.flags,
    -- always reset error/retry state
    attempts = 0,
    last_error = null,
    updated_at = now()
  where jobs.locked_at is null
  returning *;
end;
$$;
CREATE FUNCTION graphile_worker.complete_jobs(job_ids bigint[]) RETURNS SETOF graphile_worker._private_jobs
    LANGUAGE sql
    AS $$
  delete from "graphile_worker"._private_jobs as jobs
    where id = any(job_ids)
    and (
      locked_at is null
    or
      locked_at < now() - interval '4 hours'
    )
    returning *;
$$;
CREATE FUNCTION graphile_worker.force_unlock_workers(worker_ids text[]) RETURNS void
    LANGUAGE sql
    AS $$
update "graphile_worker"._private_jobs as jobs
set locked_at = null, locked_by = null
where locked_by = any(worker_ids);
update "graphile_worker"._private_job_queues as job_queues
set locked_at = null, locked_by = null
where locked_by = any(worker_ids);
$$;
CREATE FUNCTION graphile_worker.permanently_fail_jobs(job_ids bigint[], error_message text DEFAULT NULL::text) RETURNS SETOF graphile_worker._private_jobs
    LANGUAGE sql
    AS $$
  update "graphile_worker"._private_jobs as jobs
    set
      last_error = coalesce(error_message, 'Manually marked as failed'),
      attempts = max_attempts,
      updated_at = now()
    where id = any(job_ids)
    and (
      locked_at is null
    or
      locked_at < NOW() - interval '4 hours'
    )
    returning *;
$$;
CREATE FUNCTION graphile_worker.remove_job(job_key text) RETURNS graphile_worker._private_jobs
    LANGUAGE plpgsql STRICT
    AS $$
declare
  v_job "graphile_worker"._private_jobs;
begin
  -- Delete job if not locked
  delete from "graphile_worker"._private_jobs as jobs
    where key = job_key
    and (
      locked_at is null
    or
      locked_at < NOW() - interval '4 hours'
    )
  returning * into v_job;
  if not (v_job is null) then
    perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":-1}');
    return v_job;
  end if;
  -- Otherwise prevent job from retrying, and clear the key
  update "graphile_worker"._private_jobs as jobs
  set
    key = null,
    attempts = jobs.max_attempts,
    updated_at = now()
  where key = job_key
  returning * into v_job;
  return v_job;
end;
$$;
CREATE FUNCTION graphile_worker.reschedule_jobs(job_ids bigint[], run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, attempts integer DEFAULT NULL::integer, max_attempts integer DEFAULT NULL::integer) RETURNS SETOF graphile_worker._private_jobs
    LANGUAGE sql
    AS $$
  update "graphile_worker"._private_jobs as jobs
    set
      run_at = coalesce(reschedule_jobs.run_at, jobs.run_at),
      priority = coalesce(reschedule_jobs.priority::smallint, jobs.priority),
      attempts = coalesce(reschedule_jobs.attempts::smallint, jobs.attempts),
      max_attempts = coalesce(reschedule_jobs.max_attempts::smallint, jobs.max_attempts),
      updated_at = now()
    where id = any(job_ids)
    and (
      locked_at is null
    or
      locked_at < NOW() - interval '4 hours'
    )
    returning *;
$$;
CREATE FUNCTION public.audit_prune(organization uuid, batch integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
END $$;
CREATE FUNCTION public.audit_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION public.audit_refuse_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF EXISTS (SELECT FROM audit_checkpoint c WHERE c.organization_id = OLD.organization_id AND c.seq >= OLD.seq) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_event is append-only: DELETE is refused' USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION public.audit_refuse_rollback() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NEW.organization_id = OLD.organization_id AND NEW.seq >= OLD.seq THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'audit_head never goes back: UPDATE is refused' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TABLE graphile_worker._private_job_queues (
    id integer NOT NULL,
    queue_name text NOT NULL,
    locked_at timestamp with time zone,
    locked_by text,
    is_available boolean GENERATED ALWAYS AS ((locked_at IS NULL)) STORED NOT NULL,
    CONSTRAINT job_queues_queue_name_check CHECK ((length(queue_name) <= 128))
);
CREATE TABLE graphile_worker._private_known_crontabs (
    identifier text NOT NULL,
    known_since timestamp with time zone NOT NULL,
    last_execution timestamp with time zone
);
CREATE TABLE graphile_worker._private_tasks (
    id integer NOT NULL,
    identifier text NOT NULL,
    CONSTRAINT tasks_identifier_check CHECK ((length(identifier) <= 128))
);
ALTER TABLE graphile_worker._private_job_queues ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME graphile_worker.job_queues_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW graphile_worker.jobs AS
 SELECT jobs.id,
    job_queues.queue_name,
    tasks.identifier AS task_identifier,
    jobs.priority,
    jobs.run_at,
    jobs.attempts,
    jobs.max_attempts,
    jobs.last_error,
    jobs.created_at,
    jobs.updated_at,
    jobs.key,
    jobs.locked_at,
    jobs.locked_by,
    jobs.revision,
    jobs.flags
   FROM ((graphile_worker._private_jobs jobs
     JOIN graphile_worker._private_tasks tasks ON ((tasks.id = jobs.task_id)))
     LEFT JOIN graphile_worker._private_job_queues job_queues ON ((job_queues.id = jobs.job_queue_id)));
ALTER TABLE graphile_worker._private_jobs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME graphile_worker.jobs_id_seq1
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE graphile_worker.migrations (
    id integer NOT NULL,
    ts timestamp with time zone DEFAULT now() NOT NULL,
    breaking boolean DEFAULT false NOT NULL
);
ALTER TABLE graphile_worker._private_tasks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME graphile_worker.tasks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.access_review (
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
    CONSTRAINT access_review_auto_close_days_check CHECK (((auto_close_days >= 0) AND (auto_close_days <= 90))),
    CONSTRAINT access_review_check CHECK (((status = 'open'::text) = (ended_at IS NULL))),
    CONSTRAINT access_review_if_no_answer_check CHECK ((if_no_answer = ANY (ARRAY['keep'::text, 'remove'::text, 'as_recommended'::text]))),
    CONSTRAINT access_review_inactive_days_check CHECK (((inactive_days >= 1) AND (inactive_days <= 365))),
    CONSTRAINT access_review_recurrence_check CHECK ((recurrence = ANY (ARRAY['none'::text, 'monthly'::text, 'quarterly'::text, 'yearly'::text]))),
    CONSTRAINT access_review_scope_paths_check CHECK ((cardinality(scope_paths) > 0)),
    CONSTRAINT access_review_scope_workspace_ids_check CHECK ((cardinality(scope_workspace_ids) > 0)),
    CONSTRAINT access_review_status_check CHECK ((status = ANY (ARRAY['open'::text, 'applying'::text, 'closed'::text, 'cancelled'::text])))
);
CREATE TABLE public.access_review_item (
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
    applied_at timestamp with time zone,
    CONSTRAINT access_review_item_check CHECK ((((decision IS NULL) = (decided_by_id IS NULL)) AND ((decision IS NULL) = (decided_at IS NULL)))),
    CONSTRAINT access_review_item_check1 CHECK (((result IS NULL) = (applied_at IS NULL))),
    CONSTRAINT access_review_item_decision_check CHECK ((decision = ANY (ARRAY['keep'::text, 'remove'::text, 'not_sure'::text]))),
    CONSTRAINT access_review_item_path_check CHECK ((path = ANY (ARRAY['organization_role'::text, 'workspace_role'::text, 'member_key'::text, 'workspace_key'::text, 'admin_key'::text]))),
    CONSTRAINT access_review_item_recommendation_check CHECK ((recommendation = ANY (ARRAY['keep'::text, 'remove'::text]))),
    CONSTRAINT access_review_item_result_check CHECK ((result = ANY (ARRAY['kept'::text, 'removed'::text, 'already_gone'::text, 'not_applied'::text])))
);
CREATE TABLE public.access_review_reminder (
    access_review_id text NOT NULL,
    member_id text NOT NULL,
    kind text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    CONSTRAINT access_review_reminder_kind_check CHECK ((kind = ANY (ARRAY['asked'::text, 'due_in_7_days'::text, 'due_in_1_day'::text, 'overdue'::text])))
);
CREATE TABLE public.access_review_reviewer (
    access_review_id text NOT NULL,
    member_id text NOT NULL
);
CREATE TABLE public.admin_key (
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
    CONSTRAINT admin_key_secret_hash_check CHECK ((octet_length(secret_hash) = 32)),
    CONSTRAINT admin_key_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'revoked'::text])))
);
CREATE TABLE public.alert (
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
    CONSTRAINT alert_kind_check CHECK ((kind = ANY (ARRAY['spend_limit'::text, 'forecast'::text, 'unusual_spend'::text, 'key_expiring'::text, 'key_unused'::text, 'key_new_address'::text, 'refused_requests'::text, 'upstream_errors'::text]))),
    CONSTRAINT alert_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text])))
);
CREATE TABLE public.alert_channel (
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
    archived_at timestamp with time zone,
    CONSTRAINT alert_channel_check CHECK (((kind = 'email'::text) = (recipients IS NOT NULL))),
    CONSTRAINT alert_channel_check1 CHECK (((kind = 'email'::text) = (target_sealed IS NULL))),
    CONSTRAINT alert_channel_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'slack'::text, 'pagerduty'::text, 'webhook'::text])))
);
CREATE TABLE public.alert_channel_secret (
    id bigint NOT NULL,
    alert_channel_id text NOT NULL,
    secret_sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone
);
ALTER TABLE public.alert_channel_secret ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alert_channel_secret_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_delivery (
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
    CONSTRAINT alert_delivery_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text, 'dropped'::text])))
);
CREATE TABLE public.alert_episode (
    alert_id text NOT NULL,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    CONSTRAINT alert_episode_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text])))
);
CREATE TABLE public.alert_firing (
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
    CONSTRAINT alert_firing_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text])))
);
CREATE TABLE public.alert_to_channel (
    alert_id text NOT NULL,
    alert_channel_id text NOT NULL
);
CREATE TABLE public.api_key (
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
    CONSTRAINT api_key_allowed_addresses_check CHECK ((cardinality(allowed_addresses) > 0)),
    CONSTRAINT api_key_allowed_models_check CHECK ((cardinality(allowed_models) > 0)),
    CONSTRAINT api_key_permission_check CHECK ((permission = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text]))),
    CONSTRAINT api_key_playground_owner CHECK (((purpose = 'calls'::text) OR (owner_member_id IS NOT NULL))),
    CONSTRAINT api_key_purpose_check CHECK ((purpose = ANY (ARRAY['calls'::text, 'playground'::text]))),
    CONSTRAINT api_key_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'archived'::text])))
);
CREATE TABLE public.api_key_network (
    api_key_id text NOT NULL,
    network text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL
);
CREATE TABLE public.api_key_secret (
    id bigint NOT NULL,
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
    CONSTRAINT api_key_secret_hash_check1 CHECK ((octet_length(hash) = 32)),
    CONSTRAINT api_key_secret_session_end CHECK (((playground_session_id IS NULL) OR (valid_until IS NOT NULL)))
)
WITH (fillfactor='80');
ALTER TABLE public.api_key_secret ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_key_secret_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audit_checkpoint (
    organization_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    events bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    mac bytea NOT NULL
);
CREATE TABLE public.audit_event (
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
CREATE TABLE public.audit_head (
    organization_id uuid NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    hash bytea NOT NULL,
    keyed_from bigint,
    retention_days integer,
    mac bytea,
    CONSTRAINT audit_head_retention_days_check CHECK ((retention_days >= 30))
);
CREATE TABLE public.auth_account (
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
CREATE TABLE public.auth_attempt (
    key text NOT NULL,
    full_at timestamp with time zone NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone
);
CREATE TABLE public.auth_device (
    id text NOT NULL,
    user_id text NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL
);
CREATE TABLE public.auth_passkey (
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
CREATE TABLE public.auth_session (
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
    stepped_up_at timestamp with time zone
);
CREATE TABLE public.auth_two_factor (
    id text NOT NULL,
    user_id text NOT NULL,
    secret text NOT NULL,
    backup_codes text NOT NULL,
    verified boolean DEFAULT false NOT NULL,
    failed_verification_count integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone
);
CREATE TABLE public.auth_used_code (
    user_id text NOT NULL,
    code text NOT NULL,
    used_at timestamp with time zone NOT NULL
);
CREATE TABLE public.auth_user (
    id text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    email text NOT NULL,
    email_verified boolean DEFAULT false NOT NULL,
    image text,
    two_factor_enabled boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.auth_verification (
    id text NOT NULL,
    identifier text NOT NULL,
    value text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.backup (
    id bigint NOT NULL,
    made_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    file_name text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    requests bigint NOT NULL,
    is_encrypted boolean NOT NULL,
    has_secret boolean NOT NULL,
    made_by_type text NOT NULL,
    made_by_id text NOT NULL,
    CONSTRAINT backup_sha256_check CHECK ((octet_length(sha256) = 32))
);
ALTER TABLE public.backup ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.backup_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.balance (
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    period text NOT NULL,
    period_start date NOT NULL,
    organization_id uuid NOT NULL,
    settled_nano_usd bigint DEFAULT 0 NOT NULL,
    leased_nano_usd bigint DEFAULT 0 NOT NULL,
    unresolved_nano_usd bigint DEFAULT 0 NOT NULL,
    overrun_nano_usd bigint DEFAULT 0 NOT NULL,
    CONSTRAINT balance_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text]))),
    CONSTRAINT balance_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text])))
);
CREATE TABLE public.change_counter (
    is_only_row boolean DEFAULT true NOT NULL,
    value bigint DEFAULT 0 NOT NULL,
    CONSTRAINT change_counter_is_only_row_check CHECK (is_only_row)
);
CREATE TABLE public.change_scope (
    value bigint NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    CONSTRAINT change_scope_kind_check CHECK ((kind = ANY (ARRAY['no_key'::text, 'api_key'::text, 'workspace'::text, 'member'::text])))
);
CREATE TABLE public.claimed_change (
    claim bytea NOT NULL,
    step integer NOT NULL,
    fingerprint bytea NOT NULL,
    result_sealed bytea NOT NULL,
    answer_sealed bytea,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.evidence_key (
    id text NOT NULL,
    organization_id uuid NOT NULL,
    public_key bytea NOT NULL,
    private_key_sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT evidence_key_public_key_check CHECK ((octet_length(public_key) = 32))
);
CREATE TABLE public.held_key (
    key_id text NOT NULL,
    kind text NOT NULL,
    organization_id uuid NOT NULL,
    held_at timestamp with time zone NOT NULL,
    CONSTRAINT held_key_kind_check CHECK ((kind = ANY (ARRAY['api_key'::text, 'admin_key'::text])))
);
CREATE TABLE public.installation (
    key text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.invite (
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
    is_open boolean DEFAULT true NOT NULL,
    CONSTRAINT invite_check CHECK (((accepted_at IS NULL) = (member_id IS NULL))),
    CONSTRAINT invite_check1 CHECK (((NOT is_open) OR ((accepted_at IS NULL) AND (revoked_at IS NULL)))),
    CONSTRAINT invite_email_check CHECK ((email = lower(email))),
    CONSTRAINT invite_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'billing'::text, 'user'::text, 'claude_code_user'::text])))
);
CREATE TABLE public.invite_workspace (
    invite_id text NOT NULL,
    workspace_id text NOT NULL,
    role text NOT NULL,
    CONSTRAINT invite_workspace_role_check CHECK ((role = ANY (ARRAY['workspace_admin'::text, 'workspace_developer'::text, 'workspace_restricted_developer'::text, 'workspace_user'::text])))
);
CREATE TABLE public.journal_record (
    node_id text NOT NULL,
    seq bigint NOT NULL,
    line bytea NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='20000');
CREATE TABLE public.journal_writer (
    node_id text NOT NULL,
    journal_id text NOT NULL,
    epoch bigint DEFAULT 1 NOT NULL,
    last_seq bigint DEFAULT 0 NOT NULL,
    beat bigint DEFAULT 0 NOT NULL,
    is_whole boolean DEFAULT true NOT NULL,
    is_adopted boolean DEFAULT false NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.lease (
    node_id text NOT NULL,
    request_id text NOT NULL,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    period text NOT NULL,
    period_start date NOT NULL,
    organization_id uuid NOT NULL,
    amount_nano_usd bigint NOT NULL,
    unresolved_since timestamp with time zone,
    CONSTRAINT lease_amount_nano_usd_check CHECK ((amount_nano_usd >= 0))
);
CREATE TABLE public.limits_version (
    is_only_row boolean DEFAULT true NOT NULL,
    value bigint DEFAULT 0 NOT NULL,
    CONSTRAINT limits_version_is_only_row_check CHECK (is_only_row)
);
CREATE TABLE public.mail (
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
    sent_at timestamp with time zone,
    CONSTRAINT mail_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text, 'withdrawn'::text])))
);
CREATE TABLE public.member (
    id text NOT NULL,
    organization_id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_active_at timestamp with time zone,
    removed_at timestamp with time zone,
    CONSTRAINT member_email_check CHECK ((email = lower(email))),
    CONSTRAINT member_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'billing'::text, 'user'::text, 'claude_code_user'::text]))),
    CONSTRAINT member_status_check CHECK ((status = ANY (ARRAY['active'::text, 'deactivated'::text, 'removed'::text])))
);
CREATE TABLE public.node (
    id text NOT NULL,
    journal_id text NOT NULL,
    epoch bigint DEFAULT 1 NOT NULL,
    flushed_seq bigint DEFAULT 0 NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_op bigint DEFAULT 0 NOT NULL,
    lease_expires_at timestamp with time zone,
    limits_version bigint DEFAULT '-1'::integer NOT NULL
);
CREATE TABLE public.organization (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    has_first_alerts boolean DEFAULT false NOT NULL
);
CREATE TABLE public.price_override (
    id text NOT NULL,
    organization_id uuid NOT NULL,
    model text NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    input_nano_usd bigint NOT NULL,
    cache_write_5m_nano_usd bigint NOT NULL,
    cache_write_1h_nano_usd bigint NOT NULL,
    cache_read_nano_usd bigint NOT NULL,
    output_nano_usd bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT price_override_cache_read_nano_usd_check CHECK ((cache_read_nano_usd >= 0)),
    CONSTRAINT price_override_cache_write_1h_nano_usd_check CHECK ((cache_write_1h_nano_usd >= 0)),
    CONSTRAINT price_override_cache_write_5m_nano_usd_check CHECK ((cache_write_5m_nano_usd >= 0)),
    CONSTRAINT price_override_input_nano_usd_check CHECK ((input_nano_usd >= 0)),
    CONSTRAINT price_override_output_nano_usd_check CHECK ((output_nano_usd >= 0))
);
CREATE UNLOGGED TABLE public.rate_bucket (
    rate_limit_id text NOT NULL,
    kind text NOT NULL,
    level double precision NOT NULL,
    refilled_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_bucket_kind_check CHECK ((kind = ANY (ARRAY['requests'::text, 'input_tokens'::text, 'output_tokens'::text])))
)
WITH (fillfactor='50');
CREATE TABLE public.rate_limit (
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
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT rate_limit_check CHECK ((num_nonnulls(requests_per_minute, input_tokens_per_minute, output_tokens_per_minute) > 0)),
    CONSTRAINT rate_limit_input_tokens_per_minute_check CHECK ((input_tokens_per_minute > 0)),
    CONSTRAINT rate_limit_output_tokens_per_minute_check CHECK ((output_tokens_per_minute > 0)),
    CONSTRAINT rate_limit_requests_per_minute_check CHECK ((requests_per_minute > 0)),
    CONSTRAINT rate_limit_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text])))
);
CREATE TABLE public.rate_limits_version (
    is_only_row boolean DEFAULT true NOT NULL,
    value bigint DEFAULT 0 NOT NULL,
    CONSTRAINT rate_limits_version_is_only_row_check CHECK (is_only_row)
);
CREATE TABLE public.refused_request (
    organization_id uuid NOT NULL,
    workspace_id text NOT NULL,
    api_key_id text NOT NULL,
    minute_at timestamp with time zone NOT NULL,
    requests integer NOT NULL
);
CREATE TABLE public.refused_request_hour (
    organization_id uuid NOT NULL,
    workspace_id text NOT NULL,
    api_key_id text NOT NULL,
    hour_at timestamp with time zone NOT NULL,
    requests integer NOT NULL
);
CREATE TABLE public.rotation_notice (
    api_key_secret_id bigint NOT NULL,
    kind text NOT NULL,
    policy_effective_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    CONSTRAINT rotation_notice_kind_check CHECK ((kind = ANY (ARRAY['due'::text, 'overdue'::text, 'expired'::text])))
);
CREATE TABLE public.rotation_policy (
    workspace_id text NOT NULL,
    rotation_days integer NOT NULL,
    remind_days integer NOT NULL,
    grace_days integer NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    CONSTRAINT rotation_policy_grace_days_check CHECK (((grace_days >= 1) AND (grace_days <= 365))),
    CONSTRAINT rotation_policy_remind_days_check CHECK (((remind_days >= 1) AND (remind_days <= 90))),
    CONSTRAINT rotation_policy_rotation_days_check CHECK (((rotation_days >= 1) AND (rotation_days <= 3650)))
);
CREATE TABLE public.schema_migration (
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE public.security_settings (
    organization_id uuid NOT NULL,
    max_key_lifetime_days integer,
    CONSTRAINT security_settings_max_key_lifetime_days_check CHECK (((max_key_lifetime_days >= 1) AND (max_key_lifetime_days <= 3650)))
);
CREATE TABLE public.set_up_link (
    token_hash bytea NOT NULL,
    organization_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.spend_adjustment (
    id text NOT NULL,
    organization_id uuid NOT NULL,
    workspace_id text NOT NULL,
    api_key_id text NOT NULL,
    request_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    cost_nano_usd bigint NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.spend_limit (
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
    CONSTRAINT spend_limit_amount_nano_usd_check CHECK ((amount_nano_usd >= 0)),
    CONSTRAINT spend_limit_enforcement_check CHECK ((enforcement = ANY (ARRAY['strict'::text, 'soft'::text, 'alert_only'::text]))),
    CONSTRAINT spend_limit_open_ended_hold_nano_usd_check CHECK ((open_ended_hold_nano_usd > 0)),
    CONSTRAINT spend_limit_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text]))),
    CONSTRAINT spend_limit_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text])))
);
CREATE TABLE public.spend_limit_increase_request (
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
    resolved_at timestamp with time zone,
    CONSTRAINT spend_limit_increase_request_amount_nano_usd_check CHECK ((amount_nano_usd > 0)),
    CONSTRAINT spend_limit_increase_request_check CHECK (((status = 'pending'::text) = (resolved_at IS NULL))),
    CONSTRAINT spend_limit_increase_request_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text]))),
    CONSTRAINT spend_limit_increase_request_requester_type_check CHECK ((requester_type = ANY (ARRAY['member'::text, 'api_key'::text, 'admin_key'::text, 'local_operator'::text]))),
    CONSTRAINT spend_limit_increase_request_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'workspace'::text, 'api_key'::text]))),
    CONSTRAINT spend_limit_increase_request_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'withdrawn'::text])))
);
CREATE TABLE public.spend_limit_raise (
    id bigint NOT NULL,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    period text NOT NULL,
    period_start date NOT NULL,
    settled_nano_usd bigint NOT NULL,
    amount_nano_usd bigint,
    raised_at timestamp with time zone NOT NULL
);
ALTER TABLE public.spend_limit_raise ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.spend_limit_raise_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.upstream (
    id text NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    base_url text NOT NULL,
    credential_sealed bytea,
    credential_hint text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.usage_day (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_event (
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
    member_id text DEFAULT ''::text NOT NULL,
    CONSTRAINT usage_event_outcome_check CHECK ((outcome = ANY (ARRAY['answered'::text, 'refused'::text, 'unreached'::text, 'aborted'::text, 'interrupted'::text])))
)
PARTITION BY RANGE (started_at);
CREATE TABLE public.usage_event_2026_11 (
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
    member_id text DEFAULT ''::text NOT NULL,
    CONSTRAINT usage_event_outcome_check CHECK ((outcome = ANY (ARRAY['answered'::text, 'refused'::text, 'unreached'::text, 'aborted'::text, 'interrupted'::text])))
);
CREATE TABLE public.usage_event_2026_12 (
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
    member_id text DEFAULT ''::text NOT NULL,
    CONSTRAINT usage_event_outcome_check CHECK ((outcome = ANY (ARRAY['answered'::text, 'refused'::text, 'unreached'::text, 'aborted'::text, 'interrupted'::text])))
);
CREATE TABLE public.usage_event_default (
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
    member_id text DEFAULT ''::text NOT NULL,
    CONSTRAINT usage_event_outcome_check CHECK ((outcome = ANY (ARRAY['answered'::text, 'refused'::text, 'unreached'::text, 'aborted'::text, 'interrupted'::text])))
);
CREATE TABLE public.usage_hour (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_key_day (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_key_month (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_key_week (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_member_day (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_member_hour (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_member_week (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_month (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_organization_day (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_organization_hour (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_organization_minute (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_settings (
    organization_id uuid NOT NULL,
    log_retention_days integer,
    log_pruned_before timestamp with time zone,
    CONSTRAINT usage_settings_log_retention_days_check CHECK (((log_retention_days >= 7) AND (log_retention_days <= 36500)))
);
CREATE TABLE public.usage_week (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_weeks (
    is_only_row boolean DEFAULT true NOT NULL,
    summed_before timestamp with time zone NOT NULL,
    CONSTRAINT usage_weeks_is_only_row_check CHECK (is_only_row)
);
CREATE TABLE public.usage_workspace_day (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.usage_workspace_hour (
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
    cost_nano_usd bigint NOT NULL
);
CREATE TABLE public.workspace (
    id text NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    display_color text NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    archived_at timestamp with time zone
);
CREATE TABLE public.workspace_member (
    workspace_id text NOT NULL,
    member_id text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT workspace_member_role_check CHECK ((role = ANY (ARRAY['workspace_admin'::text, 'workspace_developer'::text, 'workspace_restricted_developer'::text, 'workspace_user'::text])))
);
ALTER TABLE ONLY public.usage_event ATTACH PARTITION public.usage_event_2026_11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE ONLY public.usage_event ATTACH PARTITION public.usage_event_2026_12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
ALTER TABLE ONLY public.usage_event ATTACH PARTITION public.usage_event_default DEFAULT;
INSERT INTO graphile_worker._private_jobs OVERRIDING SYSTEM VALUE VALUES
	(3, NULL, 15, '{"mail_id":"mail_0VcAbwDA1vy77CDjl4QDPAgh"}', 0, '2026-11-27 10:59:15.937381+00', 0, 12, NULL, '2026-11-27 10:59:15.937381+00', '2026-11-27 10:59:15.937381+00', 'mail:mail_0VcAbwDA1vy77CDjl4QDPAgh', NULL, NULL, 0, NULL, DEFAULT),
	(4, NULL, 15, '{"mail_id":"mail_0VcAbwN7VoBR7ehJxvTkcyD8"}', 0, '2026-11-27 10:59:16.588813+00', 0, 12, NULL, '2026-11-27 10:59:16.588813+00', '2026-11-27 10:59:16.588813+00', 'mail:mail_0VcAbwN7VoBR7ehJxvTkcyD8', NULL, NULL, 0, NULL, DEFAULT),
	(16, NULL, 15, '{"mail_id":"mail_0VcAbxGkCCxz97wygipRG1r8"}', 0, '2026-11-27 10:59:20.04591+00', 0, 12, NULL, '2026-11-27 10:59:20.04591+00', '2026-11-27 10:59:20.04591+00', 'mail:mail_0VcAbxGkCCxz97wygipRG1r8', NULL, NULL, 0, NULL, DEFAULT),
	(19, NULL, 15, '{"mail_id":"mail_0VcAbxQTsmuIPiVI9aIB7XOJ"}', 0, '2026-11-27 10:59:20.585187+00', 0, 12, NULL, '2026-11-27 10:59:20.585187+00', '2026-11-27 10:59:20.585187+00', 'mail:mail_0VcAbxQTsmuIPiVI9aIB7XOJ', NULL, NULL, 0, NULL, DEFAULT),
	(20, NULL, 15, '{"mail_id":"mail_0VcAbxS4F3IspZb28ulCpPC0"}', 0, '2026-11-27 10:59:20.722959+00', 0, 12, NULL, '2026-11-27 10:59:20.722959+00', '2026-11-27 10:59:20.722959+00', 'mail:mail_0VcAbxS4F3IspZb28ulCpPC0', NULL, NULL, 0, NULL, DEFAULT),
	(21, NULL, 15, '{"mail_id":"mail_0VcAbxViYWQDMoMcB88WiE62"}', 0, '2026-11-27 10:59:20.94298+00', 0, 12, NULL, '2026-11-27 10:59:20.94298+00', '2026-11-27 10:59:20.94298+00', 'mail:mail_0VcAbxViYWQDMoMcB88WiE62', NULL, NULL, 0, NULL, DEFAULT);
INSERT INTO graphile_worker._private_known_crontabs VALUES
	('sweep_mail', '2026-11-27 10:59:15.149+00', NULL),
	('keep_access_reviews', '2026-11-27 10:59:15.149+00', NULL),
	('enforce_rotation', '2026-11-27 10:59:15.149+00', NULL),
	('sweep_alert_deliveries', '2026-11-27 10:59:15.149+00', NULL),
	('sweep_spend_alerts', '2026-11-27 10:59:15.149+00', NULL),
	('end_incidents', '2026-11-27 10:59:15.149+00', NULL),
	('evaluate_pace', '2026-11-27 10:59:15.149+00', NULL),
	('evaluate_key_alerts', '2026-11-27 10:59:15.149+00', NULL),
	('evaluate_network_alerts', '2026-11-27 10:59:15.149+00', NULL),
	('evaluate_request_alerts', '2026-11-27 10:59:15.149+00', NULL);
INSERT INTO graphile_worker._private_tasks OVERRIDING SYSTEM VALUE VALUES
	(1, 'deliver_alert'),
	(2, 'acknowledge_alert'),
	(3, 'resolve_alert'),
	(4, 'keep_access_reviews'),
	(5, 'sweep_mail'),
	(6, 'apply_access_review'),
	(7, 'enforce_rotation'),
	(8, 'sweep_alert_deliveries'),
	(9, 'sweep_spend_alerts'),
	(10, 'end_incidents'),
	(11, 'evaluate_pace'),
	(12, 'evaluate_key_alerts'),
	(13, 'evaluate_network_alerts'),
	(14, 'evaluate_request_alerts'),
	(15, 'send_mail');
INSERT INTO graphile_worker.migrations VALUES
	(1, '2026-11-27 10:59:13.72264+00', true),
	(2, '2026-11-27 10:59:13.773271+00', false),
	(3, '2026-11-27 10:59:13.807173+00', true),
	(4, '2026-11-27 10:59:13.819142+00', false),
	(5, '2026-11-27 10:59:13.835409+00', false),
	(6, '2026-11-27 10:59:13.849901+00', false),
	(7, '2026-11-27 10:59:13.917922+00', false),
	(8, '2026-11-27 10:59:13.921323+00', false),
	(9, '2026-11-27 10:59:13.933377+00', false),
	(10, '2026-11-27 10:59:13.939453+00', false),
	(11, '2026-11-27 10:59:13.943905+00', true),
	(12, '2026-11-27 10:59:14.019019+00', false),
	(13, '2026-11-27 10:59:14.022535+00', true),
	(14, '2026-11-27 10:59:14.028414+00', true),
	(15, '2026-11-27 10:59:14.032792+00', false),
	(16, '2026-11-27 10:59:14.035805+00', true),
	(17, '2026-11-27 10:59:14.045637+00', false),
	(18, '2026-11-27 10:59:14.049268+00', false),
	(19, '2026-11-27 10:59:14.058857+00', true),
	(20, '2026-11-27 10:59:14.061589+00', false);
INSERT INTO public.access_review VALUES
	('review_0VcAbxPLrNba35LW228PYTMe', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Open', '{workspace_key}', '{wksp_0VcAbwO7Cjl4DkTl9C9LoKK7}', 'open', 'keep', 30, '2027-09-23 10:59:20.561+00', NULL, 'none', '2026-11-27 10:59:20.583+00', '2026-11-27 10:59:20.583+00', NULL, 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.583+00', NULL, NULL, NULL),
	('review_0VcAbxRZEdB519sAGDJGPqTP', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Closed', '{workspace_key}', '{wksp_0VcAbwO7Cjl4DkTl9C9LoKK7}', 'closed', 'keep', 30, '2027-09-23 10:59:20.561+00', NULL, 'none', '2026-11-27 10:59:20.721+00', '2026-11-27 10:59:20.721+00', NULL, 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.721+00', 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.857+00');
INSERT INTO public.access_review_item VALUES
	('reviewitem_0VcAbxPLdxFOFrvwxdtuToin', 'review_0VcAbxPLrNba35LW228PYTMe', 0, 'workspace_key', 'write', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', NULL, '{"key": {"id": "apikey_0VcAbwZOCNS6wY1Gj3QZXMCg", "name": "Bound", "type": "api_key", "permission": "write", "partial_key_hint": "sk-ant-api03-w6j...ifns"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": null, "granted_at": "2026-11-27T10:59:17.362Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used,never_expires}', 'keep', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL),
	('reviewitem_0VcAbxPLlDWwd5Z03xBrVNXZ', 'review_0VcAbxPLrNba35LW228PYTMe', 1, 'workspace_key', 'read', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwYuiL44u8oPMulIRt1e', NULL, '{"key": {"id": "apikey_0VcAbwYuiL44u8oPMulIRt1e", "name": "Expires", "type": "api_key", "permission": "read", "partial_key_hint": "sk-ant-api03-YSd...B02d"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": "2099-01-01T00:00:00.000Z", "granted_at": "2026-11-27T10:59:17.332Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used}', 'keep', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL),
	('reviewitem_0VcAbxPLO5IgNyT2V0NqoEMY', 'review_0VcAbxPLrNba35LW228PYTMe', 2, 'workspace_key', 'write', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', NULL, '{"key": {"id": "apikey_0VcAbwVtAHfGI3MIXBHQ37vJ", "name": "Rotated", "type": "api_key", "permission": "write", "partial_key_hint": "sk-ant-api03-3of...0ips"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": null, "granted_at": "2026-11-27T10:59:17.145Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used,never_expires}', 'keep', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL),
	('reviewitem_0VcAbxPL38R0X9L4ilWaAeyQ', 'review_0VcAbxPLrNba35LW228PYTMe', 3, 'workspace_key', 'write', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', NULL, '{"key": {"id": "apikey_0VcAbwOrI3Q9eA0FbeLC6NaR", "name": "test", "type": "api_key", "permission": "write", "partial_key_hint": "sk-ant-api03-b7Z...Leug"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": null, "granted_at": "2026-11-27T10:59:16.709Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used,never_expires}', 'keep', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL),
	('reviewitem_0VcAbxRZQK5W6TtUVrpHLI0a', 'review_0VcAbxRZEdB519sAGDJGPqTP', 0, 'workspace_key', 'write', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', NULL, '{"key": {"id": "apikey_0VcAbwZOCNS6wY1Gj3QZXMCg", "name": "Bound", "type": "api_key", "permission": "write", "partial_key_hint": "sk-ant-api03-w6j...ifns"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": null, "granted_at": "2026-11-27T10:59:17.362Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used,never_expires}', 'keep', 'keep', NULL, 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.809+00', false, 'kept', NULL, '2026-11-27 10:59:20.857+00'),
	('reviewitem_0VcAbxRZtxSyJn4JLJ3lQYw2', 'review_0VcAbxRZEdB519sAGDJGPqTP', 1, 'workspace_key', 'read', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwYuiL44u8oPMulIRt1e', NULL, '{"key": {"id": "apikey_0VcAbwYuiL44u8oPMulIRt1e", "name": "Expires", "type": "api_key", "permission": "read", "partial_key_hint": "sk-ant-api03-YSd...B02d"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": "2099-01-01T00:00:00.000Z", "granted_at": "2026-11-27T10:59:17.332Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used}', 'keep', 'keep', NULL, 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.809+00', false, 'kept', NULL, '2026-11-27 10:59:20.857+00'),
	('reviewitem_0VcAbxRZJsHyiUI3td6IJe1T', 'review_0VcAbxRZEdB519sAGDJGPqTP', 2, 'workspace_key', 'write', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', NULL, '{"key": {"id": "apikey_0VcAbwVtAHfGI3MIXBHQ37vJ", "name": "Rotated", "type": "api_key", "permission": "write", "partial_key_hint": "sk-ant-api03-3of...0ips"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": null, "granted_at": "2026-11-27T10:59:17.145Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used,never_expires}', 'keep', 'keep', NULL, 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.809+00', false, 'kept', NULL, '2026-11-27 10:59:20.857+00'),
	('reviewitem_0VcAbxRZMETck7ZCgfdiutNx', 'review_0VcAbxRZEdB519sAGDJGPqTP', 3, 'workspace_key', 'write', NULL, 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', NULL, '{"key": {"id": "apikey_0VcAbwOrI3Q9eA0FbeLC6NaR", "name": "test", "type": "api_key", "permission": "write", "partial_key_hint": "sk-ant-api03-b7Z...Leug"}, "path": "workspace_key", "role": null, "member": null, "workspace": {"id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "name": "Research"}, "expires_at": null, "granted_at": "2026-11-27T10:59:16.709Z", "granted_by": {"id": "adminkey_0VcAbwMpQyXBt3p7drFWU5SZ", "name": "test", "type": "admin_key"}, "last_used_at": null, "workspace_role": null}', '{never_used,never_expires}', 'keep', 'keep', NULL, 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.809+00', false, 'kept', NULL, '2026-11-27 10:59:20.857+00');
INSERT INTO public.access_review_reminder VALUES
	('review_0VcAbxPLrNba35LW228PYTMe', 'user_0VcAbw77vFDi331OPvrydODk', 'asked', '2026-11-27 10:59:20.651+00'),
	('review_0VcAbxRZEdB519sAGDJGPqTP', 'user_0VcAbw77vFDi331OPvrydODk', 'asked', '2026-11-27 10:59:20.748+00');
INSERT INTO public.access_review_reviewer VALUES
	('review_0VcAbxPLrNba35LW228PYTMe', 'user_0VcAbw77vFDi331OPvrydODk'),
	('review_0VcAbxRZEdB519sAGDJGPqTP', 'user_0VcAbw77vFDi331OPvrydODk');
INSERT INTO public.admin_key VALUES
	('adminkey_0VcAbwpv6K5kUvz7ShaEWVcm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Expires', 'active', '\x9154333d78527e9a41c999c99169d4704fa6819e646b4486fa8fd14e6ce6fc8b', 'sk-ant-admin01-tya...4fbP', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:18.387+00', '2099-01-01 00:00:00+00', NULL, NULL, NULL, NULL),
	('adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'test', 'active', '\x59833f7af5ccda5f4320bfa6853322c0521434babc9b65716d7d6b3e5a33ee16', 'sk-ant-admin01-7kn...cf1c', 'local_operator', '0', '2026-11-27 10:59:16.583+00', NULL, NULL, '2026-11-27 10:59:20.328+00', '127.0.0.1', NULL);
INSERT INTO public.alert VALUES
	('alert_0VcAbvjzA4vAroobUqKcSyka', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Spend limits', 'spend_limit', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', true, '{"kind": "spend_limit", "thresholds": [{"percent": 50}, {"percent": 75}, {"percent": 90}, {"percent": 100}]}', false, true, NULL, 1, '2026-11-27 10:59:14.175+00', '2026-11-27 10:59:14.175+00', NULL),
	('alert_0VcAbvjz05I0SKLZYeNuTxou', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Keys about to expire', 'key_expiring', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', true, '{"days": [14, 3], "kind": "key_expiring"}', true, true, NULL, 1, '2026-11-27 10:59:14.175+00', '2026-11-27 10:59:14.175+00', NULL),
	('alert_0VcAbvjzyS2l3ZP883tu5n0G', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Forecast', 'forecast', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', true, '{"kind": "forecast", "percent": 100}', false, true, NULL, 1, '2026-11-27 10:59:14.175+00', '2026-11-27 10:59:14.175+00', NULL),
	('alert_0VcAbvjzeX6WuVjRTS5p7mbI', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Unusual spend', 'unusual_spend', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', true, '{"kind": "unusual_spend", "factor": 4, "min_usd": 5}', false, true, NULL, 1, '2026-11-27 10:59:14.175+00', '2026-11-27 10:59:14.175+00', NULL),
	('alert_0VcAbvjzVwjumm7fIzdLQqf7', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Upstream errors', 'upstream_errors', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', false, '{"kind": "upstream_errors", "minutes": 15, "percent": 20, "min_requests": 20}', false, true, NULL, 1, '2026-11-27 10:59:14.175+00', '2026-11-27 10:59:14.175+00', NULL),
	('alert_0VcAbwgrsk62PHsTBNIAQvjk', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Spend', 'spend_limit', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', true, '{"kind": "spend_limit", "thresholds": [{"percent": 10}, {"period": "monthly", "amount_usd": 0.01}]}', false, true, NULL, 1, '2026-11-27 10:59:17.825+00', '2026-11-27 10:59:17.825+00', NULL),
	('alert_0VcAbwiRrdMxETHBorIBlJYd', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Unused', 'key_unused', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', false, '{"days": 90, "kind": "key_unused"}', false, true, NULL, 1, '2026-11-27 10:59:17.923+00', '2026-11-27 10:59:17.923+00', NULL);
INSERT INTO public.alert_channel VALUES
	('channel_0VcAbvjzRCAhTQnYydnGTZ13', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Owners and Admins', 'email', '{"roles": ["owner", "admin"], "addresses": []}', NULL, NULL, true, NULL, NULL, 0, NULL, 1, '2026-11-27 10:59:14.175+00', '2026-11-27 10:59:14.175+00', NULL),
	('channel_0VcAbwfiC6xepoYFUhUYPpBu', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Webhook', 'webhook', NULL, '\x01438720f6735f8edf1b9adc9a9d6c24af06eef17b03fb9b5d11c80980d7ed47a283d8bf809a68aa9ab106f159bd8f408ceabd42b8da6d45c351d0318f14d65d406cfe07e4ffd82c6a086eb28d381fa566816541d0', 'http://127.0.0.1:35781/…', true, NULL, NULL, 0, NULL, 1, '2026-11-27 10:59:17.754+00', '2026-11-27 10:59:17.754+00', NULL);
INSERT INTO public.alert_channel_secret OVERRIDING SYSTEM VALUE VALUES
	(1, 'channel_0VcAbwfiC6xepoYFUhUYPpBu', '\x019ecd8f3ca475907a6a488edcabc9f14bf06ada8331f39e12dd0750ec427c4161ef2dfe108f320178c2afab1d5efbbcf8b02a4736c3d282adb80b137d6e8c9d3df99d7c06b05ef3e3a766d09da360', '2026-11-27 10:59:17.754+00', NULL);
INSERT INTO public.alert_delivery VALUES
	('msg_0VcAbwxKoJJSWfzL2oLvH30y', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbwxEfL99Bktc1XyrkC34', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:18.944+00', '2026-11-27 10:59:18.722+00', '2026-11-27 10:59:18.986+00', NULL),
	('msg_0VcAbwxKVc3tSazvWlzpPY46', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbwxEkiGVd9TYMHf9pZpk', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:18.934+00', '2026-11-27 10:59:18.722+00', '2026-11-27 10:59:18.988+00', NULL),
	('msg_0VcAbwxKPIVJgdGaKVCLPCar', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbwxEVwOvoVRUi3UPpCCB', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:18.988+00', '2026-11-27 10:59:18.722+00', '2026-11-27 10:59:18.995+00', NULL),
	('msg_0VcAbx59h8Ng0I2eJQllBK4f', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbx4mjUbL45xD7VgDa6pS', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:19.405+00', '2026-11-27 10:59:19.161+00', '2026-11-27 10:59:19.441+00', NULL),
	('msg_0VcAbx593icAz0KbGykt2Jkb', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbx4mHMVRoqRCFDbohrcU', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:19.418+00', '2026-11-27 10:59:19.161+00', '2026-11-27 10:59:19.442+00', NULL),
	('msg_0VcAbx59DUp1k67tEssxniRi', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbx4m8SuyeolrmzrO5fMH', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:19.418+00', '2026-11-27 10:59:19.161+00', '2026-11-27 10:59:19.446+00', NULL),
	('msg_0VcAbxG1W5GPhfuFsSiiV3FM', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbxFxSyVB3KCPRHoB6v24', 'channel_0VcAbvjzRCAhTQnYydnGTZ13', 'sent', 1, NULL, NULL, '2026-11-27 10:59:20.045+00', '2026-11-27 10:59:19.984+00', '2026-11-27 10:59:20.045+00', NULL),
	('msg_0VcAbxG1U3HN8IT3mowvOfEX', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbxFxAoKxHYr5VnzGDmlY', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:20.04+00', '2026-11-27 10:59:19.984+00', '2026-11-27 10:59:20.079+00', NULL),
	('msg_0VcAbxG1ym3a2OQ26QcMwGNE', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbxFx0NYUs9eytUDPBw6s', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:20.05+00', '2026-11-27 10:59:19.984+00', '2026-11-27 10:59:20.082+00', NULL),
	('msg_0VcAbwxKc8thJipN2PjmFkbP', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAbwxEy1wdb8Of8W5G8bWJ', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:20.118+00', '2026-11-27 10:59:18.722+00', '2026-11-27 10:59:20.153+00', NULL),
	('msg_0VcAc3ovbR08h0DwkaJwKzU8', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAc3ot7YtJbvosdMv6EOq1', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:45.297+00', '2026-11-27 10:59:45.181+00', '2026-11-27 10:59:45.338+00', NULL),
	('msg_0VcAc3ov5AwTjYyJUpCEUDjV', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'firing_0VcAc3othtfEk6FQXCwKDTj0', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', 'sent', 1, 200, NULL, '2026-11-27 10:59:45.317+00', '2026-11-27 10:59:45.181+00', '2026-11-27 10:59:45.354+00', NULL);
INSERT INTO public.alert_firing VALUES
	('firing_0VcAbwxEVwOvoVRUi3UPpCCB', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'daily 2026-11-27', '10%', '{"period": "daily", "held_usd": "0.00", "limit_usd": "1.00", "spent_usd": "0.108676", "enforcement": "alert_only", "period_ends_at": "2026-11-28T00:00:00.000Z", "spend_limit_id": "spl_0VcAbwdiet0RiBm4zevbOPsk", "unresolved_usd": "0.00", "period_starts_at": "2026-11-27T00:00:00.000Z"}', false, '2026-11-27 10:59:18.722+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbwxEkiGVd9TYMHf9pZpk', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.108676", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:18.722+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbwxEfL99Bktc1XyrkC34', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', NULL, 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.112352", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:18.722+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbwxEy1wdb8Of8W5G8bWJ', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'workspace', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.112352", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:18.722+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbx4mHMVRoqRCFDbohrcU', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'api_key', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.108676", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:19.161+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbx4m8SuyeolrmzrO5fMH', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.108676", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:19.161+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbx4mjUbL45xD7VgDa6pS', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'monthly 2026-11-01', '10%', '{"period": "monthly", "held_usd": "0.015695", "limit_usd": "0.02", "spent_usd": "0.003725", "enforcement": "strict", "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": "spl_0VcAbwbDnpI3x4ggEIus8kl8", "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:19.161+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbxFxSyVB3KCPRHoB6v24', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbvjzA4vAroobUqKcSyka', 'spend_limit', 'workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'monthly 2026-11-01', '50%', '{"period": "monthly", "held_usd": "0.00", "limit_usd": "0.02", "spent_usd": "0.01043", "enforcement": "strict", "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": "spl_0VcAbwbDnpI3x4ggEIus8kl8", "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:19.984+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbxFxAoKxHYr5VnzGDmlY', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'api_key', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.01043", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:19.984+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAbxFx0NYUs9eytUDPBw6s', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.01043", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:19.984+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAc3ot7YtJbvosdMv6EOq1', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'api_key', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.01", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.00", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:45.181+00', NULL, NULL, NULL, NULL, NULL),
	('firing_0VcAc3othtfEk6FQXCwKDTj0', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', 'spend_limit', 'workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'monthly 2026-11-01', '$0.01', '{"period": "monthly", "held_usd": "0.00", "limit_usd": null, "spent_usd": "0.01", "enforcement": null, "period_ends_at": "2026-12-01T00:00:00.000Z", "spend_limit_id": null, "unresolved_usd": "0.0437745", "period_starts_at": "2026-11-01T00:00:00.000Z"}', false, '2026-11-27 10:59:45.181+00', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.alert_to_channel VALUES
	('alert_0VcAbvjzA4vAroobUqKcSyka', 'channel_0VcAbvjzRCAhTQnYydnGTZ13'),
	('alert_0VcAbvjz05I0SKLZYeNuTxou', 'channel_0VcAbvjzRCAhTQnYydnGTZ13'),
	('alert_0VcAbvjzyS2l3ZP883tu5n0G', 'channel_0VcAbvjzRCAhTQnYydnGTZ13'),
	('alert_0VcAbvjzeX6WuVjRTS5p7mbI', 'channel_0VcAbvjzRCAhTQnYydnGTZ13'),
	('alert_0VcAbvjzVwjumm7fIzdLQqf7', 'channel_0VcAbvjzRCAhTQnYydnGTZ13'),
	('alert_0VcAbwgrsk62PHsTBNIAQvjk', 'channel_0VcAbwfiC6xepoYFUhUYPpBu'),
	('alert_0VcAbwiRrdMxETHBorIBlJYd', 'channel_0VcAbvjzRCAhTQnYydnGTZ13');
INSERT INTO public.api_key VALUES
	('apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'test', 'write', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:16.709+00', NULL, NULL, NULL, NULL, NULL, 'calls'),
	('apikey_0VcAbwQEZGRTEpE43NRpKvAe', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'test', 'write', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:16.794+00', NULL, NULL, NULL, NULL, NULL, 'calls'),
	('apikey_0VcAbwS5MYYLaifk5XKdrXGA', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'test', 'write', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:16.909+00', NULL, NULL, NULL, NULL, NULL, 'calls'),
	('apikey_0VcAbwTIGZIy0Xoa6dMlB6rf', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', 'test', 'write', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:16.984+00', NULL, NULL, NULL, NULL, NULL, 'calls'),
	('apikey_0VcAbwTiBt9lLb75MjEROnBC', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd', 'test', 'write', 'archived', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:17.01+00', NULL, NULL, NULL, NULL, '2026-11-27 10:59:17.061+00', 'calls'),
	('apikey_0VcAbwVGE4crTtFg1cnZ7DG4', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'Personal', 'write', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:17.106+00', NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW', NULL, NULL, NULL, 'calls'),
	('apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'Rotated', 'write', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:17.145+00', NULL, NULL, NULL, NULL, NULL, 'calls'),
	('apikey_0VcAbwXBpmHWBHqo8Di8ZDWF', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'Revoked', 'write', 'archived', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:17.225+00', NULL, NULL, NULL, NULL, '2026-11-27 10:59:17.269+00', 'calls'),
	('apikey_0VcAbwYuiL44u8oPMulIRt1e', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'Expires', 'read', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:17.332+00', '2099-01-01 00:00:00+00', NULL, NULL, NULL, NULL, 'calls'),
	('apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'Bound', 'write', 'active', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', '2026-11-27 10:59:17.362+00', NULL, NULL, '{claude-haiku-*}', '{127.0.0.0/8}', NULL, 'calls'),
	('apikey_0VcAbxWOhKobNRShMCitMalz', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'Playground of Ada Lovelace', 'write', 'active', 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:21.02+00', '2026-11-27 11:09:21.02+00', 'user_0VcAbw77vFDi331OPvrydODk', NULL, NULL, NULL, 'playground');
INSERT INTO public.api_key_network VALUES
	('apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '127.0.0.0/24', '2026-11-27 10:59:18.625+00', '2026-11-27 10:59:18.625+00'),
	('apikey_0VcAbwQEZGRTEpE43NRpKvAe', '127.0.0.0/24', '2026-11-27 10:59:19.942+00', '2026-11-27 10:59:19.942+00'),
	('apikey_0VcAbwVGE4crTtFg1cnZ7DG4', '127.0.0.0/24', '2026-11-27 10:59:18.722+00', '2026-11-27 10:59:18.722+00'),
	('apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '127.0.0.0/24', '2026-11-27 10:59:18.888+00', '2026-11-27 10:59:18.888+00'),
	('apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '127.0.0.0/24', '2026-11-27 10:59:18.929+00', '2026-11-27 10:59:18.929+00');
INSERT INTO public.api_key_secret OVERRIDING SYSTEM VALUE VALUES
	(3, 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', '\xc2824f190700b41b3a4ff058dcf9a03e24bbb558ab2bf0b84561ca29c1e21899', 'sk-ant-api03-jyZ...Wzn5', '2026-11-27 10:59:16.909+00', NULL, NULL, NULL, NULL, NULL, NULL),
	(4, 'apikey_0VcAbwTIGZIy0Xoa6dMlB6rf', '\x1e141b4f71af759778690cedbf3964f09678ea9221964f182ac07ccf1bdf7aa4', 'sk-ant-api03-gop...iBMA', '2026-11-27 10:59:16.984+00', NULL, NULL, NULL, NULL, NULL, NULL),
	(5, 'apikey_0VcAbwTiBt9lLb75MjEROnBC', '\x5e47153a6d50de0c4e542a241b13373195edd524694337ad356a89036d84ad29', 'sk-ant-api03-KHw...p7wp', '2026-11-27 10:59:17.01+00', NULL, NULL, NULL, NULL, NULL, NULL),
	(7, 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '\x35b5735fe351e895f03c9beac93ed9a6e00a51c1b3b085b626bc5ec884faaf3e', 'sk-ant-api03-Wa6...PRi8', '2026-11-27 10:59:17.145+00', '2026-11-27 11:59:17.184+00', NULL, NULL, NULL, NULL, NULL),
	(9, 'apikey_0VcAbwXBpmHWBHqo8Di8ZDWF', '\xa7e04c49e419d40a09e2c770806023566a08b95fbd9de2e8b83146a62ec435aa', 'sk-ant-api03-pU2...VAnw', '2026-11-27 10:59:17.225+00', NULL, NULL, NULL, NULL, NULL, NULL),
	(10, 'apikey_0VcAbwYuiL44u8oPMulIRt1e', '\x8271c8836cc7a7507396521e7cf8a4d9e04aae7129cafcf8c97516d8426d752c', 'sk-ant-api03-YSd...B02d', '2026-11-27 10:59:17.332+00', NULL, NULL, NULL, NULL, NULL, NULL),
	(12, 'apikey_0VcAbxWOhKobNRShMCitMalz', '\x4bb9bddf9c540bd570cd508824ff91237c9492e014965e631141076e779d926e', 'sk-ant-api03-CLC...0aoi', '2026-11-27 10:59:21.02+00', '2026-11-27 11:09:21.02+00', NULL, NULL, NULL, 'play_0VcAbxWOFcSflArBXoqhtWpZ', 'session_0VcAbw8TlXoWeHwooolIUZOR'),
	(1, 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '\x712bb430eb4967a3913316864da8dff1d27cc741adc1e7c86839ca7df5aa4a0b', 'sk-ant-api03-b7Z...Leug', '2026-11-27 10:59:16.709+00', NULL, '2026-11-27 10:59:18.625+00', '127.0.0.1', 'simulate-fast-in2000-out300', NULL, NULL),
	(2, 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '\x44952b36bd900498eecd05f5819efe1e99f5045bd8bc50d2fbdc7a579ed0d92c', 'sk-ant-api03-Pu4...zkYq', '2026-11-27 10:59:16.794+00', NULL, '2026-11-27 10:59:19.942+00', '127.0.0.1', 'claude-opus-4-5', NULL, NULL),
	(6, 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', '\x87aa415da73495682756d5221e25369abfe08e147d193a801712994a90af800c', 'sk-ant-api03-xMD...brp7', '2026-11-27 10:59:17.106+00', NULL, '2026-11-27 10:59:18.722+00', '127.0.0.1', 'simulate-fast-in2000-out300', NULL, NULL),
	(8, 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '\x2cd3e0c2b4c46fe64497e576652371cb19e0ef42329ef04b51aa34f58b712ea8', 'sk-ant-api03-3of...0ips', '2026-11-27 10:59:17.184+00', NULL, '2026-11-27 10:59:18.888+00', '127.0.0.1', 'simulate-fast-in2000-out300', NULL, NULL),
	(11, 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '\x095a1747e8bb72feee7c29af448ea13191d78c4bca86863589198001b570eae2', 'sk-ant-api03-w6j...ifns', '2026-11-27 10:59:17.362+00', NULL, '2026-11-27 10:59:18.929+00', '127.0.0.1', 'claude-haiku-4-5-20251001', NULL, NULL);
INSERT INTO public.audit_event VALUES
	('audit_0VcAbvjVpfMOsHFgXBEhfDMv', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 1, 'organization.created', 'system', 'first start', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', NULL, NULL, '{"name": "My organization", "default_workspace_id": "wksp_0VcAbvjIAoZDO4KAOIbgsqWT"}', 'req_0VcAbvjI3zVTgWDlnbCHk6Wq', NULL, NULL, '2026-11-27 10:59:14.145+00', '\xeeb06363ffa5fededcc7380f90ab902957ec7db62593fa76e0301032e6fc32c7', '\x462231c4357483c91960c5932e15c3dc9ddfe2975b575b1f6facc9a4157cab7f', NULL, NULL),
	('audit_0VcAbvkymBrDnTVrKbrWGKDB', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 2, 'alert_channel.created', 'system', 'first_alerts', 'alert_channel', 'channel_0VcAbvjzRCAhTQnYydnGTZ13', NULL, NULL, '{"kind": "email", "name": "Owners and Admins", "state": "working", "recipients": {"roles": ["owner", "admin"], "addresses": []}, "target_hint": null}', 'req_0VcAbvjzRFprudpTI3ZfFajH', NULL, NULL, '2026-11-27 10:59:14.236+00', '\x462231c4357483c91960c5932e15c3dc9ddfe2975b575b1f6facc9a4157cab7f', '\x4fb10b3379180fb65200942ab66ad23c56e230859c3c32d0d78aef0dfe3d3f34', NULL, NULL),
	('audit_0VcAbvl5QjG1HTmPb7qeev3P', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 3, 'alert.created', 'system', 'first_alerts', 'alert', 'alert_0VcAbvjzA4vAroobUqKcSyka', NULL, NULL, '{"name": "Spend limits", "scope": {"type": "organization"}, "condition": {"kind": "spend_limit", "thresholds": [{"percent": 50}, {"percent": 75}, {"percent": 90}, {"percent": 100}]}, "is_enabled": true, "channel_ids": ["channel_0VcAbvjzRCAhTQnYydnGTZ13"], "muted_until": null, "includes_below": true, "notifies_owner": false}', 'req_0VcAbvjzRFprudpTI3ZfFajH', NULL, NULL, '2026-11-27 10:59:14.243+00', '\x4fb10b3379180fb65200942ab66ad23c56e230859c3c32d0d78aef0dfe3d3f34', '\x313ab47309ce6ae66233b967c6ee09e4c82f82cc271e988b876dcf78e0225808', NULL, NULL),
	('audit_0VcAbvlH8jADgnErJaBhQlxW', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 4, 'alert.created', 'system', 'first_alerts', 'alert', 'alert_0VcAbvjz05I0SKLZYeNuTxou', NULL, NULL, '{"name": "Keys about to expire", "scope": {"type": "organization"}, "condition": {"days": [14, 3], "kind": "key_expiring"}, "is_enabled": true, "channel_ids": ["channel_0VcAbvjzRCAhTQnYydnGTZ13"], "muted_until": null, "includes_below": true, "notifies_owner": true}', 'req_0VcAbvjzRFprudpTI3ZfFajH', NULL, NULL, '2026-11-27 10:59:14.255+00', '\x313ab47309ce6ae66233b967c6ee09e4c82f82cc271e988b876dcf78e0225808', '\x5f5c98c79b3b67d5e3b23c6845693e6e36a863e7c6289d73ec767b6a682c59eb', NULL, NULL),
	('audit_0VcAbvlPEx39nKOUXBmOhBmH', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 5, 'alert.created', 'system', 'first_alerts', 'alert', 'alert_0VcAbvjzyS2l3ZP883tu5n0G', NULL, NULL, '{"name": "Forecast", "scope": {"type": "organization"}, "condition": {"kind": "forecast", "percent": 100}, "is_enabled": true, "channel_ids": ["channel_0VcAbvjzRCAhTQnYydnGTZ13"], "muted_until": null, "includes_below": true, "notifies_owner": false}', 'req_0VcAbvjzRFprudpTI3ZfFajH', NULL, NULL, '2026-11-27 10:59:14.263+00', '\x5f5c98c79b3b67d5e3b23c6845693e6e36a863e7c6289d73ec767b6a682c59eb', '\x186d3ab974291ab321f7d22fcb320928edcbf69dcc36021fba8fa8f24addd0c8', NULL, NULL),
	('audit_0VcAbvlX4pN4W1DMe8EZ53Yb', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 6, 'alert.created', 'system', 'first_alerts', 'alert', 'alert_0VcAbvjzeX6WuVjRTS5p7mbI', NULL, NULL, '{"name": "Unusual spend", "scope": {"type": "organization"}, "condition": {"kind": "unusual_spend", "factor": 4, "min_usd": 5}, "is_enabled": true, "channel_ids": ["channel_0VcAbvjzRCAhTQnYydnGTZ13"], "muted_until": null, "includes_below": true, "notifies_owner": false}', 'req_0VcAbvjzRFprudpTI3ZfFajH', NULL, NULL, '2026-11-27 10:59:14.271+00', '\x186d3ab974291ab321f7d22fcb320928edcbf69dcc36021fba8fa8f24addd0c8', '\x850b95a38d7c3075fb6671d3f3a67bf7e531655dc15511f7dca31c1f2d041fbe', NULL, NULL),
	('audit_0VcAbvlhFrkOQcZyEWBkp5hY', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 7, 'alert.created', 'system', 'first_alerts', 'alert', 'alert_0VcAbvjzVwjumm7fIzdLQqf7', NULL, NULL, '{"name": "Upstream errors", "scope": {"type": "organization"}, "condition": {"kind": "upstream_errors", "minutes": 15, "percent": 20, "min_requests": 20}, "is_enabled": true, "channel_ids": ["channel_0VcAbvjzRCAhTQnYydnGTZ13"], "muted_until": null, "includes_below": false, "notifies_owner": false}', 'req_0VcAbvjzRFprudpTI3ZfFajH', NULL, NULL, '2026-11-27 10:59:14.281+00', '\x850b95a38d7c3075fb6671d3f3a67bf7e531655dc15511f7dca31c1f2d041fbe', '\x80bb867d86ef68df72092fc068a0a88d6e9abc39af4ae195b0ffdc7d03125803', NULL, NULL),
	('audit_0VcAbw8qsr9HTPrrm1OOItBs', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 8, 'organization.set_up', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', NULL, NULL, '{"name": "Analytical Engines", "owner": {"id": "user_0VcAbw77vFDi331OPvrydODk", "name": "Ada Lovelace", "email": "ada@example.com"}}', 'req_0VcAbw2sOuCUZpaJoQG3Lnot', '127.0.0.1', 'node', '2026-11-27 10:59:15.716+00', '\x80bb867d86ef68df72092fc068a0a88d6e9abc39af4ae195b0ffdc7d03125803', '\x6c985187676f81fe7f0479d2e5f6b1a631b25ca2d375decdc34bf0750419cf6c', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbwBfuPKPfbj7UJCPySbN', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 9, 'passkey.added', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'passkey', 'passkey_0VcAbwBdZdkSVY49SazTkaKT', NULL, NULL, '{"name": "Laptop"}', 'req_0VcAbwBGHolw3RJpz5XObcC4', '127.0.0.1', 'node', '2026-11-27 10:59:15.891+00', '\x6c985187676f81fe7f0479d2e5f6b1a631b25ca2d375decdc34bf0750419cf6c', '\xb00b9e42dda6a24a7f760d842a1cec9fad255d26ded55ecd6ddea4c82b4191a4', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbwDMZFG0csmLwQ1hqLZV', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10, 'invite.created', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'invite', 'invite_0VcAbwCVuOGod6DzMody9siF', NULL, NULL, '{"role": "developer", "email": "grace@example.com", "status": "pending", "expires_at": "2026-12-18T10:59:15.943Z", "workspaces": []}', 'req_0VcAbwCKLj5kqogQ44vidFns', '127.0.0.1', 'node', '2026-11-27 10:59:15.996+00', '\xb00b9e42dda6a24a7f760d842a1cec9fad255d26ded55ecd6ddea4c82b4191a4', '\x906c5218d3e82c9869e2ac10264c532de3551bf54900d5e1a937b364a990f220', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbwDVL2sLMN4mrZh0Q68Y', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 11, 'invite.created', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'invite', 'invite_0VcAbwCweWcZkkMjbiso8qaX', NULL, NULL, '{"role": "developer", "email": "open@example.com", "status": "pending", "expires_at": "2026-12-18T10:59:15.970Z", "workspaces": []}', 'req_0VcAbwCKLj5kqogQ44vidFns', '127.0.0.1', 'node', '2026-11-27 10:59:16.005+00', '\x906c5218d3e82c9869e2ac10264c532de3551bf54900d5e1a937b364a990f220', '\xe70a1dd251928d4399a0765c2f871de8710515a60781c6ad57c52b08caa5ec3f', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbwKaLEgI3bQ5gdhiZatL', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 12, 'invite.accepted', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'invite', 'invite_0VcAbwCVuOGod6DzMody9siF', NULL, '{"role": "developer", "email": "grace@example.com", "status": "pending", "expires_at": "2026-12-18T10:59:15.943Z", "workspaces": []}', '{"name": "Grace", "role": "developer", "email": "grace@example.com", "status": "accepted", "member_id": "user_0VcAbwKARfoUqSKt3IdonxlW", "expires_at": "2026-12-18T10:59:15.943Z", "workspaces": []}', 'req_0VcAbwEAJ9oAfuYKaLFfBljp', '127.0.0.1', 'node', '2026-11-27 10:59:16.444+00', '\xe70a1dd251928d4399a0765c2f871de8710515a60781c6ad57c52b08caa5ec3f', '\x32ae441d519e8ab9ac097f4c748d6a6c77a075077f81b1efe8b594beebd49fcb', 'Grace', 'grace@example.com'),
	('audit_0VcAbwLNdbn6FPxiVkobrgx0', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 13, 'two_factor.prepared', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', NULL, NULL, NULL, 'req_0VcAbwKiLAAt3nPX20sr0LLr', '127.0.0.1', 'node', '2026-11-27 10:59:16.493+00', '\x32ae441d519e8ab9ac097f4c748d6a6c77a075077f81b1efe8b594beebd49fcb', '\xbdb11e47bfeec080e23886d05fe7f64dcb79cc378ab6313745cbaad44cc5a6ac', 'Grace', 'grace@example.com'),
	('audit_0VcAbwMHG8CVf1KSdpZWVqVq', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 14, 'two_factor.enabled', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', NULL, NULL, NULL, 'req_0VcAbwLdEMSLZdp8DKGbK2km', '127.0.0.1', 'node', '2026-11-27 10:59:16.549+00', '\xbdb11e47bfeec080e23886d05fe7f64dcb79cc378ab6313745cbaad44cc5a6ac', '\x1dfa2cc1fc83054774c9c385488b7e19960a074cd2984202c5ddab320662d43f', 'Grace', 'grace@example.com'),
	('audit_0VcAbwN9zrt4ESjoTzL3l3AN', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 15, 'password_reset.requested', 'stranger', '127.0.0.1', 'member', 'user_0VcAbw77vFDi331OPvrydODk', NULL, NULL, NULL, 'req_0VcAbwMd32ii49hBpKKlGdAE', '127.0.0.1', 'node', '2026-11-27 10:59:16.603+00', '\x1dfa2cc1fc83054774c9c385488b7e19960a074cd2984202c5ddab320662d43f', '\xe243e15e620c6b40626eb1568bf83a82f42d12478f24c81dc0df746d83c7ef03', NULL, NULL),
	('audit_0VcAbwNOYQlOVSOxhhvWEkCa', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 16, 'admin_key.created', 'local_operator', '0', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', NULL, NULL, '{"name": "test", "status": "active", "expires_at": null, "partial_key_hint": "sk-ant-admin01-7kn...cf1c"}', 'req_0VcAbwMnIvcFyfjZh6qsZZ35', NULL, 'bursar-cli', '2026-11-27 10:59:16.618+00', '\xe243e15e620c6b40626eb1568bf83a82f42d12478f24c81dc0df746d83c7ef03', '\x893dca5200309752150fb7e933dbab84ae9481872ac230a74cc87538e7bfa95f', NULL, NULL),
	('audit_0VcAbwOIPJQWoKEvwoo3T85O', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 17, 'workspace.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Research", "tags": {}, "archived_at": null, "description": null, "display_color": "#6C5BB9"}', 'req_0VcAbwO46xFPl5H3nI0ttuTI', '127.0.0.1', 'node', '2026-11-27 10:59:16.674+00', '\x893dca5200309752150fb7e933dbab84ae9481872ac230a74cc87538e7bfa95f', '\xaf8ae9708e1ff34739a4f172ba9c5ef52b81a31bf2f4a8e95d3e1b3a9cd4b69c', 'test', NULL),
	('audit_0VcAbwPU7PiPYBsKyL39UkTy', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 18, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "test", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-b7Z...Leug", "allowed_addresses": null}', 'req_0VcAbwOji8Zij09K9Z1545mS', '127.0.0.1', 'node', '2026-11-27 10:59:16.748+00', '\xaf8ae9708e1ff34739a4f172ba9c5ef52b81a31bf2f4a8e95d3e1b3a9cd4b69c', '\xc0a782f3c6f54f50dbdb3db9bb700def92b7ecb0c63e90f0fc9de18c58759832', 'test', NULL),
	('audit_0VcAbwPs2sA03ljIQRQFkBng', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 19, 'workspace.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', NULL, '{"name": "Strict", "tags": {}, "archived_at": null, "description": null, "display_color": "#2E8B6F"}', 'req_0VcAbwPoysP1EuzdA7yA61BB', '127.0.0.1', 'node', '2026-11-27 10:59:16.772+00', '\xc0a782f3c6f54f50dbdb3db9bb700def92b7ecb0c63e90f0fc9de18c58759832', '\xe7829a72982660f3577f2f08f4a5647ba27228ecafb45e4058c9da9aee508d4d', 'test', NULL),
	('audit_0VcAbwQYdpUREis9479QZseV', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 20, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', NULL, '{"name": "test", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-Pu4...zkYq", "allowed_addresses": null}', 'req_0VcAbwQAQdeLyU31gMmtOT6P', '127.0.0.1', 'node', '2026-11-27 10:59:16.814+00', '\xe7829a72982660f3577f2f08f4a5647ba27228ecafb45e4058c9da9aee508d4d', '\x54ccc6b971cd020bfee4b211fa025c70fd3c57b1f64de8ef982e1e7fc291c177', 'test', NULL),
	('audit_0VcAbwQjLs3lxkW68kIUsHv7', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 21, 'workspace.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', NULL, '{"name": "Lost", "tags": {}, "archived_at": null, "description": null, "display_color": "#8A5A9E"}', 'req_0VcAbwQfS36UcWmeMG8rdgaZ', '127.0.0.1', 'node', '2026-11-27 10:59:16.825+00', '\x54ccc6b971cd020bfee4b211fa025c70fd3c57b1f64de8ef982e1e7fc291c177', '\x5b79e0cef5f935c57d69110daf10500481d20c5ee74b6972c8448cce7f06403b', 'test', NULL),
	('audit_0VcAbwSOrYdn33AS7LsUocj1', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 22, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', NULL, '{"name": "test", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-jyZ...Wzn5", "allowed_addresses": null}', 'req_0VcAbwRutSRW00bpWvPPCZvW', '127.0.0.1', 'node', '2026-11-27 10:59:16.928+00', '\x5b79e0cef5f935c57d69110daf10500481d20c5ee74b6972c8448cce7f06403b', '\x504f538e17664e5eb1cd1937591fe1387f663843db82e701b0d75002c38b70be', 'test', NULL),
	('audit_0VcAbwStM59L2i4KjhjDLRCU', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 23, 'workspace.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', NULL, '{"name": "Interrupted", "tags": {}, "archived_at": null, "description": null, "display_color": "#6C5BB9"}', 'req_0VcAbwSl5WffnSN7EKMrrdQg', '127.0.0.1', 'node', '2026-11-27 10:59:16.959+00', '\x504f538e17664e5eb1cd1937591fe1387f663843db82e701b0d75002c38b70be', '\x7b74c813cbcbd8dc4c49c20fc627c78d3065e74e70473c6fcc90edf68291c419', 'test', NULL),
	('audit_0VcAbwTQYULR7fRN0waNiDi1', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 24, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwTIGZIy0Xoa6dMlB6rf', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', NULL, '{"name": "test", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-gop...iBMA", "allowed_addresses": null}', 'req_0VcAbwTHf3w0n13HrSnOuWxq', '127.0.0.1', 'node', '2026-11-27 10:59:16.992+00', '\x7b74c813cbcbd8dc4c49c20fc627c78d3065e74e70473c6fcc90edf68291c419', '\x36d3fa370bc79ae373572779f8b69a693de40c96470be4b5a93fea8309062d45', 'test', NULL),
	('audit_0VcAbwTbxqi4eJirtLq1TOU3', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 25, 'workspace.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd', NULL, '{"name": "Archived", "tags": {}, "archived_at": null, "description": null, "display_color": "#8C7A2B"}', 'req_0VcAbwTXWn1zidbZ8Uebn2NA', '127.0.0.1', 'node', '2026-11-27 10:59:17.003+00', '\x36d3fa370bc79ae373572779f8b69a693de40c96470be4b5a93fea8309062d45', '\x2b3e5e66d0fad8364ed3157696623f11ebc420e6a4424a65ccc5b1761b07ff1b', 'test', NULL),
	('audit_0VcAbwU5VjOOriTUTN6tDhPs', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 26, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwTiBt9lLb75MjEROnBC', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd', NULL, '{"name": "test", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-KHw...p7wp", "allowed_addresses": null}', 'req_0VcAbwThwVvWMTh2qxmgdQpR', '127.0.0.1', 'node', '2026-11-27 10:59:17.033+00', '\x2b3e5e66d0fad8364ed3157696623f11ebc420e6a4424a65ccc5b1761b07ff1b', '\x7ddac63c62203410b14adb5af81f5173748c0915b95fd7324041bdd1b1972535', 'test', NULL),
	('audit_0VcAbwUZHgHSjYCDWjgyQ91g', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 27, 'workspace.archived', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd', '{"name": "Archived", "tags": {}, "archived_at": null, "description": null, "display_color": "#8C7A2B"}', '{"name": "Archived", "tags": {}, "archived_at": "2026-11-27T10:59:17.061Z", "description": null, "display_color": "#8C7A2B", "archived_api_keys": 1}', 'req_0VcAbwURnpvxKGwf5xvdzpGm', '127.0.0.1', 'node', '2026-11-27 10:59:17.063+00', '\x7ddac63c62203410b14adb5af81f5173748c0915b95fd7324041bdd1b1972535', '\x5d970672fa3a33276083a047f47c3dae4137dd56bb8965848cdd11bcee21347c', 'test', NULL),
	('audit_0VcAbwUx9t1Smap91LGiaGlK', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 28, 'workspace_member.added', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Grace", "email": "grace@example.com", "workspace_role": "workspace_developer"}', 'req_0VcAbwUj8YggH1prCbixjnkJ', '127.0.0.1', 'node', '2026-11-27 10:59:17.087+00', '\x5d970672fa3a33276083a047f47c3dae4137dd56bb8965848cdd11bcee21347c', '\x9f2dba94c9561471351cd9f973a5ce5cb91604aeb71e27774195d905e8d1a9c9', 'test', NULL),
	('audit_0VcAbwVTpu3QCkpRRUYt4rRL', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 29, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Personal", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": "user_0VcAbwKARfoUqSKt3IdonxlW", "partial_key_hint": "sk-ant-api03-xMD...brp7", "allowed_addresses": null}', 'req_0VcAbwVEGneWqbdPmQhFDweA', '127.0.0.1', 'node', '2026-11-27 10:59:17.119+00', '\x9f2dba94c9561471351cd9f973a5ce5cb91604aeb71e27774195d905e8d1a9c9', '\x4adf0271001e761dcdf670a2fe7c99b9ef2bab7d284b2bb5dfebeac067dae53e', 'test', NULL),
	('audit_0VcAbwW6zCmJQqxosklpYdiv', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 30, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Rotated", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-Wa6...PRi8", "allowed_addresses": null}', 'req_0VcAbwVpbB62SEWktlIbmAY6', '127.0.0.1', 'node', '2026-11-27 10:59:17.158+00', '\x4adf0271001e761dcdf670a2fe7c99b9ef2bab7d284b2bb5dfebeac067dae53e', '\xccd4ded8897bb86b4e4b4f8a4b5a9d834b8a45dd572277004a0d494a90fda615', 'test', NULL),
	('audit_0VcAbwWtYxZ1LtG5hsfdu2nb', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 31, 'api_key.rotated', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', '{"name": "Rotated", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-Wa6...PRi8", "allowed_addresses": null}', '{"name": "Rotated", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-3of...0ips", "allowed_addresses": null, "previous_secret_valid_until": "2026-11-27T11:59:17.184Z"}', 'req_0VcAbwWSJJbZUZqXk801HQKi', '127.0.0.1', 'node', '2026-11-27 10:59:17.207+00', '\xccd4ded8897bb86b4e4b4f8a4b5a9d834b8a45dd572277004a0d494a90fda615', '\xc6f50592b8eabaca3fe651d18770dcf410460f0dbf1f8167d4506b0c79e3c5de', 'test', NULL),
	('audit_0VcAbwXHlsL7SzQDfk6D7yVA', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 32, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwXBpmHWBHqo8Di8ZDWF', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Revoked", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-pU2...VAnw", "allowed_addresses": null}', 'req_0VcAbwX8FrYqHas6FQWSlq6D', '127.0.0.1', 'node', '2026-11-27 10:59:17.231+00', '\xc6f50592b8eabaca3fe651d18770dcf410460f0dbf1f8167d4506b0c79e3c5de', '\x50eb6a2da0b992ef3af8e1720384c948ba1986cd0860b958d8866d1ac29e2420', 'test', NULL),
	('audit_0VcAbwYT37W6IWrokxZmjR7j', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 33, 'api_key.updated', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwXBpmHWBHqo8Di8ZDWF', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', '{"name": "Revoked", "status": "active", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-pU2...VAnw", "allowed_addresses": null}', '{"name": "Revoked", "status": "archived", "expires_at": null, "permission": "write", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-pU2...VAnw", "allowed_addresses": null}', 'req_0VcAbwXqKRuSE4CrXNE1CCH1', '127.0.0.1', 'node', '2026-11-27 10:59:17.305+00', '\x50eb6a2da0b992ef3af8e1720384c948ba1986cd0860b958d8866d1ac29e2420', '\x32180c09059cfbfb1714eb0f582bcaacb7ebb773989c74bb6ddff960c189979d', 'test', NULL),
	('audit_0VcAbwZ9RnwmoTgSrSw6G4Jk', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 34, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwYuiL44u8oPMulIRt1e', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Expires", "status": "active", "expires_at": "2099-01-01T00:00:00.000Z", "permission": "read", "allowed_models": null, "owner_member_id": null, "partial_key_hint": "sk-ant-api03-YSd...B02d", "allowed_addresses": null}', 'req_0VcAbwYsh3LSY9m1NYFXfNs6', '127.0.0.1', 'node', '2026-11-27 10:59:17.347+00', '\x32180c09059cfbfb1714eb0f582bcaacb7ebb773989c74bb6ddff960c189979d', '\x01957c84bbc42cb091dcd1de03cb7cb34518396efcef149ddd46ce65a7778916', 'test', NULL),
	('audit_0VcAbwZcVUZHrOZgWlp5xJqz', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 35, 'api_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'api_key', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Bound", "status": "active", "expires_at": null, "permission": "write", "allowed_models": ["claude-haiku-*"], "owner_member_id": null, "partial_key_hint": "sk-ant-api03-w6j...ifns", "allowed_addresses": ["127.0.0.0/8"]}', 'req_0VcAbwZLSoSZ2X8H2MHXpYev', '127.0.0.1', 'node', '2026-11-27 10:59:17.376+00', '\x01957c84bbc42cb091dcd1de03cb7cb34518396efcef149ddd46ce65a7778916', '\xb0e14db4b7eb121bcea03bb194452989a0ec5e5accd287a9dff2fdd2320969fe', 'test', NULL),
	('audit_0VcAbwaRAcasmOtYHdVaxxc6', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 36, 'spend_limit.set', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'spend_limit', 'spl_0VcAbwZvV9Hy5ZIlTDz1u7ZR', NULL, NULL, '{"scope": {"type": "organization"}, "period": "monthly", "limit_usd": "100.00", "enforcement": "soft", "open_ended_hold_usd": null}', 'req_0VcAbwZn23nPU7nRjb1ma4v1', '127.0.0.1', 'node', '2026-11-27 10:59:17.427+00', '\xb0e14db4b7eb121bcea03bb194452989a0ec5e5accd287a9dff2fdd2320969fe', '\xf4d1d7b5081db436d2f3f07cc7a48f01ed37002963ed5bf445487dfcdbcec4d8', 'test', NULL),
	('audit_0VcAbwbcuWJrJrITWk0tNyt4', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 37, 'spend_limit.set', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'spend_limit', 'spl_0VcAbwbDnpI3x4ggEIus8kl8', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', NULL, '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwPrYSSss4oV5R22YGJf"}, "period": "monthly", "limit_usd": "0.02", "enforcement": "strict", "open_ended_hold_usd": null}', 'req_0VcAbwawTJ7TcP0qfng8WY8M', '127.0.0.1', 'node', '2026-11-27 10:59:17.5+00', '\xf4d1d7b5081db436d2f3f07cc7a48f01ed37002963ed5bf445487dfcdbcec4d8', '\x42efed1f27c764c7507cda22b703478f77a9ffb613cae42b057e52062ccb88fe', 'test', NULL),
	('audit_0VcAbwcOmExpJAgmyexMO92e', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 38, 'spend_limit.set', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'spend_limit', 'spl_0VcAbwcBPy2iquI1qDGfqYs3', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', NULL, '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwQg6XspE8ZhQe5H750u"}, "period": "monthly", "limit_usd": "5.00", "enforcement": "strict", "open_ended_hold_usd": null}', 'req_0VcAbwbzCuqjVApAATycp3vu', '127.0.0.1', 'node', '2026-11-27 10:59:17.548+00', '\x42efed1f27c764c7507cda22b703478f77a9ffb613cae42b057e52062ccb88fe', '\x70e7e5457107f15e5c0bccfc0a1ee4cc5826fba98232abc0b2e3c7a768cb759a', 'test', NULL),
	('audit_0VcAbwd3wDEohyPMeDxigJIg', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 39, 'spend_limit.set', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'spend_limit', 'spl_0VcAbwcvkjI9KXk5oSWLWMkj', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', NULL, '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwSoAgaL93riVRlTnSX6"}, "period": "monthly", "limit_usd": "5.00", "enforcement": "strict", "open_ended_hold_usd": null}', 'req_0VcAbwcpB4SxtKV6Dp5JCz97', '127.0.0.1', 'node', '2026-11-27 10:59:17.589+00', '\x70e7e5457107f15e5c0bccfc0a1ee4cc5826fba98232abc0b2e3c7a768cb759a', '\x47a1a6538bbac006aef137d2257d903ab181791029185c8a78a478528ed6142b', 'test', NULL),
	('audit_0VcAbwdzdt65N5Tn71zHv2o2', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 40, 'spend_limit.set', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'spend_limit', 'spl_0VcAbwdiet0RiBm4zevbOPsk', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"scope": {"type": "api_key", "api_key_id": "apikey_0VcAbwOrI3Q9eA0FbeLC6NaR"}, "period": "daily", "limit_usd": "1.00", "enforcement": "alert_only", "open_ended_hold_usd": null}', 'req_0VcAbwdITB5GtEotDm8nHgmZ', '127.0.0.1', 'node', '2026-11-27 10:59:17.647+00', '\x47a1a6538bbac006aef137d2257d903ab181791029185c8a78a478528ed6142b', '\x17e1d5193af79bd15cdf22e19688ad32103a0ed3b936ce548fd810d4144fcb49', 'test', NULL),
	('audit_0VcAbwf28anGTLWOX2KZxayQ', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 41, 'rate_limit.set', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'rate_limit', 'rlim_4JZm8rX02ENqAXFUwnNWIc58', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7"}, "model_group": "all", "requests_per_minute": 10000, "input_tokens_per_minute": null, "output_tokens_per_minute": null}', 'req_0VcAbweNXIB2myWTuhXpC0ix', '127.0.0.1', 'node', '2026-11-27 10:59:17.712+00', '\x17e1d5193af79bd15cdf22e19688ad32103a0ed3b936ce548fd810d4144fcb49', '\x88d3adc70d887c5d81fdda2982c4f03bdbab81b7ea96c71c3db9c82134d87667', 'test', NULL),
	('audit_0VcAbwg7pkam7nu6A9rroSor', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 42, 'alert_channel.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'alert_channel', 'channel_0VcAbwfiC6xepoYFUhUYPpBu', NULL, NULL, '{"kind": "webhook", "name": "Webhook", "state": "working", "recipients": null, "target_hint": "http://127.0.0.1:35781/…"}', 'req_0VcAbwfZXyQODzeHpgboJAgg', '127.0.0.1', 'node', '2026-11-27 10:59:17.779+00', '\x88d3adc70d887c5d81fdda2982c4f03bdbab81b7ea96c71c3db9c82134d87667', '\x6060dec0262abd523943ecadaea0edda48a6c4a4639e4b7d865eada18c772fbd', 'test', NULL),
	('audit_0VcAbwhBKuYyC69uQTNTF5Xq', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 43, 'alert.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'alert', 'alert_0VcAbwgrsk62PHsTBNIAQvjk', NULL, NULL, '{"name": "Spend", "scope": {"type": "organization"}, "condition": {"kind": "spend_limit", "thresholds": [{"percent": 10}, {"period": "monthly", "amount_usd": 0.01}]}, "is_enabled": true, "channel_ids": ["channel_0VcAbwfiC6xepoYFUhUYPpBu"], "muted_until": null, "includes_below": true, "notifies_owner": false}', 'req_0VcAbwgmvDA12itYXQqLfhot', '127.0.0.1', 'node', '2026-11-27 10:59:17.845+00', '\x6060dec0262abd523943ecadaea0edda48a6c4a4639e4b7d865eada18c772fbd', '\x6809c3b55913330b126991aaf4ab7e3cb3405a0524b649af0482e19f8ddb0725', 'test', NULL),
	('audit_0VcAbwipezePqYPDoVvmS9Zj', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 44, 'alert.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'alert', 'alert_0VcAbwiRrdMxETHBorIBlJYd', NULL, NULL, '{"name": "Unused", "scope": {"type": "organization"}, "condition": {"days": 90, "kind": "key_unused"}, "is_enabled": true, "channel_ids": ["channel_0VcAbvjzRCAhTQnYydnGTZ13"], "muted_until": null, "includes_below": false, "notifies_owner": false}', 'req_0VcAbwiPyyx8hfjRbeB561E2', '127.0.0.1', 'node', '2026-11-27 10:59:17.947+00', '\x6809c3b55913330b126991aaf4ab7e3cb3405a0524b649af0482e19f8ddb0725', '\x25ec3d8158062cc67d7c05287d7d6c18450e725a97c451d7f61f4e8dc6fe857c', 'test', NULL),
	('audit_0VcAbwklQ3UXTqIqgKDzs7x3', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 45, 'model_price.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'model_price', 'price_0VcAbwkib88DJg16kezxl1Mz', NULL, NULL, '{"model": "in-house-1", "input_usd": "1.00", "output_usd": "2.00", "cache_read_usd": "0.10", "effective_from": "2026-11-27T10:59:18.064Z", "cache_write_1h_usd": "2.00", "cache_write_5m_usd": "1.25"}', 'req_0VcAbwkfwaiZo9TivEGQDsv3', '127.0.0.1', 'node', '2026-11-27 10:59:18.067+00', '\x25ec3d8158062cc67d7c05287d7d6c18450e725a97c451d7f61f4e8dc6fe857c', '\x7f1125cfb86155a63462086f52829c4b10af2042b3b0fa69ce1cbaaff9e4c266', 'test', NULL),
	('audit_0VcAbwlIoXZxSsgydnHKGMff', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 46, 'request_log.settings_updated', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'request_log_settings', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', NULL, '{"retention_days": null}', '{"retention_days": 3650}', 'req_0VcAbwl2o3r9cQ9fAQIA7VaT', '127.0.0.1', 'node', '2026-11-27 10:59:18.1+00', '\x7f1125cfb86155a63462086f52829c4b10af2042b3b0fa69ce1cbaaff9e4c266', '\xe05d77dc30ad8d6e3092aa866d206d901970c09e3c8c625c86bb5054769fe63a', 'test', NULL),
	('audit_0VcAbwlimigP8vaJx5Vh796h', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 47, 'rotation_policy.set', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'rotation_policy', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"grace_days": 14, "remind_days": 14, "rotation_days": 3650}', 'req_0VcAbwlOGIGJyhxM2bMBdIKZ', '127.0.0.1', 'node', '2026-11-27 10:59:18.126+00', '\xe05d77dc30ad8d6e3092aa866d206d901970c09e3c8c625c86bb5054769fe63a', '\x6a93de7d814fa8a16ef4dba8a4da0d5dec120223eb6006030a983fadbc5310c2', 'test', NULL),
	('audit_0VcAbwnVJxNwMwboKkvZToWN', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 48, 'upstream.created', 'local_operator', '0', 'upstream', 'ups_0VcAbwnKeIOteMUiNDiAC2yg', NULL, NULL, '{"name": "Stored", "base_url": "https://upstream.example.com", "has_credential": true, "credential_hint": null, "credential_replaced": false}', 'req_0VcAbwnJvRqIEtCQxqUNpccs', NULL, 'undici', '2026-11-27 10:59:18.237+00', '\x6a93de7d814fa8a16ef4dba8a4da0d5dec120223eb6006030a983fadbc5310c2', '\xc7480f7c4b8e2abaea44a42865c83275a7f1b28a5953300e25de683a4a74d2bc', NULL, NULL),
	('audit_0VcAbwq37mxkCVCX3JJJYMZp', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 49, 'admin_key.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'admin_key', 'adminkey_0VcAbwpv6K5kUvz7ShaEWVcm', NULL, NULL, '{"name": "Expires", "status": "active", "expires_at": "2099-01-01T00:00:00.000Z", "partial_key_hint": "sk-ant-admin01-tya...4fbP"}', 'req_0VcAbwppjmUkiV2TCPcYN5q9', '127.0.0.1', 'node', '2026-11-27 10:59:18.395+00', '\xc7480f7c4b8e2abaea44a42865c83275a7f1b28a5953300e25de683a4a74d2bc', '\x6393b33c47aceffe62940984f0fdda0fa8efd7922704aef449f649da302cc665', 'test', NULL),
	('audit_0VcAbxJEUOG8wQKc44VXbD6V', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 50, 'increase_request.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'increase_request', 'slir_0VcAbxIPPq4T2U7X6oNhs44A', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', NULL, '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwPrYSSss4oV5R22YGJf"}, "answer": null, "period": "monthly", "reason": "More work", "status": "pending", "amount_usd": "500.00", "approved_usd": null}', 'req_0VcAbxHnTS89V6rrWlvhkls9', '127.0.0.1', 'node', '2026-11-27 10:59:20.204+00', '\x6393b33c47aceffe62940984f0fdda0fa8efd7922704aef449f649da302cc665', '\x90f6f9fc852945a4d2a96f9badcab30ee5d1b813c2143e3ee550dd164e4e5feb', 'test', NULL),
	('audit_0VcAbxKjTZwzqttVe8qqQHUz', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 51, 'increase_request.denied', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'increase_request', 'slir_0VcAbxIPPq4T2U7X6oNhs44A', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwPrYSSss4oV5R22YGJf"}, "answer": null, "period": "monthly", "reason": "More work", "status": "pending", "amount_usd": "500.00", "approved_usd": null}', '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwPrYSSss4oV5R22YGJf"}, "answer": "Not this month", "period": "monthly", "reason": "More work", "status": "denied", "amount_usd": "500.00", "approved_usd": null}', 'req_0VcAbxJe3qkqE9S6sGeMiNsm', '127.0.0.1', 'node', '2026-11-27 10:59:20.297+00', '\x90f6f9fc852945a4d2a96f9badcab30ee5d1b813c2143e3ee550dd164e4e5feb', '\xfb71839b2c3bb4662ddc66bef77b628b8184a1dc5d919ea3c08a56b52ce4598d', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxLeYe3L2Di6O1ghFXsP', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 52, 'increase_request.created', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'increase_request', 'slir_0VcAbxLJ9WhmrqHrlkRmt8jB', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', NULL, '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwQg6XspE8ZhQe5H750u"}, "answer": null, "period": "monthly", "reason": "More work", "status": "pending", "amount_usd": "50.00", "approved_usd": null}', 'req_0VcAbxLCfj2HLb9t7XrEL6Oz', '127.0.0.1', 'node', '2026-11-27 10:59:20.354+00', '\xfb71839b2c3bb4662ddc66bef77b628b8184a1dc5d919ea3c08a56b52ce4598d', '\xb1d9fb9c19517ba7988eee53eeb31c4316be13c698125412e52fe03791e21b5d', 'test', NULL),
	('audit_0VcAbxNfs0GmKNke5WkKI9Gl', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 53, 'spend_limit.set', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'spend_limit', 'spl_0VcAbwcBPy2iquI1qDGfqYs3', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwQg6XspE8ZhQe5H750u"}, "period": "monthly", "limit_usd": "5.00", "enforcement": "strict", "open_ended_hold_usd": null}', '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwQg6XspE8ZhQe5H750u"}, "period": "monthly", "limit_usd": "50.00", "enforcement": "strict", "open_ended_hold_usd": null}', 'req_0VcAbxLtpuK9c4p9nHbUkyJS', '127.0.0.1', 'node', '2026-11-27 10:59:20.479+00', '\xb1d9fb9c19517ba7988eee53eeb31c4316be13c698125412e52fe03791e21b5d', '\x3ea090980b76420e2e399a0c90d422ec48bc399d2fe9203bbda1a55579ab5fd7', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxNpVLEAS0UBsSXLzkza', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 54, 'increase_request.approved', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'increase_request', 'slir_0VcAbxLJ9WhmrqHrlkRmt8jB', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwQg6XspE8ZhQe5H750u"}, "answer": null, "period": "monthly", "reason": "More work", "status": "pending", "amount_usd": "50.00", "approved_usd": null}', '{"scope": {"type": "workspace", "workspace_id": "wksp_0VcAbwQg6XspE8ZhQe5H750u"}, "answer": null, "period": "monthly", "reason": "More work", "status": "approved", "amount_usd": "50.00", "approved_usd": "50.00", "is_self_approved": false}', 'req_0VcAbxLtpuK9c4p9nHbUkyJS', '127.0.0.1', 'node', '2026-11-27 10:59:20.489+00', '\x3ea090980b76420e2e399a0c90d422ec48bc399d2fe9203bbda1a55579ab5fd7', '\xbc30c6e2e15e730570c3736ea4741d420e0fb8041d44d368b5b8014c3188f4ee', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxQnLzPTxohN7Q1ADqtt', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 55, 'access_review.created', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'access_review', 'review_0VcAbxPLrNba35LW228PYTMe', NULL, NULL, '{"name": "Open", "items": 4, "scope": {"paths": ["workspace_key"], "workspace_ids": ["wksp_0VcAbwO7Cjl4DkTl9C9LoKK7"]}, "due_at": "2027-09-23T10:59:20.561Z", "status": "open", "recurrence": "none", "if_no_answer": "keep", "reviewer_ids": ["user_0VcAbw77vFDi331OPvrydODk"], "auto_close_days": null}', 'req_0VcAbxP5T5gBqIgUgcPszSnD', '127.0.0.1', 'node', '2026-11-27 10:59:20.673+00', '\xbc30c6e2e15e730570c3736ea4741d420e0fb8041d44d368b5b8014c3188f4ee', '\x814408c3345819c3de23d4f65d87345a25b619c9501d4b45815d94dcf05273f1', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxSD4qQbdMKWruxFOJsO', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 56, 'access_review.created', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'access_review', 'review_0VcAbxRZEdB519sAGDJGPqTP', NULL, NULL, '{"name": "Closed", "items": 4, "scope": {"paths": ["workspace_key"], "workspace_ids": ["wksp_0VcAbwO7Cjl4DkTl9C9LoKK7"]}, "due_at": "2027-09-23T10:59:20.561Z", "status": "open", "recurrence": "none", "if_no_answer": "keep", "reviewer_ids": ["user_0VcAbw77vFDi331OPvrydODk"], "auto_close_days": null}', 'req_0VcAbxRSaWCjRl2rSmUz3hsU', '127.0.0.1', 'node', '2026-11-27 10:59:20.761+00', '\x814408c3345819c3de23d4f65d87345a25b619c9501d4b45815d94dcf05273f1', '\x5bdda186c73c703911dc8dc20d17d6d42eaf41b6edee27b692c421437d53590c', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxT6YcHsRumuxPY02Q0d', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 57, 'access_review.decided', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'access_review', 'review_0VcAbxRZEdB519sAGDJGPqTP', NULL, '{"decisions": [{"item_id": "reviewitem_0VcAbxRZQK5W6TtUVrpHLI0a", "decision": null, "decided_by": null}, {"item_id": "reviewitem_0VcAbxRZtxSyJn4JLJ3lQYw2", "decision": null, "decided_by": null}, {"item_id": "reviewitem_0VcAbxRZJsHyiUI3td6IJe1T", "decision": null, "decided_by": null}, {"item_id": "reviewitem_0VcAbxRZMETck7ZCgfdiutNx", "decision": null, "decided_by": null}]}', '{"keep": 4, "remove": 0, "not_sure": 0, "decisions": [{"reason": null, "item_id": "reviewitem_0VcAbxRZQK5W6TtUVrpHLI0a", "decision": "keep", "is_self_review": false}, {"reason": null, "item_id": "reviewitem_0VcAbxRZtxSyJn4JLJ3lQYw2", "decision": "keep", "is_self_review": false}, {"reason": null, "item_id": "reviewitem_0VcAbxRZJsHyiUI3td6IJe1T", "decision": "keep", "is_self_review": false}, {"reason": null, "item_id": "reviewitem_0VcAbxRZMETck7ZCgfdiutNx", "decision": "keep", "is_self_review": false}]}', 'req_0VcAbxSZMbI5U6mrSbfqILwD', '127.0.0.1', 'node', '2026-11-27 10:59:20.816+00', '\x5bdda186c73c703911dc8dc20d17d6d42eaf41b6edee27b692c421437d53590c', '\x67024a606c48a8fe7336b0ed6ebee022e2670a46485eaf219e4312903923f7cd', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxTypAfP51u2sDBOODIu', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 58, 'access_review.closed', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'access_review', 'review_0VcAbxRZEdB519sAGDJGPqTP', NULL, '{"name": "Closed", "scope": {"paths": ["workspace_key"], "workspace_ids": ["wksp_0VcAbwO7Cjl4DkTl9C9LoKK7"]}, "due_at": "2027-09-23T10:59:20.561Z", "status": "open", "recurrence": "none", "if_no_answer": "keep", "auto_close_days": null}', '{"name": "Closed", "scope": {"paths": ["workspace_key"], "workspace_ids": ["wksp_0VcAbwO7Cjl4DkTl9C9LoKK7"]}, "due_at": "2027-09-23T10:59:20.561Z", "status": "closed", "to_keep": 4, "to_remove": 0, "recurrence": "none", "if_no_answer": "keep", "without_answer": 0, "auto_close_days": null}', 'req_0VcAbxTWMKi46ILojvf6o3wG', '127.0.0.1', 'node', '2026-11-27 10:59:20.87+00', '\x67024a606c48a8fe7336b0ed6ebee022e2670a46485eaf219e4312903923f7cd', '\x0586ea7d0924c4736a504bf7107046801dc865f4ea044272a500a0c0ff8aa6f4', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxVqbHMwExw1XzoNMl5q', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 59, 'invite.created', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'invite', 'invite_0VcAbxVZQHVwPvOxLo1AlQ7P', NULL, NULL, '{"role": "user", "email": "hedy@example.com", "status": "pending", "expires_at": "2026-12-18T10:59:20.969Z", "workspaces": [{"workspace_id": "wksp_0VcAbwO7Cjl4DkTl9C9LoKK7", "workspace_role": "workspace_user"}]}', 'req_0VcAbxUUBSX35DntftSaekom', '127.0.0.1', 'node', '2026-11-27 10:59:20.986+00', '\x0586ea7d0924c4736a504bf7107046801dc865f4ea044272a500a0c0ff8aa6f4', '\x057a5593c5fdd9b9f38b6fe56a343325e071087cd0eee26ffa33b539dede74f8', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxWezTsapDU200nrkQQM', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 60, 'playground.started', 'member', 'user_0VcAbw77vFDi331OPvrydODk', 'api_key', 'apikey_0VcAbxWOhKobNRShMCitMalz', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', NULL, '{"name": "Playground of Ada Lovelace", "expires_at": "2026-11-27T11:09:21.020Z", "permission": "write", "session_id": "play_0VcAbxWOFcSflArBXoqhtWpZ", "partial_key_hint": "sk-ant-api03-CLC...0aoi"}', 'req_0VcAbxWHNQEtiVU5WRMa5FPW', '127.0.0.1', 'node', '2026-11-27 10:59:21.036+00', '\x057a5593c5fdd9b9f38b6fe56a343325e071087cd0eee26ffa33b539dede74f8', '\x998edfe63daf4aba2395c9489883d7146a7a6bc0b50822baeeda443f563debd6', 'Ada Lovelace', 'ada@example.com'),
	('audit_0VcAbxX6GIapD72IW9eZqYrf', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 61, 'profile.updated', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW', NULL, '{"name": "Grace"}', '{"name": "Grace Hopper"}', 'req_0VcAbxX1F0Fpsb6guCx3LWYD', '127.0.0.1', 'node', '2026-11-27 10:59:21.064+00', '\x998edfe63daf4aba2395c9489883d7146a7a6bc0b50822baeeda443f563debd6', '\x703865e969e1947dd01483bbd3e941f2bb041015db1d5787945bca0dbdff4349', 'Grace Hopper', 'grace@example.com'),
	('audit_0VcAc3pDEmcLAdHZ5BKrGfsz', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 62, 'unresolved_spend.resolved', 'local_operator', '0', 'unresolved_spend', 'unr_8645a902ff5b4970a10c4849', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', '{"kind": "request", "scope": {"id": "apikey_0VcAbwS5MYYLaifk5XKdrXGA", "type": "api_key"}, "since": "2026-11-27T10:59:32.046Z", "period": null, "node_id": "node_0VcAbyykDSSUceX4yTHZDK9c", "amount_usd": "0.0437745", "request_id": "req_0VcAbz8WR7AUlq9vXTj5mlrm"}', '{"reason": "The upstream billed it", "decision": "charge", "charged_usd": "0.01", "adjustment_id": "adj_0VcAc3oQnb3DHj8bCbz62hx7"}', 'req_0VcAc3ngjEDtOtKmX1d71WLE', NULL, 'undici', '2026-11-27 10:59:45.251+00', '\x703865e969e1947dd01483bbd3e941f2bb041015db1d5787945bca0dbdff4349', '\xb6c8261d0336189ce70df2f5ec2600d5ade33c21786f9725e6594d3636ec5edb', NULL, NULL),
	('audit_0VcAc4KhYlBJzGIMMbvr9kxA', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 63, 'backup.made', 'local_operator', '0', 'backup', '306a81efc8c9a124', NULL, NULL, '{"sha256": "306a81efc8c9a1242ed9a60d0a4b7fc83f0e06469a8fff05bbc08b3d04315bee", "made_at": "2026-11-27T10:59:45.985Z", "size_bytes": 66760, "is_encrypted": false}', 'req_0VcAc4K38l14GJXKvyVhEWF6', NULL, NULL, '2026-11-27 10:59:47.203+00', '\xb6c8261d0336189ce70df2f5ec2600d5ade33c21786f9725e6594d3636ec5edb', '\xc682b4da29b65ccb28cbd7519c642d23a691b41e4d34b6e0b6cd0b394d4a4052', NULL, NULL);
INSERT INTO public.audit_head VALUES
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 63, '\xc682b4da29b65ccb28cbd7519c642d23a691b41e4d34b6e0b6cd0b394d4a4052', 1, NULL, '\x8f2583855a630c27856ca62f51bf80b0bc339f5e697a87a27ef2ba02e1b47a52');
INSERT INTO public.auth_account VALUES
	('auth_0VcAbw7P4qKUfc76w09CMcPP', 'user_0VcAbw77vFDi331OPvrydODk', 'credential', 'user_0VcAbw77vFDi331OPvrydODk', 'da0a0847f09bf9d84438a1de5dfdfed1:57a69d94123eb49a7dd96802bb0dea1e97bffa26d8c9801a3a37a0d91a0acc6710e1ab3546010b3861c9ec465cad0c5fabb0dfa0e3f1b4eb9a8c3f57e44b0a16', NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-27 10:59:15.610625+00', '2026-11-27 10:59:15.610625+00'),
	('auth_0VcAbwKLKbJAbVgJssho5BIl', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'credential', 'user_0VcAbwKARfoUqSKt3IdonxlW', '15c2fd4bdb4eed60e0d2a39ec2c85068:c2a0ae4f6887fc46b7df23cff7a308a389ed2b02c0f14f96acb4903e0e32b5f24ea796d7081ba7ed59719560188887d133b74b61b1a983436bc0a9438241f62b', NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-27 10:59:16.419496+00', '2026-11-27 10:59:16.419496+00');
INSERT INTO public.auth_attempt VALUES
	('session:session_0VcAbwKXULmXKrofPpk6Zlrm', '2026-11-27 10:59:16.513+00', 0, NULL),
	('address:127.0.0.1', '2026-11-27 10:59:36.572+00', 0, NULL),
	('reset:b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72', '2026-11-27 11:09:16.584+00', 0, NULL);
INSERT INTO public.auth_device VALUES
	('device_0VcAbw8hidCGeWmCfI2BHx0q', 'user_0VcAbw77vFDi331OPvrydODk', '\x642b83f5dec54bdbeef62c36d8a0e1e49321c2651691478adf026c1b545c8d3a', '2026-11-27 10:59:15.707+00', '2026-11-27 10:59:15.707+00'),
	('device_0VcAbwKYW9qLVxbfT5vg9MmE', 'user_0VcAbwKARfoUqSKt3IdonxlW', '\x60b396bb6daab5df4f8a764967c39a86825c3e0865ff31688633d417bb4d752f', '2026-11-27 10:59:16.442+00', '2026-11-27 10:59:16.442+00');
INSERT INTO public.auth_passkey VALUES
	('passkey_0VcAbwBdZdkSVY49SazTkaKT', 'user_0VcAbw77vFDi331OPvrydODk', 'Laptop', 'pQECAyYgASFYICjGjhnp9y4U/9p1xPSJ8U6j0Bo78hVwsZmY7huoUqQaIlggR+qlrZT9SpAt4QQ8fquFDFmTQg4KjJlTantuXqmpdqc=', 'w94hsl78UWt1ntTR5femGy9CEtEncjg6sbUcFFhFctI', 1, 'singleDevice', false, 'internal', '00000000-0000-0000-0000-000000000000', '2026-11-27 10:59:15.888+00', NULL);
INSERT INTO public.auth_session VALUES
	('session_0VcAbw8TlXoWeHwooolIUZOR', 'd21f2d6de7f5bca53d3276bb0f192d48e52106e7ad6dbbe48722a5928cc4dee2', 'user_0VcAbw77vFDi331OPvrydODk', '2026-12-27 10:59:15.68+00', '127.0.0.1', 'node', '2026-11-27 10:59:15.69+00', '2026-11-27 10:59:15.69+00', '2026-11-27 10:59:15.692+00', '2026-11-27 10:59:15.692+00', '2026-11-27 10:59:15.692+00'),
	('session_0VcAbwM5MJ4hASmZp6MR3YdO', 'c3b3a174fff32e88171f0c509a1d26d99bf080f7bded27e892de68c8eb7501de', 'user_0VcAbwKARfoUqSKt3IdonxlW', '2026-12-27 10:59:16.537+00', '127.0.0.1', 'node', '2026-11-27 10:59:16.537+00', '2026-11-27 10:59:16.537+00', '2026-11-27 10:59:16.44+00', '2026-11-27 10:59:16.537+00', '2026-11-27 10:59:16.44+00');
INSERT INTO public.auth_two_factor VALUES
	('auth_0VcAbwLJ73nIB79exd0TDvvn', 'user_0VcAbwKARfoUqSKt3IdonxlW', '$ba$1$954364fcf31bf068e23f2aee13fcaeb2a07132396687b5aacdcc353a3db2ccf49b7cdb35c331f3322480ac1bd430339c7c7b03a213dfc91684b16b6d8b4367d46c23667189d6ee36', '$ba$1$0ddfc6a2f05f8d0ee757dca0e56d508698aa90f68b25e42d3850bae3b848aac1b35193ef4de7b37b06272ba9e17f4f85407111c732c2fd55a126db6b455a0d1c60e9706d54be836b03a709dd66066a94b9f11bedcc72e3db8d05215e5c7633fcd41c3ba3dc1c29b19dca8895e6cc41f5411d3f96d74dfe57810d1612a3c52845e809140089c3b4e93e7ea6fe090296ac07f6ae483c7f307e04b51f8ab39c116d8246e5b51d45940d8580c2a471a001f1f4ca4ef4a6', true, 0, NULL);
INSERT INTO public.auth_used_code VALUES
	('user_0VcAbwKARfoUqSKt3IdonxlW', '121085', '2026-11-27 10:59:16.541+00');
INSERT INTO public.auth_user VALUES
	('user_0VcAbw77vFDi331OPvrydODk', '', '757365725f3056634162773737764644693333314f50767279644f446bx@member.invalid', true, NULL, false, '2026-11-27 10:59:15.610625+00', '2026-11-27 10:59:15.610625+00'),
	('user_0VcAbwKARfoUqSKt3IdonxlW', '', '757365725f3056634162774b4152666f5571534b743349646f6e786c57x@member.invalid', true, NULL, true, '2026-11-27 10:59:16.419496+00', '2026-11-27 10:59:16.535+00');
INSERT INTO public.auth_verification VALUES
	('auth_0VcAbwN6EYznc5am8xkPaCPR', '-8suQFbaw1QgQ4T5KEraCKLtqGwuzuvm_LaTEj-2W3E', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 11:59:16.599+00', '2026-11-27 10:59:16.6+00', '2026-11-27 10:59:16.6+00');
INSERT INTO public.backup OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-27 10:59:45.985+00', '2026-11-27 10:59:47.182+00', 'backup.bursar', 66760, '\x306a81efc8c9a1242ed9a60d0a4b7fc83f0e06469a8fff05bbc08b3d04315bee', 71, false, false, 'local_operator', '0');
INSERT INTO public.balance VALUES
	('api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10430000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 108676000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 298000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 298000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 298000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 326326000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 326326000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 326326000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10430000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10430000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10430000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10430000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10430000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10000000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10000000, 0, 0, 0),
	('api_key', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10000000, 0, 0, 0),
	('organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 346756000, 0, 0, 0),
	('organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 346756000, 0, 0, 0),
	('organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 346756000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'daily', '2026-11-27', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10000000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10000000, 0, 43774500, 0),
	('workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'weekly', '2026-11-23', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 10000000, 0, 0, 0),
	('workspace', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 0, 87549000, 0, 0);
INSERT INTO public.change_counter VALUES
	(true, 55);
INSERT INTO public.change_scope VALUES
	(7, 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	(8, 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	(9, 'no_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ'),
	(10, 'workspace', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7'),
	(11, 'api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR'),
	(12, 'workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf'),
	(13, 'api_key', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe'),
	(14, 'workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u'),
	(15, 'api_key', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA'),
	(16, 'workspace', 'wksp_0VcAbwSoAgaL93riVRlTnSX6'),
	(17, 'api_key', 'apikey_0VcAbwTIGZIy0Xoa6dMlB6rf'),
	(18, 'workspace', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd'),
	(19, 'api_key', 'apikey_0VcAbwTiBt9lLb75MjEROnBC'),
	(20, 'workspace', 'wksp_0VcAbwTZtQlDtUUqgaAftqrd'),
	(21, 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	(22, 'api_key', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4'),
	(23, 'api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ'),
	(24, 'api_key', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ'),
	(25, 'api_key', 'apikey_0VcAbwXBpmHWBHqo8Di8ZDWF'),
	(26, 'api_key', 'apikey_0VcAbwXBpmHWBHqo8Di8ZDWF'),
	(27, 'api_key', 'apikey_0VcAbwYuiL44u8oPMulIRt1e'),
	(28, 'api_key', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg'),
	(29, 'no_key', 'spl_0VcAbwZvV9Hy5ZIlTDz1u7ZR'),
	(30, 'no_key', 'spl_0VcAbwbDnpI3x4ggEIus8kl8'),
	(31, 'no_key', 'spl_0VcAbwcBPy2iquI1qDGfqYs3'),
	(32, 'no_key', 'spl_0VcAbwcvkjI9KXk5oSWLWMkj'),
	(33, 'no_key', 'spl_0VcAbwdiet0RiBm4zevbOPsk'),
	(34, 'no_key', 'rlim_4JZm8rX02ENqAXFUwnNWIc58'),
	(35, 'no_key', 'channel_0VcAbwfiC6xepoYFUhUYPpBu'),
	(36, 'no_key', 'alert_0VcAbwgrsk62PHsTBNIAQvjk'),
	(37, 'no_key', 'alert_0VcAbwiRrdMxETHBorIBlJYd'),
	(38, 'no_key', 'price_0VcAbwkib88DJg16kezxl1Mz'),
	(40, 'no_key', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7'),
	(41, 'no_key', 'ups_0VcAbwnKeIOteMUiNDiAC2yg'),
	(42, 'no_key', 'adminkey_0VcAbwpv6K5kUvz7ShaEWVcm'),
	(43, 'no_key', 'slir_0VcAbxIPPq4T2U7X6oNhs44A'),
	(44, 'no_key', 'slir_0VcAbxIPPq4T2U7X6oNhs44A'),
	(45, 'no_key', 'slir_0VcAbxLJ9WhmrqHrlkRmt8jB'),
	(47, 'no_key', 'review_0VcAbxPLrNba35LW228PYTMe'),
	(48, 'no_key', 'review_0VcAbxRZEdB519sAGDJGPqTP'),
	(49, 'no_key', 'review_0VcAbxRZEdB519sAGDJGPqTP'),
	(50, 'no_key', 'review_0VcAbxRZEdB519sAGDJGPqTP'),
	(52, 'api_key', 'apikey_0VcAbxWOhKobNRShMCitMalz'),
	(53, 'member', 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	(55, 'no_key', '306a81efc8c9a124');
INSERT INTO public.claimed_change VALUES
	('\x8758c723050e0ad16753436a01f0911e87e88f51324e4ffea861dd1b9947a192', 0, '\x49b823e894524ef23a9b3423605a88780f6624aca42f684270a0355facf17999', '\x015e0444372cd4e6500a5d55739e8df5951da026b087d03612294c7215ba1d060c4ced2cdd877d00fee30226960f35e9a077c82b1949b628acc05baa0947057f05c5bf0d7804b58a3030fc3070093297555f72cb212e9ac876a55ac82b9226f4eb39d4eafc4d2cdb7fdc3146d057c62148ceae9da28b01f565c5c927ed80440b17b225c1adf9bf0f065dffbb00e06f863f0e734dd68e4ba2df721d2808687fff3332ad1626f4208706d6b25a89343bc76d405783816a2d5adf64ba0287a77b60db0a92ba1df460f17fdf0dd77cc6705c75055c43aee0985927bd90698c50cfe97f1c80da73ddde6cf165ae09c51cdda31a1001180895f25fe37d0b1baf4abac319157cb141d32cc2ff009ef0fcc4abd701cbc722ca32f95133096ddd8a658d1ba8fb7a4e1a549398fdaf5998bff36537bdc6fedb1a218da9874e9ff89dc5ad2f05ed0cbc7f1adc23f3476f20381828e22539deb63dd25c1ba1efd6e961788dfe071bb495d0c784846f0f94dc45c761a3970929dadd93f58d38197364bfd3c9cafd5140f4cd91f88f64c00273bbb97dc769531206fefc7d30c06635a022c132f4d9cbcf7d6b2bb129605ac5c85549a82063a21d258e54bf645b02adac9ebb2015f5393d5d9420477a416718e5731fb14fde6cf5a967bc033582c45ae019f8fccd04a961709128fd99deeef4aee925466fc020f97cae4dc8750e2c96f1c451f072d65bc92fe6e26e74708ec550123284660716032bcba02185ec07b2630e00d7dd99d83d499ff5d516788c973703779cb213a0b169415db2c43e68973dcbd4df6862f4dceace036264e8256f7429470c903db4c611073cabae07ac57fd9784b245886e4595676dcb824f0cb3ab5689098242cb2d7b4b2e0033067a8b4f0f01c99599e476ba7f4a59767c493338a12aa4ef6a60668f2de74a302685b05fb0ad7cecba73def8bf218cd5f436ac5508d546b5a7fdb415c6cc0722869d79dc67b262ae92f760ee9ae632d62e6df7822e1582e6208593339dbb3b5f96a991447975d6ecbaf8126f531d588469a9edc164a098cfe5322087d96b87cbb3308b5e8d87ea8dd578110324673118cf1521220a26aa0f3cd135823c39e21fcaa734626ab59c59cbb9a2d63085a3640dd97d9938d1bc06192c1b7fbe060bee33fe3e217809f10b2e0df397cc773321883c445bcb9e0b9760ef61f4bcb7a7968b2921ed605a2203fe6551ed89d8534ab1eca7cfe0a31bce1f233fcb6e8605f9f417bed46ff7b9d42e5aac8a75fe04f983e51bca5ac5bbdb0295f8de18a9b7e1b6a9d0571881e91013e2ea33e39b12500ae5a933d95eabb15ce78dd5b5f97465e3858c2c4a89b181c6ed28a4d4b49ecefafa293b9c63871b8c02cc05767999d228a85858471b6ff0ad80368c73bf57f354a1d88c50d5e3eb7f3618ad1ae66cdaad644ca8b5', '\x0133b32fb288754000f4f579a6e944c05493fb3815111ca476c481299ac69fd30d6309402713e24f4bbcf49352fce0e41aec349c7a8acd590a4df7aefe5a12821dbf2d28eefdbf329145e1a6b1063a6b22dce059b89f046e02130684d78201c33e43728286df68f8a82ea123a3f0fc55c3c39d2e0ffa0ffb00165302355a5ca0b2bd214aa8465a5c8a20b5d1bc501131e13774d666c2a7e6d046b9584e365b7eadc9b15b34d1d29864db60f4d8bfee454178e39608ec637a3350f99458bed4c82d79ff40fccf3abf9621edee9c176bfa95c98646c0e1677ca9b00466c84112226c307e50adade7023299273fd644c782dbcdcd8b503c466cae1c754d0d54e1534d43e7d83c1c5cda0919a6dbff9f4633ec8369769923b5a2c1636d29a386477840c4ed3e9c86148591124cbf294161208d1281bb54a5a17d0fb1b199b13ba4889392bc4e9ff99a1251dc282acab66caf978f7a9454035d1b7a9a3df2e26d038b85b3ec37c7b6bc401b26b567865ab04f6ef61f67d02e6b9c674660f37af951999c0b4bec657cf33ec841b1ffa7cbec088150579088ebebc80641ef82286b2ff3ee6bc78e06c0601dc10d515242ed25f522ebd75138320449010b6461b6a7cecc47b0b65f3e223d3114e459078cd72413a2de677e3f356ea05a35db18a0908776bb9600d20616de1482a33d17c1a659060b69a58ea67e4178fe1de08a6032ec4e4dda9c4e9fa2987cb40ac8475259e8aef7db681c56565b7aeded225ced9a4381383bcdc1ee6468762eb8983905269ba266b4f6ee0643f3ca47c0636134403aa4d651814bb2a34486842ac1922f0ca659c3c939a10e703e3e96970c739cbdd9d5934820f7754ca967aff655bf1ffa34a68cdfb00e22897be348ccbe91e97cfdd0ca7b9bd2aea6cfda3f8fce9cf7d397c595e7c556ab40f5e45317f91f155fe825429fbad6d642a3e3960735aa6b2718d29833338da4c1d090289926ab329bf0c93921ae6212d945d156a9bbc92e3559fae7e11c', '2026-11-27 10:59:20.245+00'),
	('\xe689b801b187d17df941f9d38d41e594613a0acaa807fb3de2befc77a2377d88', 0, '\x412473c9007e2772cf4c279a9cb1d07ec4366472a73955c11ab446fd85663794', '\x0114a232b4beeeb82b82bb27e16aa55c770048130855ba8e76674564286f74de615e42490938eeb97188f1a82da457fd0198de5ea86fe3dac74a6e60a90e09fa38cb42943c524fae5f937419849fc51930d13f51776af45fdfb2d0c577455375d4a4a4ec2f9ba2975ffd4ffb917dd394a130474cd11c30cde0c4d7c8652b982404ed6d03b7875bae80baeff039adb82121e9c0e4578913d2614af63e65196802487f5ee28d490860fc', '\x01e7315da3927b9145575b246f95009a0a938c2b8a98c88fdf794867f88c2a6106a01948761136af22a29e87ee97a39eaf97ab267865bf09eb9a5833c68609f30516d73b24e5aed154824158c0fe6ac7c289464428771327d098cae36f4103872b79142c4afcb4860984b76d9512dbb796e55c15f27270bffc94fc0aaa7f06bab37d0dba44c162bd8c4f9d4185872d7fd9cb1d26e34e3df1e66f64fd855651cd4b19df08313fecd75a1c7b23dd88f0a3c0e28f04fc57f4b0', '2026-11-27 10:59:15.873+00'),
	('\x805be37e5fd59e84d38761404ee59583e6416ca8a2f75bf7865d68f69b6e1ef9', 0, '\xdb4bf695aaf9534e1f5eeabce52132a3877bac5573a80ca7f516c6d3e7844595', '\x01060dc853ffd16070bfbc4925dc9092ad521b556e7f3d2ac2a8c17c693290a4eb9e6f5c6a26144d3ca8f8215faa6133c965ff74f0944920700b6f838fef3c1fd717dafe6482ebb92fc2e0fe96be441bdbfee69d883251ed859c8ae5099a10d98530b1efa22930e23a14725eb1d547e90b4b050fc98a373af896cad46c663c01ed10502d766ba0fe24b306e6448b859aea32c3a050006f05b55a4f9727d3202078b4aa6bfa9e11b12e8b525754435aca3c4c87fca359a98e7f49bed5de24cf851d8d416d774cdcc9c638cf72aeed420d5466e1e0ceffff7e90cbfb161056cf7f13dcec62a89d9eab99d92462e41ff0c2ddce33a35b035f33663af250a17bf4ceb62582b2b86d142554e923efd87f49136135d155a42cbefddd2c539fd9a4a471ed81da93fede28aa59cb41af9bcd7a24d184a4a3c605d6477d3b7d90e1c221ded37462c8d4ea9f1a06288bf87200b71605ff770ba890173f2dcc7a2b92b5c0bc02fea99558c50184273cf7ab5b0bd18d42b5933eaa2a81569516164e11495d3b13a498dfc714291a156e30eba663f0b39f94b120549414f1e595935f84023848dfab028386be402bf800de92b7fcd2bc50e2d43e58a466fae5d65a9ef58855c35f4c54a8d0b109c204cf18886608b6d28db7e877363cbe2fb2a9977053a85a984bdeec17e18a179f22ad657fb1bd0e160227c5f86c4bf2e8250251e7a16783b9f1a016c38e470f62bf425f573350bee195ee96b040e1ce024ac9c11e12a7b1a52269a41a3614afe2ff5280c04bf22082aaf27d5e073cddde0003701c4b01d4362253cdda0e0e05dc2a4273a2f34e692833b2b8ba5abe989ef5ea527faabfd1adb1c176c6d1e884491a60a0915c9bf265b5e303f912c2fb580dc60f8321143aa114452cc840c50bf4769610c6b98b1fdcf32d194d9e0bd1c9e76a6c8e1e3bc9de038a64051a62a3138f298c722423169a3b31d5e788a2804ce2b6b3b1ea8a77cad1a0f4377a029cd7728856d0fdb0e72c0d705d17d8793ef143330130e2b8752c31c92eed218697a64cc25c7c011e552a34f401730b0996660b294fdb61afe76990a6455314c5783fbe9d846181d67fad4ccc6397da552af6207ed232fcaad534eb34c67be7fcce167969dac8d54cfbf6a8bf9d31969dfbf82044bfb0734a05e3b59451d4933d45b7b3c24243e76148c99e0c77be79b8a0378358e88dc173af9a7e0e896941495e331d4e31294a4284cb9a875de99c30cacb96a011653c696027458d3cede073a922e848c5dfa937c43ed1048a0be6c00c8e2e3c1c86d8a90f912da97f2b50cb6d91c2f7d948a5b59c4b2ae58816fa00c6bf69219daf5caf80f661b0655be2590a37a3436c3503e6932e2c729c20f0ee015052361285bdfe1a3e147bafa1e0e89cd7692c686c3462e91fe2e988254070fe2e09a7d4f9b0f1207da1a98086229cf18db193465eedca3c812a7e3fd3c2fc5fbc2baf99edb00785fc75122ec29fac5b0e1bf45d002df80f0563e91276d9e4bc6ac7a1326028b3d25d18a8f9aec8e36a38c9be7d0a4140045bfcc6c63e74aca64aa38845ca887aac9d9b611563193cef1cb9ab106bcb96e62f53c1942b0690e50a19c5cc6df334b911b32dc883b22e58467c5af475201044edc136886ba8bcaf30ad26733d251f3e70eec1b701651990f8df9276e9b23ada70da058d7ba7e932eba07ab507dcd81a1d5af88efb25766ca44f8009e8654c560313b95d666f2c9943749ae1b0159cc6ded0f94e642e55e8750aee825fedc5506cae3031a296e5d4b882b902de725f2785ec', '\x013908f0cea6821827109330192e8ab93cc9d3370ba4138f9d98f1a88a8d3630e183084c70f1a496b1a721a28910bbceb21c5ad2f8302d55cc081aaec1bc85f090b624dd396da863ffb658888e8c553480d28248b5fe43c69ed0c44678e7028901779c37eca4239010d98d11a7430106706ea062a9c5f1eec2f634a7e905988cdf11309846735fbde6fafa17230aa56918e47ab45166216d051026e8c86201f64f2fc093d5856f82001fd2bb1fb451f5423fc0d60bc174585797d6ebd36199e4b6e625af5c3a5d12aafb67610974c69fbdd7ff2ad6207e7d74bc1c44466d7c3645ed962d363d04e540811a2f32d9766af7ab527d022f65f856c0eec17114146f812575f0ee7dd21f20b4fa9d406e4a17fcc5ec8d93e26eb56016b7823648fc5ebfea39c89e9190d811fbfc1d37691bfc1fb06d3e1338e1110e91610544b73d1e7f8d3615cf6e2c37d8b016002c78e0ed69fe5a64189de3e0ba67d6fa9150c1658cf93cfbfba12cc205eb71d9e7d3e4eda1509d16f227255327ec62cc61a24e958a231821a851b27bb07695a8cb55b2ec1aa7e2f8121d8082f9147d2795a14e1caf982e431a229e6aae34aaefa14abc4a5b16eb853c3c867d89bc49ffae60c82ffe0a09ed2bca8a6b1b1e6e6cc58512ccdcd65c98026cdc80367bb23a74c7671073fd1bc177d911858f84262f394bc61e9c51340029cddea09fa8f5ccaf93fb0260b5281a15d1be3da2f985fdd817d57d9d3637aa057333e9bdaf5bfad42813fedd4edca35d381231fa347ad45aae5cf826302de35a9dcab023144dcf7cd2d367a7afcda03bec0942ed6ee6570af414902db6c274fd57d232835cb44010cef3e1d20e7abf4cea858fdf59d19c0cef49103870aa1e8d4c941589bdf6fe052e7438602886dba4cb3c63db942e8cdfab65b2626911b785671de6e69d4beb3eef6b002b242bd3c974a6f91dbcf660e2d49c337fc475437a9d3dec6fa52e2310ba089571960f9be7848dd91cf5aacd8eb26e097b8c985124667aae77ddba3902c7d28cc37c790d79815fce4f31dfb2059f2bf66860b741cddc932a3ac652dd551544de49215fa52412d4cbce7f1fa904c00294d77502d2873afd7aef37fe26707c5c1d41d08e4fd69054d531c0b982960f89eb8179144fd5563179dc66ea7aa95a214dea03c77fe6b5523c5a29352446a40071007660a99a4e102357394b522a0d0e5012a14f546fae4462fe75d174d2a06522830a3fd99a2cfd80957bfb548783a63faa9c6f7593eaa1d7269f92237cde91e2c6224b7824fb12e3e989e4d8ba07735f88cd702ab1b9f936ad8b23f5a66ab4e625da3c98fe4feb498c0ab961a91d356b57923c2480ee2bbbc7bf5c2ddbb878160749ed9dd16d797f1bb2f145ea59fc18dc1e70b7473a81c56c9b2fd05595089c3ebd2629bea6e4fd94d12d3df75f16e140264a4d9e3f3786a092228144e2c5c53084f27e', '2026-11-27 10:59:15.938+00'),
	('\x9bee9ef3f7d43d8a577e9d6464b842989d369dff380c1cbd0d4854d601e2e2f8', 0, '\x1ad43cdd04decd8f55bdece9c937bbfa7fc25d2cb4c3dbca7eb3ba2491799f5e', '\x0100cff33c55c856e750ed940f5a28f791a684b163c73267e39d9ba27ca465d803e75be488df011c4461a8c805755527492a2fcbe505b808b18d89416372166e62a3858ce21839b8e40f907fb7c89f49568015eac7db8ce6760ddaba2db732478b0c45e468d3fce9fb3d1afe8319e2c13dc072d978ad9ceedd19e78031e111f5f9ca7053e3ddb165abcae97aacdbdc264caaddd9a55b5a0f843986550fc4dd5836a087c637bf648239218813beaf916730f5c44c871558a1dcd011a2a1d50753eca4f9351e13ee4a5ce75fb6b170618d8e3d1281181cac313906e5a16c7f1addf87201890e58fb44fb2a799504ad90a34b8417eb814e66a4b270dd93fab5e4d1c4e9d2896158ad5794470dbf34769c91fde3ffd05c6629ed081fcedf85ef93977c766cdce483c7d709973bb0c50e69420f439986b320de9f6858bb34c47edc5b88b9713799e463ad8fc3d813b3eaabb0afa94566287a3971192ffef2f49a8fb84441d19b97943341db65fb74261306c03013008a6cfeb35447c8fa6eea6ea0595baca1d995f149ed7fbf23a7f0a6dd585529e7224d2ae6e7f596dbacac28af387c6c1c2bfafe91b95bc5febed5760e2ca9dfb4b950984bd35902133e52c67c62d88342c6146b1c8b5c1d1927f3f0192f0402c2d8a1460efddb43680bc1645f5e499673cd739b128ed1bf88867c723516cc300d488bbcea240262a4de6a', '\x0164ebeeacb5df4be2fcd729dd870417dc4298a1ad3445c6f36e53acd53efe18fcbd1124592d649c4b4dccf45ba05c08b350c7b059235895e53d22fc42804b733729e6a3c3ae7c2ae99f18485adfd19b18ce9ead8ec310e90fc162509b4aadc15aadce4bec2825fdc4de2cd99c655cde8a49c720a4b6435355c6984d16d777491dcfc490146cce6d53836f645a883e841cfa337e81967e166e464c351f8e6e4b121db947de51b331b6230fdbc24ff82e105806207f3d167cf84143c75cab00f797868ed6576f3090ba6e48895977649451941b6f3df60aad6b1d9815078ae206633c0c1ee76779258044c631173cbfe75f96ad4d7d333e0bec3f274a5a0ccc416ed71257f453a164add7eabda06201b2b1bf3e1eea5c0576a4a7e566f628e983f7347ef41f41a436ed58ac58a315f627f62307fd63b353edf345017fabedf365ca7bf0aadec6a58847a5385cbbaa063b1e5d11aaa9647fd4fcff6eea699dd1c1c6fb936bf1cffdc924894ee3da2b1a582ea8f319012dffa440a197159f91eea948d0809a6bfdc16a66fb1e0cab84112ae7eda8e71944503c095c', '2026-11-27 10:59:16.462+00'),
	('\xc06ae8ddd19e7cc1cf2f3bb19de62ecd520091261b15daf06483928f222b5c26', 0, '\x6c1692dd453ccd5ddfc8a0ad5e4c448b77cd509dad6f473fb74b7caea6ce80d1', '\x015a744e05f30a12cd581c12d271e8454771ab13aa3623886a0592a53054479fcefcab7315e8e1fec5d36811bc828f8de3b9d93ed794b3f0ceb794d24337402ddac6aed4bd9438b903cb899d28139273406512ef441f1764838422140439958c56c90fcd84c15ba7ccd000530593961f0a6e4df37fe97154679ea558e3b3b12a6c978693730dd0671b5e231676cc92e5bd48815c9a7e83a0f04339ce17b1b78dcb62253e036311f5531eacde89b15541e1aa2fbfe2e15b1485316eb4671a315e5b887645570af59eab27fff407d8c438a2bc010eec0f33bb86eebe68a65e7e3539a1c50143b2a3fc6b0da799851651baf6ba60039b1781b53251fe5f4dcc9d9f353df76eddb9eb0ba39639ca4fa78910ea173e2d7afbafaf141e126052e676454d48f45a3e8e5fc01d667f6559a4a86ac3908718ca367e62e8af1a0eba3eab51e6bf0e934b6416fe1b2d8072ff6cba87702b906168ba3de4077c0a797c6747a528d4f1d693737786cd869a3047c8c6812a44055d181ba8f6d868798c569571607a3691937133db30a637e18b2146cada381b3cf27eb4def3401fc63bdb2b50f31362e629db7aca66209471e3273bc93ca9d6e86e6517a9fcfc1d9aff1bf2ddba079399c58ba5443ddcc14df34b3d3361ea93c731b14da2d36d36e903987169f8b7e7156fbf7dad3f5dfb922ac00b31fac6947b37094214cf113b0eef816005b3cdee3816c6ec5a71e6296519f27d07e15fedde94a0d1ef8b8bc99635a8d08d41918b398e42e85fffa845e4e4ab5447da302d0cc6e2ad8f3c53c34ca19645edff3c9693385993ecea0c4979da89ad995ff20de7bf87f86a572bb070fca2863e98c62b13d0304bc2165bd78eda31ca2b477a3c119be2b0bcf657c9eda9a7e2bbd69271c6be969132da31170b1d693d3b60efb73689d1a3bb0a407be3f9646adcb79f2e77dbd0ff466b5b82ff39c9aec6a70ae2d17ffce5c08b1e9b61470159c877a13c76335705ce3dbd16c0d470d42ee1269a7d0944797254512bfa9f08e2bc65cc30efcac448eb246189ea1bc759c70bd010beabb68765bb5dabd4e554fdd49d605a9bb0eddb41863233812c60451b3d1a4a41a6c1d74f542b8e0e1c2aabe3f43ad1960c005fecf9637bb5f1c0db315ce1d2be69c26533c98949b7326575b703674f8df49ed6f8c739da42b99bba04614aafc566aa31a6c6ccde14560a194610ab900a20f0581c46312099bb70c787b9e6438d5ed1fda1f95f7387183e2ecb8fc8a98f0a5887912c98c580f439f95531f2ddeec4604cfbad23fe858427e206165cd29f006b8a5c44bf931be72da4592b9ef1ea5457c2fbf65c7c2710d72069ab3aa6556ea53e6b8bc6f0946dda35be3b3cc47875bf73f6a344c3bdd115638996348e05a5301ded13bb600b0a5328eba617d8b168c22f18c21b4ab289845a5afbd92f0db6ec17d5e9bdff15ea5987e57f8d73206ae33462dfbc5a91439cbe8e165e187fcaf1e489ada3551f3ca76660892fb8bb56fe11fcda8cb8a4b47dd2f0adea3c21c8d027b05d1acac0a9329c11bcd1627fad0dd3e90e4a34829d3ffafaba76ec450259cb68204927e117c60dc66292250e9c8c26ff782645c6b9df11248ceef74b95ad3f6aeff8e5f5fca58c65445c71b818dc21f4453647b36ae6a6104d25fa333e0c1dede070b7e5be19e41e877d59f8cf38526405332eb43263d647722a59e9c3764808eba103bc9b4502846dcb667d9e870c0514ffed726103d8747ee8e208398fd81367cfcd7d5492932ff18cd6a7b9651c072872e814e8b5a9e8d91bc5442769a073295007aff47eebcf1c589a7be78186432a981416451b478b45b2d63e1bcdaa98849306abb9794b53bd249b291a91e8abf0e4212a2a9fcb930556150be0e55e9ee81c60f49f9b9e72f781bf7e52ebc46fed5e9fc61075c8970eb433139b62bf4159cf936a69296a5b3dd1ad7e7efc79b6fcfe3bdab03b99e281729bfa89dc4e51125053c120a934111274', '\x01243845150664d54877c34cb8a9abf967e457dd5eaff362a28f1f88ec6dc0b2b1b891456651822605870719766c8633910670b81ebd7600f7645be70f130b1b32c62e0b39100971e4bf5b6cb86a240138890b8bb202a92e238605ecef40c11fdb1d7953f916e359da8d15dcc32b4a62bafdf57ecd8fcd6b93b18581b2dbded8d985cd10c8340d8d9b8156d818a8f10185c11223fea01ce34556c1b1e154b25848adbb4aa8bc41445355d968b7919d8f790b6446e1135dd2919af0b472cc443429f5a1413960ddc420fa40049fef626bf3cc2e573053aea399557965201a767ed1442dc340821b08b54979fc77ffb2749277578626dd7f05c85c4090520cf30d0322d28228456ab6476c66341de3a5bd70173b77077d300c9a36b5884c2ed7f1e1e64a39e884eb7ddecaeade4a4ca26b89d2c11683940e814243a8cbb15e352ce5a235c24f532c27b619555e243dbaf9d8a46ec7b189b6289cadb527a2635f683e91d4f4bec1bccdbe0fc3d5e3a6ce731395fcfa588602eadafa8211dc921e77ee6061a622e51230f36b3097e3913b464ce626e5977105f083c6addb2ac3f047c725c83d286cca8e20e67bb6da786a29221c6a8735d598ec33012fede3b2fc370293d78e92c73ec78e5f6e2d906c6d8dcd2e6e8549a4ca1eb689b058fb299325003e6150e8b023f2ad6f83ad47ff2cac6139baf6d25472788e425c575d933758f2303f3691c07fb14c894751836854f3ab94a646ca43e32cb82fcc1313b28e2ccee0fc6ffd006e33005ef25dcfd011f3d4ff11531820eb4d2f3edd5956166911fe16377f4dff224b709b7e87f46628567beb37cb556a4f24bb32928c8ed8c661bda52e215c8b81fd46dfc8ae00c8bc7613dd46a24939672fd4ac2fee7d8da2ad56c2b4f4c052cfad1579a9dae6453296bec84a3217ea1d5a5156dc6ef6ac5727429bd7faf660abae7b704c49df34377a76e94c4d469a9f311829d571f713939489865a305868e7', '2026-11-27 10:59:20.392+00'),
	('\x0552d460d330461ccf723d753bf18a84eda1e5042a1023a79d75a170e31912b5', 0, '\x0d2d85ab361883cf8a18728d2a07bc6b6b2f347853a4a10bd5fa90f56b6ae892', '\x0188fb2b77041e5d2aacf787a3fb01cf4a8a9275a22776b3e344740b549bfae70f', '\x01c1a27632b43dff2d64551e22ada694f685589dfe4572de0e3cefeab59bd7a658064772b1182449e80a36d006ca867d34a90ad856d1b54ab02e', '2026-11-27 10:59:16.518+00'),
	('\x55273ecf69f9d87f9fcbf9fe52aee346e6727b656d9e829a9885b1edf9bc9053', 0, '\xd7db6b8234bb8c5b823654249b3cf235b44946a37277820ce7b8244044858650', '\x01a747399b1b409a4449ffb373d1448db660108b4d35809686b66bb64fe38e84d4731a0099547a1df6d82a070727fee67bec774416e5d4a9ffb66d3e790da245932d05bbc694874e8f609224149f0b6ff717be39813035826919b0370b071a2013c953fcee6e1381f5230f644ae34015f55995b96d3d9048b566f422dfc0158791e55b162d', '\x015c3b85990486737223b316357b4ac465773f624d7c99c837f7d81160d9e303d8e840e0cf0a6ad58e3087b73d2e273e379a11b1b2603eb99fa0a7038c5f4cdbe44b420bf1f6a312a82d1533b0c7410f6159d7f012954273d811b076bd13e147a72e9c15bd2d48df710d3431028fce5d1a856b2d16ca489e870d70821bb4e610eab44fb706630cc2d19afdb2699813', '2026-11-27 10:59:18.169+00'),
	('\x5d4ea85c8f3607bc7447dfa95c84360d2a38958ddae499acb1fc0295d29f79a9', 0, '\xdeba41cade2bd6b5e76330cd943e577b1b9cdfe9a53aa4b0ce6b430c64355c02', '\x0185cd77867ace71de863ddb45ddfa4d7a7a079a1fd0b7f938aeb0eea7f31850f4b145ecc2b2b4fbc9ed1f24ec0d789fb71ddc210adb5fe3fe3c8c60284d9befd3c2b61f624568692cbdfe119d94126494a573510084c43e30e2ea0c5f7f8b23af6d983e3e090bca4812a2c66b4c5af1625e6bf873d2759faaa5f243d643310307ac8537c26bb2327c85dd5244d3c82c05c730f853a475a6f2e3cb6b78f418229fc35983bcb4a5525fc0efdc09ebdd5051cd41d9dbd92941ad2a4ced53d3b2c6aeb47fcc63439eb3fe4901bd4a3e8f7e163dfdc3ba48570108a786b9716926662692d0b6e56594c28bf53865ba5ab03d563813846f1517e804b146f886bf99cd137f50848e276b41df3ee2e7ad24221375c1ff18e3964ad5f7519b47af219be8f929a31acce7488b85f12ec9f96d6b415874e71651cd91282961362013c8df9114c7de5696f8a49bcb6beddd2d7cbb16bfdd7240a29c2ab543e119b8e559955a2bba5372534a9449c59a562ebbc17a54264b2f8b4fec94ae39ed90fe1770f089ab2dde2fe289b027d9de74fc764274f625de51eb0129b44ea18736f73eac0fc7ce8338c9bc160a0757e4c6b9a6b3602e6173c2d2647b44e93d301612688cdfb03393b77cfe8b0fb2e46c9a44dc77ecf4894e33857caf9ee9f6a59b2de1768cb3410455022a0b8081aead594db44852a23e764dc8590837803a2ef5d158d7d4bdbe3aecc8b33489584e3763852f0667ab30c594709096b1d9cacedd6d93a1b9e7691d68a65753d7222bf196029855aeb1fd4dd65bd50837ead726550a91f53025c3faf2586fa3e7635bb652cc8120ab61df5af1bba1dae405226a4252c1fe78026a240ed196068ae41b74bc130daeab730813e3fd799e14b71a95f22989bd76bc1cab4501b3197ad1bef189d8d26b80b571ae4d70192addf06c0f4f2a7973b04e0054352fccfa028f42a2a0ff01bc0a155b00f3146d5a82ab06c953fb27bcab2d4d8b2fb83dbb43ec7566379fdce22a31ec9621b7eb09d7508c6de316cd8032d5bb755b7217969b6bbd6dff9c5b4db38c3bac1d37fd4d3e04d94ad598462ae77193ba9bc3e9400427b5d2145d7a279328534a5f0f2f28744e7553cdf97a034cf829cd2f7892256e303d4d3967e4d447f7233dda095b26dc142272d6dd0183431abff84988c5e3f781e97ad7a9a249c564eabde4dc750be3cde67b786974bb4a25beb931e7a9b8e5a7a73f6bc10febdf852cc3ba97d0c9cb364a8efa10f7310083b5bc4f3a96c16ca352d81a98a295783da9d5898dbd17efc6c0617318f72772cea61a453dc317d0baeb9ca18b84d598b071a64e832af4d86f0cd7b3c4e26182d46c8968a830e92930ed4f448149e2ab2240978977e5173499f822119fa544ea52b1fb8319e6ad22f412d40225bcb1ff2777ef4f44a473bb9f2a59ee6fc0b0011935c56ff4c9dc0b12f6d2eec0b920479be8d22afd716147d1c180ed41e1de1aa8b0eb94ec0a341e0a488748394c9b463c3a847249c34b5758232bfc5602a95f796e4f204086428d864a13dcb492362e7855da293baad1ace7b06a55ff227926d5b12b5de6eeee835319283486f6def6c5eb276e2cce810b20a611d2ea8b6b99f74e162a1b776a77c3242eb27915abdfdceca14e4232', '\x01d62af55c978367b7eb266c3e56963508a44f7dc8548b9105916312c22518b8afd461cc7f58f8e641019322e3903607e4078153ac4bbf79f383a2e96409d8d579db333eef7642611fefec546d595b8576821207fc6bb55f0087fee2543d9f20a549e73668252e5298593a1e67ef27dd68e2fdac151874bbe11b0f607be63de7b7f28cda98543357d48e2e8be9d46734d1d89dbb94c4c8770cf8234e166fe12131e9f0334b66e6b71428cdc5200da203de47b92dae5f3993330cc85e26799b82c1713ba0b06791b05c5bbfd0ef06b7d6aede5d363c3a32bb144dac715cb35a6449940379a51272caea567ef6fb56bb64a40bf53b6a63759a62f9cd2e315c4c79503425d076655f64faf4ff12ea67ee614528572192b64dc88f87826b978c454017e5c4c06a6726040fd7d9b4ddef0de12946f5469336c53939abaa1dc7b034ae86af10ff8cbba71805bbaa32c82ed833286ca6dc9bc4f72485a442ce032802d4ee92526bfcb0ec5e8701fd60ce19b82cabc2b1a595b23cdabf00471ae754716b7a60b7471f91bf92798cca7a36e77ed0d81981571ac97b82e57b6bf221eae2f9b1f542803ac9d4b273ddd14cb391332755697ccb78ea63886fd4352b71dd378f3e4e88be105aa741641ebf45894e37547c98d2a3778ebacbfed7f8eacb9bbc9034cdd0ef2b60203a06760a4d8bbd63e967c12d31276f076127d89ea96f509dabc7bb34d4f6601306f871f2974ceb39ae3a558046fb7405474f445e78968b260a0f37cdd772f2c817cba7c053e9ad1626c0bded5e4fe6157ff8f02ff2cf84d4050660b0ee498629bbd91f601cf7b33d8a544c5d16572c17570b570a0f67dbaaa2cea523702a1c282596fd6f3ac11b8be5f1a36e1c5678b96552fc82bc26ab2cd81a1d584bd77868c50ad1de32d34e1976253c64e364275cddacb534d6bf9b840e920022dc3a9077000329349f640cd72f64f2ddad91e82dceda442bafac75a31adf18cf0a2ff3e6e1b90fc7f835c4726ffcdbc1bf3cf621cf12eeae20d14eaa72e50229d29115cbf7dfd83e38b53849280a959965135ca10da908dfbe4723a36cb517ee8133caa70b018777bcc51eed8f25568decac0177cc8e14f7bdd814b7809589b0859cd8b70b179e2fe5813162316f81', '2026-11-27 10:59:20.584+00'),
	('\x249b69ee64e5e34bce0a40ba3e41908bec68bd05e267be3aa685efdb07f65157', 0, '\x22df6fa66df873b57b26e3ea35cee3742198cfd3f3a94a25c80a644730662d65', '\x01dd79e15b3276af5f8040c3afd279cea27dc57ed84e14f6d4a5c3b05138e6ea9487638d4a2973c081a5e91cd6c53d2cf241ee02f9e2fd889ed149c44d8d6b8a2071ccd5345b8c1a0b586f8acb744aafa7b0ea9a5be9e45a67407836b2ff8a82c419831548a35d86e117378b15eb5aed46cc4a580ab5d1a1859b02472e53fc4a850ddbcbf96d4a87c3683fd8a73ce604983a0c4eaf5bc5d7652412bc8dfbdfae8c849b6b57a580e153f331e57e1e08fbd8cd562caa161ba711d9ce167e3fbddb904bc303f29befe3f5f1c5a5a888266169a9735582ffb9a7f7c8dedf90eb20693352eba556fbd256f0ba8ee5efda8585272df5e264f6f361d3469e77039e1cc4e854119d9182539da11b098ebf62dff145dcfbed15c331d98c8dd0138d10bbc623cee08931b42af1c8e8e1ada024ffa2e5cbb3b48cc86404e9b32400119b496801df63ace7cf45275d6b8f1ce0071e36965cb32c416501c14c049f6f0b2a525953d19facee264f4edd3c632baa55d9950a0c10697a4d063f2bcdd7a72cf811af3f61d60ab3ec2c11cccc5ddd9646cf98bfa428a3e40e0b4d0fa4909f886ddaba9571d26553f7c46943ef20f889eb6a4887a860f7d2bbb997f0df5dfec98accc0715c1b5c549e4316c9855a98354ed7daf49f14a1dace41be377273e93dc52bcf35e203d381dd4d129798bbfe34a588bad04d029df25bb4a8ceb74c7411e5b1c076c2604fd46d1c945db08d2f98cd4399b1ed91afca418452ec71dc066c43d54bca00cfee5db42f9b0f1d12992501656ebea70efccfa23ca01d00c6c36e95e5b8f6384e3c934a2a37c70bc421e950714f10e69df031b318c9820485c59f25f1392a724b911059ff0e8585ede6f1260b48a34487f2373ba7cc8c7b4b9dd87e0c7f20c7e69125033e7d40479637f6db6ed75cfffe761a7c154898f809ca2ef3366bd6c580d96cdea20378a486ce247ed0371cd8519590612c581524e05eb977ba4af5cc82376fa6ef2974fce3d4c02ff3dda11ac867b4c42e3050e992f3bc24cbbc2ba4bbe3d3d61075544cfea8be260fa2840430c10cd2766cfb5dac3d78599dd844cb2c0c93fc2822f1492caf5d1a95408017b75f6e82945ff0b761ff44fdb4928149a21032c780548b0417d9216718b8e6a714cd06aa8103275248a3d675db27651741f52d803f5a32b9afd49017323e807acc5284d8aa4fe1', '\x0174b71a2ba8a0c41852217c6283ce6b61cf023435305870805386e5896ee3235b2042ffe6e0a2f3e211f35ac6b72439cdf30992bc27857ee23fa6e2ae1d86e2a68ba3de94b923a7c54249f63ccac6cc80d4d38d33e153295e9ab115a0377dab89982af561a1773582cf9c515e118b6e97ce38d9f78b05c87079f74730d9b80bfefc6d71efc57794013aa612e241061711fa872fdfafd4395cee980d0f827e12cea5308d339ec807b05ce9475edab8939583b73e063d92f139f1aea546b7aa3df06b1c0d58d5adb3b42bcf917f58f7bf6e2df5ebd1ff033e262510f10c4a9313f146c090085311eaa7e5e35fe0a710055e887026c90c39d896c6cb9eee711bd8f69aa724af818ae60f477525c354876fe26646f0c07065d0a8f6ee52e735197200abe47fea6da41c5cdfb018dcdc718e42de9c319c43cd16c4b141d9ccc4d07964e9f84723a95e7b07c053b72e5dfa6f7e5346ae8e58ca095c68b1008ad677fe8c7652ee36e01c590c0badd0c353a444b97e4ac389c80c37c180bafee59c5540b8157092fc291807dd211c3e181fbe7b17614224ae932a7c38457560f3ec8cec2d695753d5849f2ac2350efd2d212078c3b4f9cfbbd6a575baeffd8f5c08a07b7ec9a6f3a4005514268e6e8acc506b40468aaee420201f18298df9d5d48a716cb19c09e9b71fc838e05a9a1acfcd4ff389d784d3574eaddd88ea8bfb8eeaacc2b2f5b93bf914839e56cadd70607b432058b021f7c2dda7edde5d32041a50c2630e50cf83e4e9f2865a615fcbf3d25b264925f76ae039d9621c4dc3b416833256d2dbdebeff122100b006d962e2c7cf0e85a21bfe2aff4d41c1fa3049c00931ee789bd04a78928997289e8b', '2026-11-27 10:59:20.953+00'),
	('\x65a647d02a45cac9ee5045dbbd151ea5dcfbe19d1d3dd8ea5f9778d293e2b6c1', 0, '\xbd19c3ac34e758873963be18c59459a4051fef2b19d3074cd51d935c00082acd', '\x011a82793e51681fac8e5df5ff90d16f2a5a2ae57968adad6360db0de87acd0b8ee97af19bfc4f9e03d019edcd448c23d03210e3c31bebbbf1e97b56d4b5df047a17de765891b921fe9aef46c38a56f6dc47b49ccd27af3f08680dd3d30d07869fc07b3ab6d6da1b4672a679001d7358c69dd055286783bcbebccb3164ec025ded333d6c32dfc4616353ba50dd393c35554a780908af67a384453684d8861ce812a68bb52e48c6f0d35269ad30c29ae9c25ce33d08b2c66563c3e224f0db87a8e881f78a46b4b9eb6375c21ecd7f2310bdf69896447bf27837115f06801674c1f5b9df2f320df4f6827773bc55eefdd47579143a25fbf14eabd981245e9e7515055c8e55825dfa150ae11e153549e9e1ead0831b2818ae912d153ed7596a3c5e32c8cdfba3f242a76dc558c207375b5c138ea883ffd5fa45433a251030bf689876fae600fb2b7a3e27300d7cc3c9fe1ce4c2e04195f1a4f8125f630e5a372a22ca361335e6bedd2a5f28c421a196ae7c5bfaa4611e1b7d20c9c58d9611a24c05b1d5fb86ab36acac6462b64df492157cbcf9179a5dafd243fca78c3a6e3aff0a85d0de357cb2d803883bde33ef9e1c989e46ae79509b17b354bb0d901b289da7fa6737ccc13325506e2c92c5b527d32f0f3b6a50c7d850cf512a9cbd1be3f80e75f3b2f72a88f609dc9abf98fd60c8a33f58df3c3ab64b9385f52565805716c279e22c8e5d805185fdd11f045f54dbccbf069254094ff32461cb374808f237d74ff022805aef8ecafce36701952830b581f652f8d4ab065bd765e5eb4c29f942a2a9c58810ed6a50088011d3c531c9406e2f5d85de7ddfbf972e49b41c5c2d890f2effcf7c2213951a3e209e284a38e71c33522bc36d247d62237d2de8069481cb93802e675c3d8d9a17d4aef3cce803d82f224102f581be1f1662f880771d9efb92b5778993103e0f3f455cf9aaa7bda36aa53812b0c1e36e8bf0e384b2c49931b7d1bf11fbe8e10bc674246189d465a2df8a088ca71c63d4ad47f3c5b72f520c388d49e4b004f8534e392d01d484ffa658735d22622c3a4625e0c9ad8c297b2a48d2b704b28e7b671c5cbe96f4ce49880645de670a25bb97ce7f0cb3cc5ddd0b0b74743c75b5e29285a7c26c9467c33316c83f8bc03bfa6996db44c70155a85b80c8e57bda6f6649435cbc1d2e012a592f3872902c8df8a120cb17eafee5e7cefe0f646618ce96b372e98cf4ad0773071288d2ec9691fdb32dbab7fc653d55b59a1a75b012286f4c579c7ba20bc3fa4f32848afdbe721b90bd1c6c032a3003728b7de843bcd4c1357b613080e72211ca67647a18d2be2ba04daef7cdd6848cb81b7a816a71c0998efd24ab365cf4e5a1b0665dddee086e807431574d023e5877a6836f2ea3f7f331ec09f89f1a03fa34b1992f191c7cf96b80a6db86ca9c2d57b7d8afa44ded54e7916962facab830d8d8813c2c9b1a3b771cda3745589a78d5dbca27dc309a0c690a1c0c809d2d910f43767727bec9ed6544e06b87a82701b68592cb73860e9744fab2d3365934c03be04b825f06564151bb72fe70fed204f5dbb75b4a5f39a88a0683679ae7459e6ba6f12aeaca38dc45a8d3b2c9efbb82a89e47b07bf6a63587929e9aa10c0ead3c147a8ad6d103bf8d', '\x01c2885551a9244455853a80a060ae6cd5f03120db303a32d2641d0f32da531ecc8ddc9a66e00b92beb022450740d8fb41a11fa87f138d2a24b0f02a988aee4c088100f164aca7f63e6be8991970362c1788ac9da6f9ee4ba7027930a8d8232449f8ad740d96866bda8872b44e1c7a23a066f6d16d0252d580e640d2c045ce732a98cfdb3cdaf6eaf947190405d246d35f17d704733ea1e9a4176e2616c741e420d76d2ad02a8efade89079df1dd6b7cf5703d11cd757f4f87d8d2458293df62577f72244478ab58677ddd0698d258cf86f645984ecfdfe6538ea857712ba7a68b917d8565d701d2b7563f37b67d1672cfb56b99eb2787b7715a8422dacc2057b2310ae3cd25ac722edf5ab101d4fcac555c0ce4373269957be2248df57fc5c9eae50dcc2a67b8ab10cde72ad051f8491ab8c7375c4b75c3b6f761d2d51022611946dd73f2c05168f5c63f0e6efe1202ca0f0f19fe8c23f17196cc74d507da993ab7eb96549f1c3c4007aaa5fcbfb3eb637f0d7b5177958800baf727d98dc12f6f3bdf3c4a85fd52f3fc2b319e18363f201dfec0d6f1d4b30281379490cad8db260bb4beffbac5a7af8bad4e60fbb27a83e427913671447e93419ef0329417f6db8fec571972e77c154158f187c2a60886f3ba9d286ef8096e7974540a43547920a21728db6c17a30a9f15410a8720014927a2e408fd0a675464086e8b8f951fb7f75dd4ace51ed19e34129667f4569e66a3c2aac595b2a318dfb6f60d4db7aac415d5f253601f10c55f20d8991a5a6b248120933ab2a11aab024188bf498989baa0c5a7797c6321197d54a197bf3da40a0aac19c03f1ddb61a685e10e7df3fb215c62b72a1ae7deca214ece2d618d9d598d335e9634c27a8041a3d65f19a13c9ea483ec2df34a39cdb7ff0139ab2e64e43615d73cb0d6a66c29af0a083f2a2f8f11cb019aa572075eb776dc5e4a223654a1b457337531a2f78c7dea23245be604c6bd9629ac82eee6aa92817dfc7daedaf17493c1f10883488e6590a336dc33838cced9984958ec2a099bd4923959cbd2c4502f55888431c5b7997bacea12135eb18dc49975707538b227f186ff1620dc073539e09042eb79258a28e0c7e86dbc5c85ec0f444722f42a050b03a54a7f0ed97fba', '2026-11-27 10:59:20.728+00'),
	('\x7a219c9c39e8a7a5369ff3960968de98094e2676bd8543336fc2574912b3eaeb', 0, '\x036e25f2f61b96d1a003d18253149585a9234bfbad49bf2dc9bf58c15d25cbed', '\x01a7840175c7e9186ead4cf19e26add9301cd8333c25d747e3b28736a06ff4763fade1382f0e438bc8ca5a5216d26e4652d8912ea268070ecd088c4d035d4999388579856824baf9379e64a18d12b7401cb813189d990ee082e03815ef251e0b3c681f22decedd110b22fc06d510bb07de7d4825290191b3c6d72d005623a8481bd0b3c4e61c8cc7efa4efee751db2bd1f7c0822ded284bc2dc8c5d5e558e95f2fb13ac17a164e3b276d4ecf1b6d7ed1bd528c15d30a52fb493e19f81ed6017e6035dacae76ba46c11e3e44114b122aae19cb953b85159704c61234a80e4d102b9b2c851f8d2eb8d044bf9383a7a9350f6ad78c04f347334a9c1a53017961c47420a963787a42016555a31c56c0570386c5b8ecf0d36b4ccb2585b9c7a87333b37ed7f06dc565dbd9884bf7ee76638652d6d2ff9ea15e7a9d51ac5bf807510f445fbbceca869e5e07d96ec5c3a22e1e4aeeef3d7fb02ffefee046636f4f647742f076bef810b6bb63be3096cc0f6c37cb4ca6e760f198a3e727c1d74eae12cf3e670d128b88f0382f14fdc186640bf615c88b3cc3b50fa7162acd2bf74d6c6d4542fae5d10da075f40abd43782f118bee9b6965a7867ff3b1408b2809f2144ba4d4ccd92147aec8494e2a0f8ae1ab62aa3cfd38f585cccf3d28b5a50664e575762977ee68e4d1b170769d55ee116f8b6e8e3b4f37d12799c165aa63a49f5f86b8f29429bcc46cc2921e650490346218d712be7a1b4818628a1b3ea7224c1c01a6742d6e7f39d77529579395c220d17ba81398a8d96abb883298a7a4ce55f0e58ab8d3f49a7f5be101ad2c21ceadf729806e6c9c0f80ff605d9688b3e7824acde387eecc642f7ba0a0a603398c9bc95cb783bf0900fc451368cfcf9d5cee05996263c14411dfb080df7d004ecadd77ebbc510675e3fba499eb70cf8475439b8b0e585dac68fbe0b34ec', '\x015ccc8e1e153fb69e7023b6cd47027710bd741932b1620efeeab4c01f19fa5581356f9f1b878e76ef302a33b9ebc049c612ac8c826add51da92742179cd831a23de0cd46b9672f01eb51957d0e290de4cd182ef18d34ec7aa3c13140ecbe72ae70c03536fe922f7cf0e2cfd3506a4cfc4389a4a9c6d30e171bd4093e0cbc569736802a8e9b97b313b6026ca3bc276164285531ba0a1fb319ce2bb9dfd11b7663af45e6a42d4067baa484fe18d17f01726f187ea79c120d679a57f70e8a4351db52a170419c5f90e5e57af698ca7106632b84003926b9747e0a16371c15f8daaef0cf767027c0cbf4abcef64627b61435b6b56fa4bdaf2e9a72aea34f40ee592624ba87284544319cbbc7758065aa68c7f1f4a6b483c5386baca5c4b78820029757603dafe1de0ffcb5c345451f20eb34eb0324e6858f78b2f58b1e470b67a8582f98a7625c76ffa1a86380cd3ed1fb4ce122a51d5d601ebcb3da9f738466b901873c24af4a924338c0edb9b003db9570bdced8f603ac5428d1256113b341b9fefd1908afee666f0d890e530a9d656cc2c844c009a8abc568cbd757245214f65584c866b7c166837ec2e3b06c813d9479ca67b2125481dd463141db23249c59391f3171ee57c700fec37b8947b5a0af2c14c228dc052ef734828add5a3d4580a1d5bfedab431468aaaade3f498382b55c37e21ee2ced2253c7de94dde9f35792151682ceee0c6a9d4095a2b2e249ca736c638c980329ee8585ee595c3b722c6413002b1a66f70c4ecc755e86de9b1430273c4ead15a5287f5b2cd3fbb3ae57e465f83664275554c706724fe155165514abdcbfb78698d89ce753fcecd87a78ba8658bc741ddc5e55edd6b06e233f5f43787a57d1ca900e360cc3', '2026-11-27 10:59:20.801+00'),
	('\x45cd3eb421339d5c6926996dc80695539a23f0a979b7e5687a4ca80266808926', 0, '\xca8fed4e97590a9cf253635d056784e960610b2b4a211d1ee6aff7f73cca171c', '\x01be1809b25c9a93806684ae276ad306f1d738b8fad2591b5c9f8fd571163717d3', '\x01b2e0aa17cdce8bb5710005ba41555416d4795bd6d6440d13f4143f296b6b1840e8272711b712fdf0acb55a44ce6fd10fb3beef931810896be8764a99948a23fdaa401686d8b58e0a8f9ba23c5935faf1cc889ede977392150ce7f389230dce1925eb285d454d5974a74f31ebd91503be5b8fe38a4ce944885ca4caa7925c6443459dc42e6f0c20d3de33148da4eca186106f25d97301888d57f4482e414e0c9b3f1953b28054a0889df485adcf40c77b4902155a5aec7a0ecff3e4866b41f968c7fce22380228c97fa09a9d920302f6707d97723962b38f49c766f947ae8743edcfd4502d62729312163067ca44b2597e74c4d6a05fad3350ab4e180804aa212e81bff0e822981a7ea10938629598b632a0c2d68f6fafe34ce3dd1f3d416e2ef3eb1bda4161b5917271f672576c73cd6678e4f7790d9895d1235f1e532ce77c9e145ed65d73994e81a4aa500fdb44b50cc4c19199c34c1777cefc7d4a9ec8d33a18b2c34a8225381b853fcd2150d7656a62d37cfbff1a6e49c98716f164c0730aab5826d6e33e19ac92e3129be8fd89ae7b4c56411f01ea052b830e3daeda49a5f50ec80f28ee1ec88fbfca8654756f307210ae4fed50b0a725b5f10331e92b1e01de4a8dc51dac5edde5be369cb90bb9f878968fabba7e042b4b159b1fa26a1e9a566e5d2870b2b41cae1511928090f8ea2a2aee5b0764989a0b34595ff9090e70f69a6eae8dec6737098b60c9103d2f6841c727c3640f63498ec4e22bc0a833d59e99c6ef865688af9c21bc129dad96bed07b3df1af4ad29642376774c895a1ef3f68855e3ac23af0d863b1bdc717f70b80843c8ac9fd9de85e3fc690b1c397bad37502ff5c4ae9d25c42008ddad24fe911868d578730f4fcd294fe10fc329f48b90d0aa511c197acaeb26438c2edce1f0b9392e927b62b46d4b24cd386da394c80a3a553885e4777df2de5192ff94a75bd8b03f82a75c4965b32b36d926468d32553b5061152369df5239a83d35a618e40387109d33ac57b3febe9421ca173e460169e102d7887ddada2164fc026418caa9a323d27fc47739f7ea9bb0fc6ad6209ad4f8eed5a374b269334b8bdd253ac0457ca119c1a0fc1808d1e7a0d9fcf4474058dc52edd016baee119ec1a8f7ef379cf9b53d64525a17988f6d44059432f0d1d07b0ec86c30edfaa1ba866267737b0415d60864e2bbaf302d585afa8bb26fd24c5c2207ce079e69c6ef617341cc0a1de8408fdbe8f3c8d1', '2026-11-27 10:59:20.856+00'),
	('\x158eb247576cb9e59560f2aa9136b8c7bd406c964d275f0a9d5247d2096c0560', 0, '\x3c0f080be35c499f373c50b2bfe208a68a0fe1f3a07dc78fe332d54d369bb617', '\x01894e7c4150ff68a746abc964ec20fb189f1bb178cf9413c7cb4e5025123856269066413e95e932fabe148075fbe470b4ac54c362d1ae3cb2192913341d8119168b1272d3fd0ccca5cf8cfbf0e79cdf3a380cfc3d17673d0fc5cf115643edf022ceaffc43fd6ae456995496e41e0a883abf85436443b0fd4d171bce2d8eebd0aabfd1f0fca3d3a2cfbd0c0738b87afbc142ae9c6148196f1026b083a50b0db0d5d8d1ff6c69ef41eb09dd26e66bb1b59ab3f8d475cf390e2df3bcb64b66f25477ca1aa727cb596a8e044b021193d8e2029d7af2fb99a2fb20e03e641fc180897aeb1e7004deb9c44c196af3c8ef2d7b25b8544236d5d39688dac4b3dab38c1dcd30ab9e9397ba90012cd9e72111c80c321eb5059db8ba41d631e95fe2ec7fab0511f5be1c88cee3306f1f92655b31151480ec6815e94b6854ce5263e2b9c9ca1bae758c4f0b5ac07ab10a78dc497fda8d2000554e7ab6f505', '\x01b3681b3d1598df0d5d172e726fe4daa3ef51b53ece87f03a12c9d8ee8ca979bbb8772e7f62ae9037b6639aea0d7897c74cb1fe8936469478422b7e60d854b5287d24eee91aa9e473ba32eed5f82cc1c9bfdc22a88ecdee30f634d71c9f8bfc8814243e2838eb554e62d0b558864b48f69c84abd1c33cdc380b164d11d5f2db038a3db530d3b46c6c009312812b13d5e799bf27b7fe640669f447acf841426056a36c16db8fcaf2342728a4ce6d77b484fba2766106daa1e1ff900b75450474a2f185f484f3494ffbcbe9f5c4a6072cdad0267445db25d73579cfa805b9cbba2d398bd21eba91c603b2d48db02b79f642a7e8f46c112339bba6db96b98eafba0d116f0cbbe0d6519b0d3d417031ba3c3ee123e504417b770049e8deb3167f2ac073cfffffddf57d2bd442dd', '2026-11-27 10:59:21.02+00'),
	('\xf0ec3c94d20d2d6e67112c30bc85c96bc23d9af9be2958148180d99c21e7bb4c', 0, '\xa89a80782584ba467bc3def2d04e871f1ba00073592da2349731b1d3bd207aba', '\x01ce0e643c76f8f7c8738e7697af16534e5c09c526f8372b75d6d985ab1c1b53c3021e0d920470f1a623c3b837cfa5b191c213a0268165b8cefbc04be74cbbd4f4b9372b29933705596eafe1c5aa0c0f3de26674494cd26e5c4691bef5bb1bc7d359fffeb68f385ef37410d5a02547fb16c1bc213e1672ff70c4eb73b61e798c4a78f601681d27fe38a7cbbbcaac38e190410185aaa529cc09', '\x01c33adb3e17202613fa53918d51ff8b75b2147c0ad1905d80180907b9cd182b8b8827ba85a26d9206e896bb01c4785c117c1e83ea440d3eb01b682f366371336c20bd4ddddb1ec719b6492cee87aecd06c967c81b060a78546c39062668ef7828687f4ae1778abe5cacb7c7fcf6f3c37650d1bb57f62255af20f58c0d1557f558032a44da3b09cad2a8492f1c', '2026-11-27 10:59:21.062+00');
INSERT INTO public.evidence_key VALUES
	('evkey_0VcAbxPzHgy20xnYYNAdZG8o', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '\x124c87817f98329dfe90da0c07b693728b1867281fb5c3c5fbae9a714a74defc', '\x01b0232e39115491b374dc3cfeae3d6034622e754211158bb849e0fedab361a4c65bb8a1ca58366961767135e5b0aa60013d56fc5aafa542c68a1d358e7cf13641ab6bc979590ffb7a492b97f6d8f826de3a76a75ca53e72cb3f495f7c', '2026-11-27 10:59:20.623+00');
INSERT INTO public.installation VALUES
	('secret_fingerprint', 'e6c8bdf65db67864c93f1af2730b8988'),
	('installation_id', 'inst_0VcAbvpGRqd5jqlOBJjmbJ1e');
INSERT INTO public.invite VALUES
	('invite_0VcAbwCweWcZkkMjbiso8qaX', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'open@example.com', 'developer', '\x09b7075a2ccec4a75dfb9d7a7366890310f7865f3ec33d7d0888871d9266cae2', 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:15.97+00', '2026-12-18 10:59:15.97+00', NULL, NULL, NULL, true),
	('invite_0VcAbwCVuOGod6DzMody9siF', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'grace@example.com', 'developer', '\x122194a708d8265d5ac41fef78e7a17ef8571deef48842c82f246d225a8e8938', 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:15.943+00', '2026-12-18 10:59:15.943+00', '2026-11-27 10:59:16.418+00', 'user_0VcAbwKARfoUqSKt3IdonxlW', NULL, false),
	('invite_0VcAbxVZQHVwPvOxLo1AlQ7P', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'hedy@example.com', 'user', '\x2986ac0d550b15cdb136327101cbcc2cc3b61cadc92e622ae1cb869dff8a0e6d', 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.969+00', '2026-12-18 10:59:20.969+00', NULL, NULL, NULL, true);
INSERT INTO public.invite_workspace VALUES
	('invite_0VcAbxVZQHVwPvOxLo1AlQ7P', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'workspace_user');
INSERT INTO public.journal_record VALUES
	('node_0VcAc5frYp0YOhnhMTRpOHhn', 1, '\x3131383630373562207b2276223a312c226b223a22626567696e222c2273223a312c2272223a7b22726571756573744964223a227265715f3056634163356d4430657769555a68774b4e4e3259433358222c227374617274656441744d73223a313739353737373139323830342c226f7267616e697a6174696f6e4964223a2236633663643833382d363830622d346134332d623464312d626236386666653637663262222c22776f726b73706163654964223a22776b73705f305663416277536f4167614c3933726956526c546e535836222c226170694b65794964223a226170696b65795f3056634162775449475a497930586f6136644d6c42367266222c227265717565737465644d6f64656c223a2273696d756c6174652d68616e672d34222c22697353747265616d223a747275652c22636c69656e74223a226e6f6465222c22686f6c644e616e6f557364223a223433373734353030227d7d');
INSERT INTO public.journal_writer VALUES
	('node_0VcAc5frYp0YOhnhMTRpOHhn', 'jrnl_0VcAc5fr5yous4MG6l6aFcAT', 1, 1, 1, true, false, '2026-11-27 10:59:52.807642+00');
INSERT INTO public.lease VALUES
	('node_0VcAc2cvR8uhQFcjzcXfRuJE', '', 'workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 43774500, '2026-11-27 10:59:45.122302+00'),
	('node_0VcAc5frYp0YOhnhMTRpOHhn', '', 'workspace', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 43774500, NULL),
	('node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '', 'workspace', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', 'monthly', '2026-11-01', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 43774500, NULL);
INSERT INTO public.limits_version VALUES
	(true, 6);
INSERT INTO public.mail VALUES
	('mail_0VcAbwDA1vy77CDjl4QDPAgh', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'invite', 'open@example.com', 'You are invited to Analytical Engines', '\x01d0a51a3cc8beb0970a6b873be1401cc5db2181a0305e9837d075b81804f060c9a7dd75058c5586970beaa9ad13bf979451377936b8715229c96346f0829cafa108936223e64d871e6e60b929e076295d8ff4d0445909239fb77cddfc870614b1dc134dfa8e1478744161150cb9cb8bd26e5e854d339f10d0ddcd36a1cb0f1fbb68a8578b2e3fe260513a0444ed5d362805fe2b5911e7d767d8c1585e33d931ccd0d34c0c98bcc9534062081f5dd9718545ed1a48abcd17fbe8aa1c77da575f10649076e60af6a3eee28900cf56f9bd6836a20a48e197fc221fdcf7ae117c8058149f941bd69e88ea734beaa47336bc892645bc8de8f00766af09bccd8da4c37996433db9bb7ebad96ad94e5a61951f4397d91ade5da8ecf714e1ccb300280d3d52922271b95e79f38ff14537189b19526530e72f8b703b8ee1d99ce1c9bf6fd26a71672a6cf449103418765afd04670f8fef84f28d5b0c2a1358b2ade7b054bf9af107c37cdf5ce1504ed95bf31d5b2a394a28268363c09e5439eabb4fb84b65570eaf97a13712f31551f24cee35752fadfa11af848b6ffc8ff439f39528a8626eb48c649ae4f5649ad769914a0e4ea27de64f879ce566797cbcfd5c05b032d274851ac73a2f4650de7a255ba37d5cee03c11100c45bf3f81879c5d5a080454a3a51dac63bccca165216b071ce780be69f8f318f48cf331d4d0a83589c081a3b381298c23e673c1999729cd3d1327efe61e3989869a34eee742d6864980bb51baa5a2b403b5c78a526da817aaf440e5c57dca42e20bc99d563737e8c91838d16a797bf783986db0114b0321c02df0aeb020ce02cc279f3e28e168c006befe62a59fe72f663a05728a76ab54c2285cb5a8764169578f34f6116249c2eedb13390ff4ef6d0d60b2f7d0802d6cc82115815c4226275d4c9a248a9b4fc71e118eb16870a612b3ff5d21f02b63f7ec3ecfc5648f47b8622bec673b011645571fcf4ee484081866f7ba4ec55771e4bb44296e93557c8de7739ce98c7c98f3cdbdc7a4b880d345ba513e05c3d426d3dd2bbe03bf5859ad08e7770d7a71f24f6bfe73ca7950a8a05279bbf55e77fb82b331865b6272cf3dda26cb7dc4727473578605fded69b23e9e47dec89b7df426a7bed848ba111b028854eb88f14c4da35f8a8de7ec3ef7e3aadcc80e924f43f83c8cf961aa7608ea856f1fc72040a5d8238db5d131c12df05b821b167d99378e54c908a042033e8703b338a81add9e2af2f82746ece8ff96769e79185468d2d6a4862349da485eb1ffda49c92cd2bb6ab79197c531d323eb73436f11198b495620333006996085814e26af24589efd5a4513e56d61d48cb50a1ae5e24a3f36d4616abf8b45e1ea1baa43883827464baf9c2c49ceef1801d7d78b4ecd9cb7b0a87814c872f3be3b8cd190b8135d1c206cf338d6cd85687dd7255d8b04434872a030c31f2214be1a8e51fc56a8cff3f97c51d9d372d1c9bad1502cdb476d6cc0f701576cbe50047d7f805f4af58120e128f4a7ef42c7aeebcb961b4346f1c9631610d195275f0b066d8dc339b936384d462841359f07534d0066d5cb9ee90b314ec6b1754064b3cad9cda47d695ff3ede8549648995775b653f48faf17f25c78e697d26ad2be09bdcfa97f53f2d34e779aca97d1b9a84f9021f1abacf7bff5e12b9804bd14f14c090698a1e6de57f725f94f66c5add208166668ce813822099d49a5e588791eea7fd200c49260103d820e07c88d016b6c7c282f6df720cf699ec4c53d12db0fb41890b51f8c74018dc89861de00844c53fd2afd8bed57a2e660cdaaa3b1c6f17bd68ff2b6652fef7027af1860b4ea328e3d83527a4f506316fabd680e250e4c4667608d68ac5dc7929c75bc816d56b97c045a95d8f16a4da406e2edde749e67eaabae390734db2051c4efa51304b10cc6f003d23e5081dca899aef57d308f86ce646fd302f39a97116086821a195e3380f17cb96eede09b455ce839797725e599709c8290d490e78ab2a6906b52ca9b7feae1e1144aa9c4e6ec5c969231c23d082dbf6df85f14c6f1b7d696cac5a3fa49ed047ea7ae24f4611bb834085baa7cc31e04afcfb2617f48f03dbf691829254350f29e26a965008a701274304527625a34accfe55b97e19d328867192dfe3ad02803fec8a27d2d345763cc22bcc2d0b590bfb3a3cc4025b315b92fd0e5238b3f037bfe7a7d46ab42e4fc7711928961781c55b3d2133a548c7825ddae15aa10aea0069d15f0bf30f7f202eaff2f5982f4915b34ec74eb47b85ea7a68e93c07b58dd0f0b5ac4e655873473da03042ad09607d7835612baf7f7741e5918e38cc1e686fbcf386b65fa8dac09ff763dba135b557f8539e22882e01186b6eb4d86474d12cf07f612960e9f2c12a9c1f3317e84559135f1c7a16839dc03770c08309a0ee1b195239e15f3262323f0509b44af313f84855d849945509cebf0724db3972f7aadecbefaa53c5b2c703cb987dfab191d6de1a612f20f60f9c90b0e9496869d64a8bf957e994c3f02ed204ce293025755df54ac6c5af60cdcee04cd601e5bd5a30516487138d4289ae36753c879746467c2438bff066c7f27f78079db28577b93515f3ca791d849bddc383544a644b2bf70bd679c40cfaec7c781c362905650164ffb956de34d3be326e89e7bf476676e63c994316f1e8785fceaadfe85a30c1260b8a6306', 'invite_0VcAbwCweWcZkkMjbiso8qaX', false, 'queued', 0, NULL, NULL, '2026-11-27 10:59:15.937+00', NULL),
	('mail_0VcAbwCfkI7ygE8P7sjhv4oJ', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'invite', 'grace@example.com', 'You are invited to Analytical Engines', NULL, 'invite_0VcAbwCVuOGod6DzMody9siF', false, 'withdrawn', 0, NULL, NULL, '2026-11-27 10:59:15.937+00', NULL),
	('mail_0VcAbwN7VoBR7ehJxvTkcyD8', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'password_reset', 'ada@example.com', 'Set a new password', '\x016e1beaa8052b88490062038cb24547bf7cdf11eb39bb4c7382101cee3250bcb283878171c156921563495359628ec277c09654192d6bd87ab5f9722cfe16c5af73ed34801b6fd0552a714e27a89186409e5158be81415a499248557f5cb5266f44f940affa63a13a7799719309631e1eda4ca96e30493f2c54c0e676a416ab5413d5670d5b6d2ec4c0e97c15f7d3fe3cab9bf43418629c306693c58103016cb9b37d2d23f7dd8e06a2805a31e463c41acc1ef3f5105e1b8fc31defd373fdd5ab0ddd80f35fe6ad34e6ddf9d30d29d3b8fa703d5983bd1e87f862e3bc62925d22771204d2256529b9d448b29a8536b8db946542c9acde6f2693343b2d5e8b6064684b65b3463270201de4dc44c5f27b8dcc7d5988624eb2b239fbc03e287a3cd9cc4fc2c19bc8e1e768aa7b1bb9cea4bf5813651e35b1c6eeb0d61bbac2c22cef3ea61ebb560be7c2334cbc83a72d1957960031b006efa3df523354521fd6fcc73f33d0c462a5b617173e609dd6a40f929ec96f1315115247da030ba247b36eabf346d1399469cef7c3969075a36895e7ade097e694c036e19db78fb1b8e153cca4ee616c771d985217a64bbde84ca7d9bd45521ed4b42fbe9f6f9e4d2b9ea2aa12e90f0729a82e16b5357b2ae1e70af1ac39facd2a4e82e6957c7684d3c6ac366ad7caad658d7f04cabb098e5aa907aff9f3e73246dd1f324433bcf71bc2a09ad107a879125125571858a61fe239f6b42deb16d55a6c3e144c30e50d8c206a9dfc8f52f534940de8595c45d712106738ace33ab80472842beafb794d37df29d6d889c34198fdb995d6554fbaec00a3c02c0fb054f02673cbf6339c95aa02e32af83459c5b67954f939976b8299890ec35c364f0ae5c694daba2c2fc83b50aed519ae122d454294443ad5a6a0fce58f8addb85cde4674d6048b3a815113d9876635a2ea9f6f317da88977c07a7a88c42a4138436e5a6a8846ff3dd2dcbacdc26ce6b59c6681aeb7c40f61878fd3893731c0c43a112a0cb41191599c070ca0df1fa3a3566d9e95c8a1a97f184f1b6aa522fc7a366caa7edf1855300bef3a5dc443cee5db24558bc10ea463f36682bb58e557a3ff439f1295a911817f8abc372beb43a5b77e6e64eff93312e40ab1c264308da9452f3c9aab3f84dbfd2593eccc0b884f2580d33a7fb62c0c14f7306084a53cf9821771b4575264b49f1de85c54a2c40d7648859debf5faafbd0ab4364202c7eff793396ae35ff4d6105f2f36b61f1e1d143f42d21392609cd7e64bacbda624d9aa011e9c80711a375466a59629c3f614478dbcf5be9687328ec1a0d8366e6732829ee7220009d75f3f61a78ca8296f294c7168558a10d4692b2a484e0979d327cecc93a2e8d1d8d4e67d0fc75b4f820d6ce7b30e4ffee5f700c6367c45e255baf7ffa6647b2d4a59d868f9279bb8f4c590ed33e758fb2d4ec636380eaeab957754ea9c5dc9af6d32e54ac20e72d8b198497b7b13cacdf2c6f100601462188755cd8fa6c45f665d7d269206d500b7e5415956d737f49041e3d23d2e2722d223fc689cdd07aa4d492ff509d2f5c23ca8a3f3975f9b032a51161bf5e15da9ffddad663f6e7f7622151a26931520a8fe551de92b6c247fe5a4e7c0bf3734dde4938ab10d82e9dcbf15ffe5da950d00761a162f4298c98c742e1be92e924f310beb28fddef6003ce52c7d85572436eebb79e8dc96bd4b2dcf0c66008d7d20f5046f72fb43e46d95d8c80e3e3d6218d4a67869750b967e982b2205e353ed7de6a5afed95b63f76cb5f33bbd13592c29ee88ec8a108c0cfee64d4120ed8a0701f6e92a3f51959116920604a01e83a2e9623332e869721e62f7c0d6594fda5aa4afeea7fff9eaa1ded9ffdbb8cc133c8e9d62d0e0d142cb6fbf7b298c58faf9a2f4e36f6d702c1e58fc92bbb5e300ac1130a993fe3d7701fa64665eeabd8a8fa5f8d19341065191bb51230a7879b84198065058cd173aae8c9c63f9decfbc43af79203e7ca93e6bc71fab22e478e9d7e74dcbdf72f9520b616938ecc75a482cd15a59d6198f30bacc0648dc2e96238105a775add78345def9b178c865943f1672b81daa0917bd97fe223de7e89bf03bfd93d36ff249d5badb943d7d889e94607a40d27dee4d6b246d903638337bc3bda17abbc90b4dba27492816a17192b3c750bc6c5756a79051134435fd4752d8b9f12e83e01a7f4b2a6a20765a3a6d8480c57c0ef2dec5fcb47119403157823431f609c00a32c3ce3ad', 'user_0VcAbw77vFDi331OPvrydODk', true, 'queued', 0, NULL, NULL, '2026-11-27 10:59:16.588+00', NULL),
	('mail_0VcAbxGkCCxz97wygipRG1r8', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'notice', 'ada@example.com', 'The workspace Strict has spent $0.01, 52% of its monthly limit of $0.02.', '\x01329da6fcfae7f1ab502e99d57262a700d278b389379a0f27679164401ee875ed5bc9165fce7bc937e4d574d13ae3ccd5ef4ab8dde2233a6d2ed14d8a5cfa26ca52122aad0ea1cb8ca9f70d41d515352fd3b33611bb90da09ecb726331bf16f8591844aff3c1af9d663a82857f04f1e12f457d517fb5cbacef0f05f9bc5a72cfc21ba020789f147bff74e480ae14e85d59bda20e9227c832af524907393251471462f66e84b7621bcf82b0913d816e658bfb5cd3741678f07d4f36ea731085ab8ac03512a61c16dcf5133a85cb452ab73cb7acdf365adf33460fa537be17a9c5b263b8872988a89828187b934a21a6ef2ee22c2d836b70bba05c3829cc623fda6d2f385082c7af6b563b1c863781196463de2e7778a5df26a481ef506cbfa3af8a8c57932ab8490683f483b4afde53cddc7dd0c8b112fc48b1cb7bd5e8cddaa5d78bf8348c0d8c0f7abb193039425feacbd99a38e5da2dca92fc729f578e39861eeb097f4f4a54978c53470d1cd8545d10d5c71fc46ebeccd5166948986061230b5c1f5089b37d4f1fa240d2ea836d7eb79e735bf67264cd6b2974b49d449ee128cd50fd4af865f53071fcc78b58a79c93d2a449b6f737a1a1e7fa58d9d1938c3c222e769420fc1a79146a2b8a856309d410d7e613678e19629f9338093e26b18673970b4e67397cd0710afd25c1baea41dabea5aa2a2d9eecb58fb8c6484a3a7da33b57ed8d8bfbdcb5a98c809bb601bf818f114d1739d8182c607034730a4260682539a373e718730086141b1f1d7c3f068560fcd72f5056f38cd62b1cba882b2be6fd5b73ddfd5f6a1e23490ecfcd5e9c74b835e59e054b20449a42f6e34bdc7c158ccfd0f80aa8bffcc7845e7cea380351c52aed5c4614b118c66eccc2c236cafda751ea433c1581d2f44c84288e8d0b63edaa911e0d18b78252c8971a16c1257d1a140b5b80b8a7a575e10036646a808edcfc52afe4d34f2de6e1cf185030922c5e7b2946865cbd8be4b8b432def6c5a011ca509426e57a0b1b51bbb2d7283f17e0b9b0cb47662e46640fb9fbaa61f0702c5ed5128da97a9980daa83ab67522fe821d76b7e7cf8c5cc2eafa6ea5084aa3808d39e8237f37190fd14100e7d754f4cc835661494fda3669aac25583fa71125e46e148d99a35e14ef12e48f01fdf9de66b72ffb6c7e7f14cdf5d5360d7666e8634fb8712c61b8125977a6f35493b937dbfda8d9098b6a7cdbbfd8137cd356291a2b955d82c1dc361c6c4110fd2b4791c984c9c6739489243cfd24a41055f124e4907fa9a68013a1dc17373ee1e5744841f6354d75cb9e06c375ff7269c93e0c35ba0374c67b64b42b21ef5914dbf95e79376f87246f698958be56e16eef3bcea8916756e537995ae40cd4531f90f46d9712d2edc61e81f93c83289284f80c2c679828a98ee927aca683875c6d73a05f40e447f69df3dd15a1bdfd793ab8ccd48363dbd111d625ed18f7b0ac6bbff3856764c711442be7e05bc03ff161357cdc7b1dac167ea8c55d0953d2449ac08fce133b78fd7922f255fa9bf8f5f704f3d7c3e28863d0515fa03878af11a970595184609039857427f76b34a1e2acafc10c023dfea4d8146b8467454967a9e4935b97134ab731fe0933e3da74fbff68cc8817eede77a8c18eae4cb3a8520bfefb742b24b98d2921548137b350fb76672ec6a18b343d78cfd6381f07af850774f07ae29e06a51a7707a51c5ec5a1b92c984528b1da85a246a38e79a963bc8849eedee5541e9f674639ac1d4f7d431d09bcb2bed578f622968c19ae0789b54d88ee8b0cc10f6e1cf9dc1d00ed46f092fe5b984bee645297cf61e5c34de16be65378c148bb74ee0ec3099222cf367699bb9adee3649b57fcfcdbe8fef89b875d0b8b25a415fd769aef36dff5ec17fac2ca610374bdb3444521be87ec21eda64dcbf3c1cd81dbd14dd4f969a618074c28270e264a2dd2f20d31a0e48b6292d938b6295df7e07ac44a2c77478c713aae011ec0467f1a2a0b5c5f76971ed97966937c7f8b78c13c7a7a5794d1266b34993aafde5de0ca13f9675a0d23de3cad0ca60f7d94268d324fa82125f816512dd90ebff29235f294caa1716297912646c38cadca89965849f1bcdba89ff397b719f0f6d54b143a34fa0da5125882a9736e3ba18b93558417a41c9aefca8be883aa57f609be302bf3d744e45e1c4c87e3d510fc25953604d21a6cb1007437c86b2b93ef0a3a1248a09e39ab3e86fa9229d898e0188c84ee8d48e8553fd496d16a7a40b2dab5272e542152fba846e8daeab998a932120e710c47c77686ef5c69cd7ec8978014868ac65bec2232633f4ad24df575fdb11805066b3bd8d164809882d2a0329701cf4a8b0bd94cfb050a9eca38d7538d15f23182d618c995171cad240ef3df23f0e54142e9b6ce4f153e9abb9650a509695385167b97cc2640790c5e24efa6a0ae1dde050575860d75ba72fc72ad083f2fbb7ccedb1563053712743a1bddcd4534c094d907994a9ed1bc7455eef699607788495a2787caa1ca24f6cd62387d00d284f05f5d399b25c177084117d2f4c1c462897e256220d3f7dd903dce1014bef96d2515df35d6bf719e86f41cfb209b78af5ec7018cc7b28f1bd54be5bbb87a38091eee5dc8e2f53136885e62bf7d48ce873be7203ab830bdc3d626c5606f7a9ab909ed6be584e70c7e10a86a62af45b2be2402946ef95a787bd6ec4e3c5db378b09a12c2b7652e01d4705e5fa3bc38f64f9552d4a9e010ad429351ffcb8c98f763a02312ee4aa8f42d401b7d97b273e577247f0d5196007f8b17df5cd53ab88bb310be0a27a384175d1af98d1a7428c0c3cca46d88cd0ed6030b993b8a9382ab8a4782044ce26c69980ec460a398eead298bf0e95811c02473313538a263dd8b863a57f76d600ee8673ce07b7a74ac27501c62d358c45af9c2521bd2c5b01564f096d35004068bf5bfe25c3fa863118f20ff15b93fe29af4965a70203df730973ddbf49ac38735c46c50855922b3ad72416f1734d28acdf88b15a68cb48e45d219e28b797b0b13f53b717d953f9b1950ca6e0d9de3a547669a044fab66287d262a08d54c9037d2bf373ece152d65bf0406d7e8cf2816f154676e93dc27f2ce96aa', 'msg_0VcAbxG1W5GPhfuFsSiiV3FM', false, 'queued', 0, NULL, NULL, '2026-11-27 10:59:20.045+00', NULL),
	('mail_0VcAbxJ4qjT5j46jHjuXF6Di', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'notice', 'ada@example.com', 'The admin key test asks for a higher spend limit', NULL, 'slir_0VcAbxIPPq4T2U7X6oNhs44A', false, 'withdrawn', 0, NULL, NULL, '2026-11-27 10:59:20.121+00', NULL),
	('mail_0VcAbxLX3zLYxvlRbHMKVtey', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'notice', 'ada@example.com', 'The admin key test asks for a higher spend limit', NULL, 'slir_0VcAbxLJ9WhmrqHrlkRmt8jB', false, 'withdrawn', 0, NULL, NULL, '2026-11-27 10:59:20.33+00', NULL),
	('mail_0VcAbxQTsmuIPiVI9aIB7XOJ', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'notice', 'ada@example.com', 'You are asked to review access: Open', '\x01bf6453b888ce9e4b0371ac2aa4b103facea798b95e9a9a17df8d9a032b0266803b75958d488b8330305bc3d4aaaefd6c9403480113f5eb1089b4097c943748eb72613912d90a276f6ec524a51d424b58a1e7d838f4840da483c9acf9bc38c73efe49a1da2fbe4ed8f703de420e8687f819fc17332876f1b2f267d14bc6976b2e450b32cd3c59ccf2bf5310dd3f9d936ae08e25c02ef9e8bbef3a70071b5fb1007aef24f89e92692209825cdeb3557c58356f2e99183e591b1fc2c348e7737e748884766c207d10296eab18fd70533512d2adf2eb6b5417783ff30856e99c25a2e0be1201b3a2e96931531a4c5952cb154e43ad56bba6b63cb6b126f98001ab96452b3ae0e87e5619a1e52d7d27270eca7212e1bcaaaa4812cc8eefba1deb10dcb66d1a29de096efdc4bb9fd0f9ce56a5365f1d527e987d803a6db3a9f6f4cac8218b8c37ca89fb67fd7e1cb87149e5e35342dcf675b6952df311ccf3770a5d18683b29bab43a3699ac13e3d7a51d0e8a146951d9ea7b37dd165bd7f766fa868a7f26b3a4c61abc6bf44b803b5bf9e98b8cdc7042f49ec62987c881fed2140350c5034d9421b99c71a1c8db3857d349c3b3845d4036af2b836f155e5a91078dfe12b1f1c13e6971133426edc9adf8d422adee9b58b67dfc0c32eb3bcdd70009cf8efab0c1261aa51984465569d849eb92650644b1cc8d042bb14bc7a264cc406067ddd7ac379329fa3cca406a3296af714364d1a2a8635521b0220c90b714ef48938d8e2482edc08219db6951eda96d7ad31c2965d5a483f3251d7a5cf14b867da644d188b49ae1c39a7b0b111adeb4f1a9d2580cc2f7a79344dfe257c14be4327e8d6e2cc80dc36190d0968fd8b595a370592bc3a7d743984edf576c88d4be50f38e361c67b381745436d78a0a88e24311e277b8ef64c334e44d97d655651b1d52afa0d19bdd044c57f8ff260b299ac82a17b87b9dcdf662fb1da92c09b7237b1cbaf29fb57f4be3a8b98e55ef6b5d58ca091d18aed508bf5983f84a391d13b195c35b0bacb34ac0731460b8c1b96ac190ea622b6771f6f35b8d367bbae7f837c66ab3a0f40c890fe2646e4a9b6ccf5873f636344a89efe03871339cb5b17b227d84734d5bc789ea11c30288e30a0f75363f216a084e57f8a09d1f925e2364ec4c6d862817574baed7f16bcb0872e3555c4114d68c5ebc6b518cc86bc67f038143b3cb69267afa551f93d46c6e4117a0670e3a1e6dfae9ce4df9df2ebd5d236a16a527681e9c05e724065f03e6f2233cafef7d958b93cec6a4d5b3ea1c0bbc03af7236d7f8f4518ddf721b966227b0470686212757bb4c9780f604f06f2ebb2ecdf7e8a9b5e0977f33aa775160a08ea90bfc3659701e94f47cbeedeb77ab4a0cf0b0944067e47a64e045746d80e68821c27c00eeabf7855de56421f9319b846c8ad5b0058e8a427d1ccb1acf16a2a322b4420460cd6b67b749348451287380e5d0560a4e96c8779649f65644c97911927e77e492a51d87af8bb62a545c87e67ef03c95ace974501fe2e6254ba22374ee2dd9e7eab0f814ae3238a604d1d949325e9125602312725da664a354475e378517abfd1af65a8435c0f50f2cfb6dfc5310d49991cdcbd5d4489e3dfda007aaa1f1c108fff151b863eed76c649a80bf130069dc16fff3613b3fe7148d1363320519fa53c642d998bb36f479411a932e6afb98149817f8639465b0e2330db653a7083f8da4548359d1f26499b0f62776d4628751e6a7a48e0b78839ddb8e9184b8d23f71d170e4101af1098c664fc9bc74522f391fea75520544ddab539b4935ab27fe0f9256f5f613ca66050d2c21919a5ec252ec3ecb1314a47fddc454e4a7ee73b87f307cdc523f7185057d7e97b220ae547e8154e8ed7d845649b5c153b8bd0bb7656fec9c3d3b8165ba62e807a0ea339c2efcd010e1429cc41962dd5d7ebbeaa73c27468c7bb3055ccdd213d916238d039d9259bcbc8e1b57c8a67d76e95e06992d8a94b5109d3bd8c5f11391ea6bf8bc2ece87395a9e9f3df2eb220d785061496efba3de25654e99e92eff59a7abf48ff7622f41b903a02500587a1de8dbd8784877147b5b4804a455b0d1d35da67c972d4910aeb1f04e3ec688600a6d13634bee133a', 'review_0VcAbxPLrNba35LW228PYTMe', false, 'queued', 0, NULL, NULL, '2026-11-27 10:59:20.585+00', NULL),
	('mail_0VcAbxS4F3IspZb28ulCpPC0', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'notice', 'ada@example.com', 'You are asked to review access: Closed', '\x01c27e0c68afcea8d1cf3291a1b6bfd4c4981829308d8ba49496ae5dc931ca517a40981658e1bebe22da982fb6652fbb842e7bfd600936722653b50f9200719f636c39846044501ea014e25429e79615d0b21e421254ecb646a24641157f27ab7e07759c5c91b580bd4b3ba7c5bb170740ae2fe3776b9b6b13e4dbe14fe33a34e4a886c5f46191d00e89dda9ab48f77a137e3e36f34865219b3387dcc472c16ff2396fe06c90a26d1a1e491561e2fb15328f1951f1e802fb80dcc1f8968305cc8695e8afbaacb6fc9b8dc92243c91a72f7c4f4e5b4cdbe37eeb80a6e9d73072843b2e20217ace56217d5a2606e78e850ab67c0815d885564a8502e7fbe9bcbd008de51b8fd377d34fedcbfb62ea979ae33994d1201348a3c01bc3029f6a8bb555cc8129a04507308bbfa60d7f0592a4655f7c9af733a2350d9c7cd38343b1a728be07db436a02a2c78b46e5e01ee4b00090570193e38ea7784a68f1d1a7b07bdb8dc034e8302686fc94b85539291928803aedbc51c486dd759eeb7aa58df3f614fb6563284bac30124f7b16c3e1a0dbd7690109348211722aa3f1b7ae1ae75ad67af28a798360398579d25c93a65c438b80718139ec2c9df97afdc39a5caff253c6dc1999ff4667515d087db072a86dc160b585923013b4e810b8532a12cf8167d0d4ef72ee01181bac04d1ad813d8077bbaf89e87d2cb6a24bb550c3fcfc700290042092c1ae3e866db2d59ff447feb40e0fb078c20450b5c88fd116cf37c433f1be9ed69051de34641d7705bc50befbc97777713adacbdba554603ffce8f57f7ac2f2ff84d2858ec8c637ba9d6a1049835947c884fe5e5fcb8ca1865fb837e97f874d1e848f564583d117fd64de04b71d298afb1daf8701217681713a5b088fbfb54caa1e792011f208d75f3e00d8402bd2ec37701292ab13a33a7efcd7974153f59244cddc355bdbc0231ed49179b01a25668f7265f3d43208db1428b3a85b3c5c90551e52e5efbd84f071f93280ecf0e6a5255995e027a36a1297dd76d82ff6f78c97a5eb98eef00c103b24b4305aae271299266c6c1312547da54653ea661fb368b47396d697227d522d7f100c73ff1c52a33e0ee00b2714bc9d116451f811cb7e153ded332d1cb8082d8a93f8cb3cc350d857725786f887fddc5ab9ae56b26b61121c15c596f2e4ecd1231174df4cf7bbc7ea74b366a0bdddca38ed9a520fdd01a8a93d54bf6cd662aa770fd881040d6cb22f9ca0e7436a7c4783ac1beafea4ea9d612d454601be72b474596cbb42e8fd22376eade60c8d3522ce846ef22e2b6179936c83481ad939a00db92731ffb3479d9c47fcca765f66698a3d57e635cf0231ece599981961d8e911da0d306270ff1456dccd8f2506a6c7e3648324fb3bb2a9ff49ac3c326e1a51cc8a7db73fc100298a62d1bb24f8734e87bf7623942bb75102091b2957da61102379365d6452af5ebbff51eaba902cb9d454d780c3edac9607ce1eea197d1d5998b3b1678abc8091e9f59b2a4d3ffe7665047c809667ced67de9ae0fb170465bba346ccba9605112d09b757209bed9ca865921e52bc95d3c9cd6dc5edd513ec064285813eeafd7523d8066db2e88d4718f59f839b151fe4484ebfeea5fa8a7905245b0c31bf2ddbe3e4c40f31b56918ea54c5a18c49d8aa6a07b7de2660053a03e425f2886731de17d087dd1317e947cb500a350abf2f154b42f641251570fd930cf6269888bdec61bb75d35006b738dc1f27a94f8c8334222152ccd21eae155e0e4554938f7f2656d0326a73307a10de5d05c671ac8493134127e9aba8defaed4d0d0e9e6f3ac05c6c1e1fbc2c621b7931327b1835fd0b32d272c5eed89aa23ef07a8dfe147e7aa16666db935f5afaa65484802d9d02a6641e9cdeab06ed0a92d825a89af6efa6a61ab6b37730a63046507127471e026029af537943614f883dd68f75073e60f3bf3aea2f7997ba07bfcb4731f9f32d6c60600cd4ef15f64cd3fcccabe42fe4d2b72e5179d1fc47d1d87f1cee7e0dad59140c0e29e396b8ab882f2ed64ac5d91cff0478cc5505d55829d8a2c0795cec4da112c0085ace1b7d616b91b78839bf9d84208215715a86b291295bf47661193efb3175be744dcf7a0cc225c1ffdc8a69169149146cc4', 'review_0VcAbxRZEdB519sAGDJGPqTP', false, 'queued', 0, NULL, NULL, '2026-11-27 10:59:20.722+00', NULL),
	('mail_0VcAbxViYWQDMoMcB88WiE62', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'invite', 'hedy@example.com', 'You are invited to Analytical Engines', '\x01290f362164b0406460f722065d90838c3b1d8e665352c1f3aedc3f56f2ff822863cd158945c78f1ebbf7f75973966cb6cfb2d094cae7ab1dca4ec50e0b8d310f45ab77144c0f54b71889c1e1e9567577bf8e6a5ebbe2bd87a935ae66e21bc1ae441938bd7ab8f30f14044d3a0ed0d55ee269da5154cb3c48b3364ea0215bbd2502773fba18eed0932b950b868ee3db7b53bb0cb95f1f20bcca9b6a22039f19116a8ecd50d525677d474eb5b2be8f99d18a10e21074db2e125b2ca47c09475701dddb241d7f092fc9662c8b21239afe82fd14884c907565d440831f9710aa5a1bec4ff10b724bc49c087f2f8f3ad614a1a82263400b8e7ad2d5d9862467ce008c388a6f4cc3638d90136a15f5d446822d8c34176eeaef970331e63e794bdc4adc06fdedecc74de8284ac561511b468033815ecd8bf9c6d1a718b3f6a3ced7329e122ccfd59769cf06d332d644f8fda67905e5b5ea86eb71bb9266996df510e81864fabb431421d3280dbe66c5542367092e7a1887efc47d0a2ce4bbde81dcbb86119a8e5e9411bc84e4d127807b422c269320842e4f81cc0cf1aeabf1130ecc8ed33ce0f265438bb68619a125f3cedf8c7ba8823811b7bcfbb9465d9aaa397be16ec2002f168d8999af2172e1dbb129ba68976286a4d0cdc817dbcfc4be31bc5ca0b30e618fee7c392ecf20ad902d907ebf9fdebe3f0ec4b40ea670132fb36ae0d22e6ac329fc14a3f8dac14cb8815e2ff71004dabdb0ca4daed98f5bf7ec97260d29bc57a507d8c8b305e04f0c00a1d96e29c27c3821c2c8a56401cad64bf4a0032b1d91f03209c723bc76d9cc24bb19cf64c6d0dcd9811b32eebcc50feefcc71df33cf019cea24ac83f5a7e9ed8cd87f9ae77919e8cff158003a0d43acb541e7e8c473a2ad3b881cf3bc61908cbdb32d49964195da06023ea234a94db978fee9c0d020552918c7ee5eeb32c5ef543b156c8433c08efef1ca76e842ea6360fcc73bf21d6a603557c558c5967bdb8d28bff025d156172bd78fdfcca6aed8a36fbdec1fc5b2b971613309ac9c16640c591b1d33630fac036b7d68c23e79aa0bb12ab70366cd5fbe20857a4f3514062904c9cbe0f9803153d5b1208b2b637cf4805c21af72686666892795cefaa4a00635ca23c539d738469794a0b5bfbdbf1cf1a6a43ee01f1865e3db4f8a2b6db6d3f6fb0c18ed25fef8c1244308994170c2198b66700fbd5b34223401642e35c6d398ff108ae33c9b7dbcb36673bfcdd87582287e30464af0500f898e569adc1dae8d6b3b30f60fa5b5f498710a3a53ffafde4af4de886232adeda7db814dc9ec1d8db44a2f7e4e5e3b8f67264773fc9c40d68c85f5d8835fe6d6c5e7ddbd2c2d8f52e3d02dd38add84ee4e812fc4c426d28366d1601379560605bc9f0b12d428c8208ccdc4dc464c516481b3057bc70e84b0c2a60859a343332f3e3aec59c1f5e4f3e57cbab7a6aad01660f28fd4647e104bb87a03adc754931ad720e82ac8e3e0b6f5c1cf4b65f6738b15d041abeb915afe0096ca3bea6c10f97141363c61ec1fb4a52603536a51850e36342953bf89300c8c2d1d3076a51393c20daa7031293c0c3681ff62100e6446f6a86366dbaccdea2a12f83ebfc3c81622172a7a018dd5f7207fc3c2d0b304d3bab01820ec56b140bf726bdc580a6072a073c30204889017f8de4b1fe1369c668f1d91c9aa3e7f24c8c1650336a8425efb47d54f03424317965fc66c17351bff107f2a5a33127478b36be1e7da93f364ac1ba28e39bdfb00e5513e6f03dab67dae207ad07ae80ea57688e2b858171d370b2e5bcc7ae806062fd3a32832fc40d242eda20635dc2fb2209f9460642ceb3aef5e2a0a0febf2c11a45a49f5a213242d8a104c6781c9855d2a358d3ab5d9af5a0baa9b82beab3113558323a480524854d44b10c7b6226879d9941d010d9c77342d34fc63ad995f68adae0de093075e01765ed287a52bb9dbdb82a577f78319361980f14ed16e34cbcf986232d97cb80424a4a50b5d057e5f31ae50af02edc0f9956872ef7c0543580fdac21143e9a2bddffdf69d270ce27f21a5fd6ebe56399f059ae8b3a9a9426d983876f76de59c311ac428bbbb1d9992e3f1663e529a4dd38812a90918a18d48eaf5680a95d5be6ad20157bcfb5459d7c4e5034986b3f3bb2bd3d4a80ef164f6a2476e52d01a5700f87ed7d77bf2ccdd04e9b1f0343e0345a428d8b848c7f675ce493a19ed984dc18e13612cd2828464590cb23ba78522a8e8c879a20cf533a044f4688e7778b20351a4ae55e0d8988826b0320cf46030f4009406eea2f2ea6821c649aaa75766b626feb072e91690817330c5d0825454fb89895b2cecad37b30810c463a1506ab1c1bf6a2525ea9a374967a5802bc5d272630ac39e1acdcd0203bd4a03116959a3966590c71ee7858ee4859b412b2d17069d755df767424393d806cf7570fffb23fa926eb9e9c92d4968889f9e4fe6d46e86d84296c549648f13c2b4a343003c3dae8ab2d3d272557d1dd51cb299f2009fdfaa59814d45cac5dae5f8ee9f77a541299999b8a708c62db36a83c8b4f8156aacb38be463b90cac67cd1da38bc5d089bd035a9807c7c627cbcde419344d95c7d44869a22bc4ea39cdb9f441bc6129706a5b481ee9cf18bd85e565d1813b8f874c2b2a1223f7f9e49657e623e5d6b7fd9750c34c3cb822b5ad6852ecdbf7901af8987208e8019f6eb685dcd2648e74df91a6d8616204ebde08c5c0823610a536e1520dde625bd917c738857eb329100abd0000eafe0526265af43a3ab176fab0fd70ab89273c746a8b91701f2a605fd0dcb82c68c427e71baa96eed27fc0f8f25120aeedaace954c8e525420', 'invite_0VcAbxVZQHVwPvOxLo1AlQ7P', false, 'queued', 0, NULL, NULL, '2026-11-27 10:59:20.942+00', NULL);
INSERT INTO public.member VALUES
	('user_0VcAbw77vFDi331OPvrydODk', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'ada@example.com', 'Ada Lovelace', 'owner', 'active', '2026-11-27 10:59:15.626+00', NULL, NULL),
	('user_0VcAbwKARfoUqSKt3IdonxlW', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'grace@example.com', 'Grace Hopper', 'developer', 'active', '2026-11-27 10:59:16.418+00', '2026-11-27 10:59:16.418+00', NULL);
INSERT INTO public.node VALUES
	('node_0VcAbyykDSSUceX4yTHZDK9c', 'jrnl_0VcAbyyn3GGmZbt0BDHMv43t', 3, 2, '0.1.0', '2026-11-27 10:59:31.572323+00', '2026-11-27 10:59:32.075143+00', 2, NULL, 6),
	('node_0VcAc2cvR8uhQFcjzcXfRuJE', 'jrnl_0VcAc2cxz0mjyrzLIEhCy3oJ', 2, 0, '0.1.0', '2026-11-27 10:59:40.668145+00', '2026-11-27 10:59:41.183255+00', 2, NULL, 6),
	('node_0VcAc5frYp0YOhnhMTRpOHhn', 'jrnl_0VcAc5fr5yous4MG6l6aFcAT', 1, 0, '0.1.0', '2026-11-27 10:59:52.394716+00', '2026-11-27 10:59:52.774595+00', 2, '2026-11-27 10:59:55.79022+00', 6),
	('node_0VcAbvpCW6AzbJ0jfaVNE8Fm', 'jrnl_0VcAbvpDz0hH79iWbahgQWgi', 1, 140, '0.1.0', '2026-11-27 10:59:14.531336+00', '2026-11-27 10:59:52.844118+00', 71, '2026-11-27 10:59:55.890932+00', 6);
INSERT INTO public.organization VALUES
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Analytical Engines', '2026-11-27 10:59:14.132+00', true);
INSERT INTO public.price_override VALUES
	('price_0VcAbwkib88DJg16kezxl1Mz', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'in-house-1', '2026-11-27 10:59:18.064+00', 1000000000, 1250000000, 2000000000, 100000000, 2000000000, '2026-11-27 10:59:18.064+00');
INSERT INTO public.rate_bucket VALUES
	('rlim_4JZm8rX02ENqAXFUwnNWIc58', 'requests', 456.18083333333334, '2026-11-27 10:59:18.857948+00');
INSERT INTO public.rate_limit VALUES
	('rlim_4JZm8rX02ENqAXFUwnNWIc58', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'workspace', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'all', 10000, NULL, NULL, 1, '2026-11-27 10:59:17.676363+00', '2026-11-27 10:59:17.676363+00');
INSERT INTO public.rate_limits_version VALUES
	(true, 1);
INSERT INTO public.refused_request VALUES
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '2026-11-27 10:59:00+00', 1),
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwXBpmHWBHqo8Di8ZDWF', '2026-11-27 10:59:00+00', 1),
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '2026-11-27 10:59:00+00', 1);
INSERT INTO public.refused_request_hour VALUES
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '2026-11-27 10:00:00+00', 1),
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwXBpmHWBHqo8Di8ZDWF', '2026-11-27 10:00:00+00', 1),
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '2026-11-27 10:00:00+00', 1);
INSERT INTO public.rotation_policy VALUES
	('wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 3650, 14, 14, '2026-11-27 10:59:18.111+00');
INSERT INTO public.schema_migration VALUES
	(1, 'spine', '65d7ca6ff7dc78e745c3c0171d1ddda0b09c8deda20dbeed418be881b40415e1', '2026-11-27 10:59:12.202334+00'),
	(2, 'leases', '9c8319556c0598cc409848869ddf192486f16c3602a9d90371e636005c6b9ea9', '2026-11-27 10:59:12.24258+00'),
	(3, 'members', '483ee255ba4e6d5a2f74f41d35f225a6d8196168a6b181df3baa8d131f45a7d4', '2026-11-27 10:59:12.295236+00'),
	(4, 'sign_in', '6ef1b287224c7895ab9570c6503b0faa3b60d0ef5e0c604cd5a6c29d0e65c166', '2026-11-27 10:59:12.462024+00'),
	(5, 'invites_and_mail', '04d732cbff978cf3e222c933a88b96c8eb9a02b3c99d8d093da159be290f857d', '2026-11-27 10:59:12.534636+00'),
	(6, 'key_life', '23c4e9940b644a9a46315bd7a94c4e0689a6c0e75c24ed67af0f5b5bd5454fc5', '2026-11-27 10:59:12.598912+00'),
	(7, 'audit_log', 'c2f18b38cd21579cbd02a50898e2cc4ee8b789916344f90b8c98cf64ebbd1e12', '2026-11-27 10:59:12.702593+00'),
	(8, 'idempotency', '1977ec34accc9edd621e2cb4e1334709d065a2e4f45b9768eddc8997df96b409', '2026-11-27 10:59:12.716462+00'),
	(9, 'nodes', 'db3e044e403e3a6a7dc1fffc56598d762f577440e5509d657531125d84f3c43a', '2026-11-27 10:59:12.734192+00'),
	(10, 'ledger', 'c354bf244cf9f5582205cf48d22c01d9f8a139233c0ef42a877662c380e1704e', '2026-11-27 10:59:12.735832+00'),
	(11, 'reports', 'c6e54f1cae1e8b9892c5fe70dfbcd9bd69d42375c96d5f0bbc8a8ad85295de30', '2026-11-27 10:59:12.861237+00'),
	(12, 'alerts', '020c85edcf0e2cc42f51e0d5e8676136c49aafad2fc69e8495892cfd3d740236', '2026-11-27 10:59:13.075257+00'),
	(13, 'reviews', 'eeb42d4ec9ac9b37d39e983ddc8007ff4e11e56679b49e089702024c44845338', '2026-11-27 10:59:13.245898+00'),
	(14, 'limits', '5f2bfde7507d123f8b37270d6eaf32788998be37562389dd16e9431d94ec0416', '2026-11-27 10:59:13.286632+00'),
	(15, 'admin_key_use', '50875ec402d25f911ea9a62749d3027699e33706809d9e9ad1c764a7d08a651a', '2026-11-27 10:59:13.295395+00'),
	(16, 'playground', '8e574c5b3db1bed44906eb019eec48e34ca3a421420ebcc7938ec5c6ff3e3600', '2026-11-27 10:59:13.326592+00'),
	(17, 'request_alerts', 'e7a62e29be4c9d850ac227b23c1ad57182235f57c3a6d66a0fce63403f97ce51', '2026-11-27 10:59:13.42218+00'),
	(18, 'alert_incidents', 'db6b68454860fc42ab6f8b69c4b9d3491e7a51064c808f00d4516e11f7efe451', '2026-11-27 10:59:13.478143+00'),
	(19, 'rate_limits', '7bf96bea1ee29c9b0ceee59305574ba808a4706b4ad37476041ce3e60014a391', '2026-11-27 10:59:13.525723+00'),
	(20, 'backup', '5b81ed56a896d3201bb3dff3d04d11cb053305d94a1c3a35b545da21aa8fb694', '2026-11-27 10:59:13.566457+00'),
	(21, 'refused_hours', '925bce94edf4ad11ba75270501ab2e27cc4cf0d0bd08725faa532226e0d9785e', '2026-11-27 10:59:13.587246+00'),
	(22, 'finer_reports', '3e0776a8eb11772b4e4664418ff737bc5cb2d05374fc1c46b336e12b79cb7d48', '2026-11-27 10:59:13.666472+00');
INSERT INTO public.security_settings VALUES
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', NULL);
INSERT INTO public.spend_adjustment VALUES
	('adj_0VcAc3oQnb3DHj8bCbz62hx7', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', 'req_0VcAbz8WR7AUlq9vXTj5mlrm', '2026-11-27 10:59:27.321+00', 10000000, 'The upstream billed it', '2026-11-27 10:59:45.181727+00');
INSERT INTO public.spend_limit VALUES
	('spl_0VcAbwZvV9Hy5ZIlTDz1u7ZR', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'organization', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'monthly', 100000000000, 'soft', '2026-11-27 10:59:17.3904+00', '2026-11-27 10:59:17.3904+00', 1, NULL, 1, '2026-11-27 10:59:17.3904+00'),
	('spl_0VcAbwbDnpI3x4ggEIus8kl8', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'monthly', 20000000, 'strict', '2026-11-27 10:59:17.46608+00', '2026-11-27 10:59:17.46608+00', 2, NULL, 2, '2026-11-27 10:59:17.46608+00'),
	('spl_0VcAbwcvkjI9KXk5oSWLWMkj', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'workspace', 'wksp_0VcAbwSoAgaL93riVRlTnSX6', 'monthly', 5000000000, 'strict', '2026-11-27 10:59:17.578129+00', '2026-11-27 10:59:17.578129+00', 4, NULL, 4, '2026-11-27 10:59:17.578129+00'),
	('spl_0VcAbwdiet0RiBm4zevbOPsk', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'api_key', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'daily', 1000000000, 'alert_only', '2026-11-27 10:59:17.614449+00', '2026-11-27 10:59:17.614449+00', 5, NULL, 5, '2026-11-27 10:59:17.614449+00'),
	('spl_0VcAbwcBPy2iquI1qDGfqYs3', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'monthly', 50000000000, 'strict', '2026-11-27 10:59:17.533293+00', '2026-11-27 10:59:20.392704+00', 3, NULL, 6, '2026-11-27 10:59:17.533293+00');
INSERT INTO public.spend_limit_increase_request VALUES
	('slir_0VcAbxIPPq4T2U7X6oNhs44A', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'monthly', 20000000, 500000000000, 'More work', 'denied', NULL, 'Not this month', 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.153+00', '2026-11-27 10:59:20.271+00'),
	('slir_0VcAbxLJ9WhmrqHrlkRmt8jB', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'admin_key', 'adminkey_0VcAbwMpQyXBt3p7drFWU5SZ', 'workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'monthly', 5000000000, 50000000000, 'More work', 'approved', 50000000000, NULL, 'member', 'user_0VcAbw77vFDi331OPvrydODk', '2026-11-27 10:59:20.333+00', '2026-11-27 10:59:20.449+00');
INSERT INTO public.spend_limit_raise OVERRIDING SYSTEM VALUE VALUES
	(1, 'workspace', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'monthly', '2026-11-01', 0, 50000000000, '2026-11-27 10:59:20.392704+00');
INSERT INTO public.upstream VALUES
	('ups_0VcAbwnKeIOteMUiNDiAC2yg', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Stored', 'https://upstream.example.com', '\x019933301a85ec42629ef131bec73190ae2463c3b433d98329553f9abf6c28022ec4605917e4cfcb380f6a8f', NULL, '2026-11-27 10:59:18.226+00', '2026-11-27 10:59:18.226+00');
INSERT INTO public.usage_day VALUES
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 14, 0, 0, 0, 126, 0, 0, 0, 392, 0, 630000, 0, 0, 0, 9800000, 0, 10430000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_event_2026_11 VALUES
	('req_0VcAbwqOIlTfp3DKeiq5uiw5', '2026-11-27 10:59:18.448+00', '2026-11-27 10:59:18.466+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, false, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwr2q5HIj5Jtv7DJS21B', 14, NULL, ''),
	('req_0VcAbwrJUHQeWfVf2nw888fH', '2026-11-27 10:59:18.475+00', '2026-11-27 10:59:18.483+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, true, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwrNxwITDgU5tXDsOKaN', 7, NULL, ''),
	('req_0VcAbwrXJHVTZ0jLwQin839i', '2026-11-27 10:59:18.493+00', '2026-11-27 10:59:18.495+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, false, false, false, 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 27000, 0, 0, 0, 420000, 0, 447000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-4-5", "band": "standard", "model": "claude-sonnet-4-5-20250929", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "3.00", "output": "15.00", "cache_read": "0.30", "cache_write_1h": "6.00", "cache_write_5m": "3.75"}}]}', 'req_0VcAbwrfemhZ5mPKlSDP6VyM', 2, NULL, ''),
	('req_0VcAbwrhirhwYOEp04BlbQ0z', '2026-11-27 10:59:18.504+00', '2026-11-27 10:59:18.506+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, true, false, false, 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 27000, 0, 0, 0, 420000, 0, 447000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-4-5", "band": "standard", "model": "claude-sonnet-4-5-20250929", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "3.00", "output": "15.00", "cache_read": "0.30", "cache_write_1h": "6.00", "cache_write_5m": "3.75"}}]}', 'req_0VcAbwrpfOfOFFSkkxZV5y1u', 1, NULL, ''),
	('req_0VcAbwrt18beiIOQuJzr0L34', '2026-11-27 10:59:18.516+00', '2026-11-27 10:59:18.518+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbws2VSxyMNIvf9uY2SXO', 2, NULL, ''),
	('req_0VcAbws4OmA12A3R1ltXw2oE', '2026-11-27 10:59:18.526+00', '2026-11-27 10:59:18.528+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, true, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbwsCTJjHkNP52yIXvV6P', 1, NULL, ''),
	('req_0VcAbwsDvLhsy90BWbhaVnHg', '2026-11-27 10:59:18.534+00', '2026-11-27 10:59:18.536+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, false, false, false, 'simulate-words-40', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 40, 0, 18000, 0, 0, 0, 400000, 0, 418000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwsKc78deCY0encwQFI3', 1, NULL, ''),
	('req_0VcAbwsLYeZRVY93s5urbV0H', '2026-11-27 10:59:18.542+00', '2026-11-27 10:59:18.545+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, true, false, false, 'simulate-words-40', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 40, 0, 18000, 0, 0, 0, 400000, 0, 418000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwsSSYbQ7LM1QWvtsaow', 2, NULL, ''),
	('req_0VcAbwsVziD3bn22PYz66vFq', '2026-11-27 10:59:18.551+00', '2026-11-27 10:59:18.553+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, false, false, false, 'in-house-1', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 56000, 0, 65000, '{"list": "2026-10-24", "rows": [{"row": "in-house-1", "band": "standard", "model": "in-house-1", "source": "override", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "2.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwsaPbswuXhAOAx52fsr', 1, NULL, ''),
	('req_0VcAbwsdk9dhN3IUbAxbtQDk', '2026-11-27 10:59:18.556+00', '2026-11-27 10:59:18.558+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, true, false, false, 'in-house-1', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 56000, 0, 65000, '{"list": "2026-10-24", "rows": [{"row": "in-house-1", "band": "standard", "model": "in-house-1", "source": "override", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "2.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwsgcbB3vGCIzTjUGge1', 1, NULL, ''),
	('req_0VcAbwsiBoho0gEhmbSJYXEl', '2026-11-27 10:59:18.571+00', '2026-11-27 10:59:18.573+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'refused', 500, false, false, false, 'simulate-error-500', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-error-500", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwsuvhXu6nHA8tZxtPkj', 1, NULL, ''),
	('req_0VcAbwswNFklN0AUUzPQQbf9', '2026-11-27 10:59:18.577+00', '2026-11-27 10:59:18.578+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'refused', 500, true, false, false, 'simulate-error-500', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-error-500", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwt00wsqrSahgKy7xiZ2', 1, NULL, ''),
	('req_0VcAbwt1MDSN9QXe0hMXXi7R', '2026-11-27 10:59:18.581+00', '2026-11-27 10:59:18.582+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'refused', 529, false, false, false, 'simulate-overloaded', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-overloaded", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwt5sJL57DhksI95wk9N', 1, NULL, ''),
	('req_0VcAbwt51VIYKZvMojuXOB3P', '2026-11-27 10:59:18.585+00', '2026-11-27 10:59:18.586+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'refused', 529, true, false, false, 'simulate-overloaded', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-overloaded", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwt8Clh64H0eiFd3N4aK', 1, NULL, ''),
	('req_0VcAbwt9I7BFv7x3bopGyiQV', '2026-11-27 10:59:18.595+00', '2026-11-27 10:59:18.601+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'interrupted', 200, false, false, false, 'simulate-cut-3', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-cut-3", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwtI5lL3HZH1yEgGg23a', 1, NULL, ''),
	('req_0VcAbwtPFrPo3SWkHZ4yTNTH', '2026-11-27 10:59:18.613+00', '2026-11-27 10:59:18.616+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'interrupted', 200, true, true, false, 'simulate-cut-3', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwtbj9I3glEXOGiFvJkh', 2, NULL, ''),
	('req_0VcAbwtfgSqhrYR0NVXURyDg', '2026-11-27 10:59:18.622+00', '2026-11-27 10:59:18.625+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, false, false, true, 'simulate-fast-in2000-out300', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 2000, 0, 0, 0, 300, 0, 30000000, 0, 0, 0, 22500000, 0, 52500000, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "claude-sonnet-5", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwtjISCdXD2zCp5oiyfa', 1, NULL, ''),
	('req_0VcAbwtlcsT81x6A3sIc5kgk', '2026-11-27 10:59:18.627+00', '2026-11-27 10:59:18.629+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', 'answered', 200, true, false, true, 'simulate-fast-in2000-out300', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 2000, 0, 0, 0, 300, 0, 30000000, 0, 0, 0, 22500000, 0, 52500000, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "claude-sonnet-5", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwtoLlWB80ZIWe34bA1q', 0, NULL, ''),
	('req_0VcAbwtqzQCpsxa4iRCqFrOL', '2026-11-27 10:59:18.635+00', '2026-11-27 10:59:18.649+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, false, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwu9AoMvhgLJcAVRhOt6', 14, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwuBO5OTMyefuizMM9Lx', '2026-11-27 10:59:18.653+00', '2026-11-27 10:59:18.656+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, true, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwuEuZTelLzP5HmtZTsX', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwuGQ0r8akSMSsXVzaoH', '2026-11-27 10:59:18.658+00', '2026-11-27 10:59:18.659+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, false, false, false, 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 27000, 0, 0, 0, 420000, 0, 447000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-4-5", "band": "standard", "model": "claude-sonnet-4-5-20250929", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "3.00", "output": "15.00", "cache_read": "0.30", "cache_write_1h": "6.00", "cache_write_5m": "3.75"}}]}', 'req_0VcAbwuJVvGzSDShoymecJWT', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwuKFeXGv3esschd5pXl', '2026-11-27 10:59:18.662+00', '2026-11-27 10:59:18.664+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, true, false, false, 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 27000, 0, 0, 0, 420000, 0, 447000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-4-5", "band": "standard", "model": "claude-sonnet-4-5-20250929", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "3.00", "output": "15.00", "cache_read": "0.30", "cache_write_1h": "6.00", "cache_write_5m": "3.75"}}]}', 'req_0VcAbwuN4vUEz47DrHyvQ8PZ', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwuQxV8SLcm0tiFPnQiK', '2026-11-27 10:59:18.668+00', '2026-11-27 10:59:18.677+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbwuU96rTL6jCJ7FVpARK', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwub7137l0sodq3TEjEG', '2026-11-27 10:59:18.682+00', '2026-11-27 10:59:18.684+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, true, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbwuhEu7Vwdo7FPLZreH4', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwuj8TSQ3VJ719HfFIYY', '2026-11-27 10:59:18.686+00', '2026-11-27 10:59:18.687+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, false, false, false, 'simulate-words-40', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 40, 0, 18000, 0, 0, 0, 400000, 0, 418000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwumofM1aR0VTwZAHe7c', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwumUPKKybspKePC9vqp', '2026-11-27 10:59:18.688+00', '2026-11-27 10:59:18.691+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, true, false, false, 'simulate-words-40', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 40, 0, 18000, 0, 0, 0, 400000, 0, 418000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwunjMEWvFuLNvzWpVrJ', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwup2GluVHXhJUIyW2Rn', '2026-11-27 10:59:18.691+00', '2026-11-27 10:59:18.693+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, false, false, false, 'in-house-1', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 56000, 0, 65000, '{"list": "2026-10-24", "rows": [{"row": "in-house-1", "band": "standard", "model": "in-house-1", "source": "override", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "2.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwurI2FBgAvRrSyGqW9S', 2, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwus9ZFtgwwT83TTyvqT', '2026-11-27 10:59:18.694+00', '2026-11-27 10:59:18.697+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, true, false, false, 'in-house-1', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 56000, 0, 65000, '{"list": "2026-10-24", "rows": [{"row": "in-house-1", "band": "standard", "model": "in-house-1", "source": "override", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "2.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwuuTq1aD4ptZsW3Ia63', 2, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwuwfRddziDZHUVqFyPw', '2026-11-27 10:59:18.698+00', '2026-11-27 10:59:18.699+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'refused', 500, false, false, false, 'simulate-error-500', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-error-500", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwuyiwGdqXWLDx7U6ZL4', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwuzS9bUyK9tq3xRFOtS', '2026-11-27 10:59:18.701+00', '2026-11-27 10:59:18.703+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'refused', 500, true, false, false, 'simulate-error-500', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-error-500", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwv1kXgoLGShBIRDlyIQ', 2, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwv21LMaYbrI4NRoAEoe', '2026-11-27 10:59:18.705+00', '2026-11-27 10:59:18.706+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'refused', 529, false, false, false, 'simulate-overloaded', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-overloaded", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwv49kGjmIAQaFHqoAeo', 0, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwv5PYZTFbONiOsAfaXf', '2026-11-27 10:59:18.707+00', '2026-11-27 10:59:18.709+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'refused', 529, true, false, false, 'simulate-overloaded', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-overloaded", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwv6Sd8jtg0JldIqjJQe', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwv84WXgo4v3sLXU8RLT', '2026-11-27 10:59:18.71+00', '2026-11-27 10:59:18.712+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'interrupted', 200, false, false, false, 'simulate-cut-3', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-cut-3", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwv9ZbHK5CGn4rGTaPfi', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwvCUC0lUskvleKprbZy', '2026-11-27 10:59:18.714+00', '2026-11-27 10:59:18.717+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'interrupted', 200, true, true, false, 'simulate-cut-3', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwvD8bLmoK1EqC1HlCGk', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwvHHKLvUS3LSHZDif5k', '2026-11-27 10:59:18.719+00', '2026-11-27 10:59:18.721+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, false, false, true, 'simulate-fast-in2000-out300', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 2000, 0, 0, 0, 300, 0, 30000000, 0, 0, 0, 22500000, 0, 52500000, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "claude-sonnet-5", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwvJAvbpw35VECVvO9oR', 1, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwvKdINrLn0gDoWigY3e', '2026-11-27 10:59:18.723+00', '2026-11-27 10:59:18.727+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'answered', 200, true, false, true, 'simulate-fast-in2000-out300', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 2000, 0, 0, 0, 300, 0, 30000000, 0, 0, 0, 22500000, 0, 52500000, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "claude-sonnet-5", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwvO8qYqK1Y4Y2ew7IuT', 3, NULL, 'user_0VcAbwKARfoUqSKt3IdonxlW'),
	('req_0VcAbwvQEw53cCewgzcVlPHi', '2026-11-27 10:59:18.734+00', '2026-11-27 10:59:18.734+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, false, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwvXDAvFesyBJOJcja31', 0, NULL, ''),
	('req_0VcAbwvsJnaUIO8KCkBTZuY7', '2026-11-27 10:59:18.756+00', '2026-11-27 10:59:18.757+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, true, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwvtkbEAXYK55nfofHVP', 1, NULL, ''),
	('req_0VcAbwwANbjs8Hd72PtJ2rg9', '2026-11-27 10:59:18.774+00', '2026-11-27 10:59:18.775+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, false, false, false, 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 27000, 0, 0, 0, 420000, 0, 447000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-4-5", "band": "standard", "model": "claude-sonnet-4-5-20250929", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "3.00", "output": "15.00", "cache_read": "0.30", "cache_write_1h": "6.00", "cache_write_5m": "3.75"}}]}', 'req_0VcAbwwBCUGrgvlseC08tVYF', 1, NULL, ''),
	('req_0VcAbwwMaCwNOklkPcNUh00z', '2026-11-27 10:59:18.786+00', '2026-11-27 10:59:18.789+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, true, false, false, 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 27000, 0, 0, 0, 420000, 0, 447000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-4-5", "band": "standard", "model": "claude-sonnet-4-5-20250929", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "3.00", "output": "15.00", "cache_read": "0.30", "cache_write_1h": "6.00", "cache_write_5m": "3.75"}}]}', 'req_0VcAbwwNxAeVLCyv8jt2qpN6', 0, NULL, ''),
	('req_0VcAbwwTCMziIsud0qCuyDvx', '2026-11-27 10:59:18.793+00', '2026-11-27 10:59:18.794+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbwwVKEXAoEsPGWFZfvOb', 1, NULL, ''),
	('req_0VcAbwwXTwevAWZuQdvln7Ep', '2026-11-27 10:59:18.797+00', '2026-11-27 10:59:18.798+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, true, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbwwYIsCpp6ytQq99reVe', 1, NULL, ''),
	('req_0VcAbwwZ5ikNSZhYBlHgDmO4', '2026-11-27 10:59:18.799+00', '2026-11-27 10:59:18.8+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, false, false, false, 'simulate-words-40', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 40, 0, 18000, 0, 0, 0, 400000, 0, 418000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwwaHPsOqRaylTfUDVGJ', 1, NULL, ''),
	('req_0VcAbwwgtDwt2yt1YN5lNGaJ', '2026-11-27 10:59:18.806+00', '2026-11-27 10:59:18.807+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, true, false, false, 'simulate-words-40', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 40, 0, 18000, 0, 0, 0, 400000, 0, 418000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwwhmV1pK1lT97Xwr2fu', 1, NULL, ''),
	('req_0VcAbwwkpebAVLm0SfLeJGka', '2026-11-27 10:59:18.81+00', '2026-11-27 10:59:18.81+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, false, false, false, 'in-house-1', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 56000, 0, 65000, '{"list": "2026-10-24", "rows": [{"row": "in-house-1", "band": "standard", "model": "in-house-1", "source": "override", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "2.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwwlTtKspOGKZH1T0tuu', 0, NULL, ''),
	('req_0VcAbwwoh6BpyJDMDsdVHCl7', '2026-11-27 10:59:18.815+00', '2026-11-27 10:59:18.823+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, true, false, false, 'in-house-1', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 56000, 0, 65000, '{"list": "2026-10-24", "rows": [{"row": "in-house-1", "band": "standard", "model": "in-house-1", "source": "override", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "2.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwwqA8YMWRSVaZLKSP9k', 7, NULL, ''),
	('req_0VcAbwxFyZmjv1OgRUXXXQSQ', '2026-11-27 10:59:18.842+00', '2026-11-27 10:59:18.844+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'refused', 500, false, false, false, 'simulate-error-500', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-error-500", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwxHt5ILnNxdUS4SQjNe', 0, NULL, ''),
	('req_0VcAbwxIyxhmMWqcIsVZhfY8', '2026-11-27 10:59:18.845+00', '2026-11-27 10:59:18.846+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'refused', 500, true, false, false, 'simulate-error-500', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-error-500", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwxKRWPWrMycaBMoB91P', 1, NULL, ''),
	('req_0VcAbwxNCotDdxO9iyDz4tXc', '2026-11-27 10:59:18.849+00', '2026-11-27 10:59:18.851+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'refused', 529, false, false, false, 'simulate-overloaded', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-overloaded", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwxO6GQisBcOsvj8AXCg', 1, NULL, ''),
	('req_0VcAbwxPf0aJVCDPuNfZFDD5', '2026-11-27 10:59:18.851+00', '2026-11-27 10:59:18.852+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'refused', 529, true, false, false, 'simulate-overloaded', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-overloaded", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwxQicbd8Tap8yJ2Johl', 1, NULL, ''),
	('req_0VcAbwxR33tVfWA5MoxUD9FC', '2026-11-27 10:59:18.853+00', '2026-11-27 10:59:18.855+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'interrupted', 200, false, false, false, 'simulate-cut-3', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "simulate-cut-3", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwxSmle3yeVc2WaFxgkR', 1, NULL, ''),
	('req_0VcAbwxX86IzfunROVenBYV1', '2026-11-27 10:59:18.859+00', '2026-11-27 10:59:18.867+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'interrupted', 200, true, true, false, 'simulate-cut-3', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000, '{"list": "2026-10-24", "rows": [{"row": "claude-sonnet-5", "band": "standard", "model": "claude-sonnet-5", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "2.00", "output": "10.00", "cache_read": "0.20", "cache_write_1h": "4.00", "cache_write_5m": "2.50"}}]}', 'req_0VcAbwxblbL41JWHMS7EPdae', 3, NULL, ''),
	('req_0VcAbwxoeeX3SNhkmaDvK55H', '2026-11-27 10:59:18.876+00', '2026-11-27 10:59:18.887+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, false, false, true, 'simulate-fast-in2000-out300', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 2000, 0, 0, 0, 300, 0, 30000000, 0, 0, 0, 22500000, 0, 52500000, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "claude-sonnet-5", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwxqhrAhJ1HzmK1BCGpn', 4, NULL, ''),
	('req_0VcAbwy05S7zISkWry2k2hPj', '2026-11-27 10:59:18.888+00', '2026-11-27 10:59:18.901+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', 'answered', 200, true, false, true, 'simulate-fast-in2000-out300', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 2000, 0, 0, 0, 300, 0, 30000000, 0, 0, 0, 22500000, 0, 52500000, '{"list": "2026-10-24", "rows": [{"row": "dearest", "band": "dearest", "model": "claude-sonnet-5", "source": "dearest", "multiplier": "1", "usd_per_million_tokens": {"input": "15.00", "output": "75.00", "cache_read": "1.50", "cache_write_1h": "30.00", "cache_write_5m": "18.75"}}]}', 'req_0VcAbwy1iSB1hxRw82NTZRFC', 1, NULL, ''),
	('req_0VcAbwyNtTmK3XOgcahuvqIM', '2026-11-27 10:59:18.922+00', '2026-11-27 10:59:18.927+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', 'answered', 200, false, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwycgomY7cFLaQwcueCm', 4, NULL, ''),
	('req_0VcAbwyfGsOjAraQ8y9YYWMN', '2026-11-27 10:59:18.93+00', '2026-11-27 10:59:18.932+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', 'answered', 200, true, false, false, 'claude-haiku-4-5-20251001', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 9000, 0, 0, 0, 140000, 0, 149000, '{"list": "2026-10-24", "rows": [{"row": "claude-haiku-4-5", "band": "standard", "model": "claude-haiku-4-5-20251001", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "1.00", "output": "5.00", "cache_read": "0.10", "cache_write_1h": "2.00", "cache_write_5m": "1.25"}}]}', 'req_0VcAbwyiAxsGhCj0RXG0IJe1', 1, NULL, ''),
	('req_0VcAbwypvluKgDyX7VXE32cu', '2026-11-27 10:59:18.995+00', '2026-11-27 10:59:19.001+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbwzpEF3z75q1vC00ojuN', 5, 15695000, ''),
	('req_0VcAbwzsgDz8DYQ1hHl3yp2Z', '2026-11-27 10:59:19.015+00', '2026-11-27 10:59:19.017+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbx04LwBUXBV71cd0EqcO', 1, 15695000, ''),
	('req_0VcAbx07aSNuoTVzobfPo7Iy', '2026-11-27 10:59:19.056+00', '2026-11-27 10:59:19.058+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbx0kYjkBbznoZGmRiYr1', 1, 15695000, ''),
	('req_0VcAbx0mWF6hnv6Uf1XPWFOu', '2026-11-27 10:59:19.1+00', '2026-11-27 10:59:19.101+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbx1RjqT4k63TVaBPPzw9', 1, 15695000, ''),
	('req_0VcAbx1TADGCVgaogBMqlvFM', '2026-11-27 10:59:19.12+00', '2026-11-27 10:59:19.121+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbx1lguRPyeYi2klT5lnL', 1, 15695000, ''),
	('req_0VcAbx1nnJhcvbUhqpf2hKBb', '2026-11-27 10:59:19.165+00', '2026-11-27 10:59:19.176+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbx2VdjoYNaVJjPxAZhAg', 2, 15695000, ''),
	('req_0VcAbx2mKTy88kJgrlX4vzaO', '2026-11-27 10:59:19.731+00', '2026-11-27 10:59:19.732+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxBc5052YaAq3YQ404hM', 1, 10165000, ''),
	('req_0VcAbxBinzv27D9j7dchSVGe', '2026-11-27 10:59:19.773+00', '2026-11-27 10:59:19.774+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxCJVt5q7WV6IGtX4cgC', 1, 10165000, ''),
	('req_0VcAbxCNIjP4uSLm9bvjbdH3', '2026-11-27 10:59:19.82+00', '2026-11-27 10:59:19.821+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxD3Bapr9yMweVvEzsoX', 0, 10165000, ''),
	('req_0VcAbxD8nVmscutwl8BGCKXO', '2026-11-27 10:59:19.853+00', '2026-11-27 10:59:19.854+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxDaOGxNX7kxRQSzhcCC', 1, 10165000, ''),
	('req_0VcAbxDcYHSdjJZtwD3NVhMF', '2026-11-27 10:59:19.881+00', '2026-11-27 10:59:19.884+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxE3D60ISzi1ixMwLKNg', 1, 10165000, ''),
	('req_0VcAbxE4cb6aKpKbBHrq6KGU', '2026-11-27 10:59:19.9+00', '2026-11-27 10:59:19.901+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxEMdASu19KN3bHCsZ5G', 1, 10165000, ''),
	('req_0VcAbxEQ3YrsXz3px1dQ6SeD', '2026-11-27 10:59:19.917+00', '2026-11-27 10:59:19.918+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxEcqtpxhmkzM3kAqWca', 1, 10165000, ''),
	('req_0VcAbxEeBVRflmx6y5APRVk6', '2026-11-27 10:59:19.935+00', '2026-11-27 10:59:19.936+00', 'node_0VcAbvpCW6AzbJ0jfaVNE8Fm', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', 'answered', 200, false, false, false, 'claude-opus-4-5', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 9, 0, 0, 0, 28, 0, 45000, 0, 0, 0, 700000, 0, 745000, '{"list": "2026-10-24", "rows": [{"row": "claude-opus-4-5", "band": "standard", "model": "claude-opus-4-5-20251101", "source": "list", "multiplier": "1", "usd_per_million_tokens": {"input": "5.00", "output": "25.00", "cache_read": "0.50", "cache_write_1h": "10.00", "cache_write_5m": "6.25"}}]}', 'req_0VcAbxEupF0skh5zcE0lY18U', 1, 10165000, ''),
	('req_0VcAbz8WR7AUlq9vXTj5mlrm', '2026-11-27 10:59:27.321+00', '2026-11-27 10:59:31.576+00', 'node_0VcAbyykDSSUceX4yTHZDK9c', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', 'interrupted', NULL, true, false, false, 'simulate-hang-4', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', NULL, NULL, 43774500, '');
INSERT INTO public.usage_hour VALUES
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 14, 0, 0, 0, 126, 0, 0, 0, 392, 0, 630000, 0, 0, 0, 9800000, 0, 10430000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_key_day VALUES
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-opus-4-5-20251101', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-4-5-20250929', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 5, 1, 1, 2, 4027, 0, 0, 0, 681, 0, 60054000, 0, 0, 0, 45810000, 0, 105864000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'in-house-1', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-opus-4-5-20251101', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-4-5-20250929', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'in-house-1', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 5, 1, 1, 2, 4027, 0, 0, 0, 681, 0, 60054000, 0, 0, 0, 45810000, 0, 105864000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-opus-4-5-20251101', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-4-5-20250929', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 5, 1, 1, 2, 4027, 0, 0, 0, 681, 0, 60054000, 0, 0, 0, 45810000, 0, 105864000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'in-house-1', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '', 'claude-opus-4-5-20251101', 14, 0, 0, 0, 126, 0, 0, 0, 392, 0, 630000, 0, 0, 0, 9800000, 0, 10430000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', '', 'other', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_key_month VALUES
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-opus-4-5-20251101', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-4-5-20250929', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 5, 1, 1, 2, 4027, 0, 0, 0, 681, 0, 60054000, 0, 0, 0, 45810000, 0, 105864000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'in-house-1', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-opus-4-5-20251101', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-4-5-20250929', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'in-house-1', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 5, 1, 1, 2, 4027, 0, 0, 0, 681, 0, 60054000, 0, 0, 0, 45810000, 0, 105864000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-opus-4-5-20251101', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-4-5-20250929', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 5, 1, 1, 2, 4027, 0, 0, 0, 681, 0, 60054000, 0, 0, 0, 45810000, 0, 105864000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'in-house-1', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '', 'claude-haiku-4-5-20251001', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '', 'claude-opus-4-5-20251101', 14, 0, 0, 0, 126, 0, 0, 0, 392, 0, 630000, 0, 0, 0, 9800000, 0, 10430000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', '', 'other', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_member_day VALUES
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 18, 0, 0, 0, 162, 0, 0, 0, 504, 0, 810000, 0, 0, 0, 12600000, 0, 13410000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 4, 0, 0, 0, 36, 0, 0, 0, 112, 0, 108000, 0, 0, 0, 1680000, 0, 1788000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 4, 0, 0, 4, 8000, 0, 0, 0, 1200, 0, 120000000, 0, 0, 0, 90000000, 0, 210000000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 4, 0, 0, 0, 36, 0, 0, 0, 160, 0, 72000, 0, 0, 0, 1600000, 0, 1672000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 2, 2, 2, 0, 18, 0, 0, 0, 2, 0, 36000, 0, 0, 0, 20000, 0, 56000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 4, 0, 0, 0, 36, 0, 0, 0, 112, 0, 36000, 0, 0, 0, 224000, 0, 260000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_member_hour VALUES
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 18, 0, 0, 0, 162, 0, 0, 0, 504, 0, 810000, 0, 0, 0, 12600000, 0, 13410000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 4, 0, 0, 0, 36, 0, 0, 0, 112, 0, 108000, 0, 0, 0, 1680000, 0, 1788000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 4, 0, 0, 4, 8000, 0, 0, 0, 1200, 0, 120000000, 0, 0, 0, 90000000, 0, 210000000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 4, 0, 0, 0, 36, 0, 0, 0, 160, 0, 72000, 0, 0, 0, 1600000, 0, 1672000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 2, 2, 2, 0, 18, 0, 0, 0, 2, 0, 36000, 0, 0, 0, 20000, 0, 56000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 4, 0, 0, 0, 36, 0, 0, 0, 112, 0, 36000, 0, 0, 0, 224000, 0, 260000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_month VALUES
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwOrI3Q9eA0FbeLC6NaR', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVGE4crTtFg1cnZ7DG4', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 90000, 0, 0, 0, 1400000, 0, 1490000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 54000, 0, 0, 0, 840000, 0, 894000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 2, 0, 0, 2, 4000, 0, 0, 0, 600, 0, 60000000, 0, 0, 0, 45000000, 0, 105000000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 80, 0, 36000, 0, 0, 0, 800000, 0, 836000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 1, 1, 1, 0, 9, 0, 0, 0, 1, 0, 18000, 0, 0, 0, 10000, 0, 28000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 112000, 0, 130000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwVtAHfGI3MIXBHQ37vJ', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'apikey_0VcAbwZOCNS6wY1Gj3QZXMCg', '', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 2, 0, 0, 0, 18, 0, 0, 0, 56, 0, 18000, 0, 0, 0, 280000, 0, 298000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 'apikey_0VcAbwQEZGRTEpE43NRpKvAe', '', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 14, 0, 0, 0, 126, 0, 0, 0, 392, 0, 630000, 0, 0, 0, 9800000, 0, 10430000),
	('2026-11-01 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 'apikey_0VcAbwS5MYYLaifk5XKdrXGA', '', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_organization_day VALUES
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 8, 0, 0, 0, 72, 0, 0, 0, 224, 0, 72000, 0, 0, 0, 1120000, 0, 1192000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 162000, 0, 0, 0, 2520000, 0, 2682000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 6, 0, 0, 6, 12000, 0, 0, 0, 1800, 0, 180000000, 0, 0, 0, 135000000, 0, 315000000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 240, 0, 108000, 0, 0, 0, 2400000, 0, 2508000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 3, 3, 3, 0, 27, 0, 0, 0, 3, 0, 54000, 0, 0, 0, 30000, 0, 84000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 54000, 0, 0, 0, 336000, 0, 390000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 12, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 20, 0, 0, 0, 180, 0, 0, 0, 560, 0, 900000, 0, 0, 0, 14000000, 0, 14900000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_organization_hour VALUES
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 8, 0, 0, 0, 72, 0, 0, 0, 224, 0, 72000, 0, 0, 0, 1120000, 0, 1192000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 162000, 0, 0, 0, 2520000, 0, 2682000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 6, 0, 0, 6, 12000, 0, 0, 0, 1800, 0, 180000000, 0, 0, 0, 135000000, 0, 315000000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 240, 0, 108000, 0, 0, 0, 2400000, 0, 2508000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 3, 3, 3, 0, 27, 0, 0, 0, 3, 0, 54000, 0, 0, 0, 30000, 0, 84000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 54000, 0, 0, 0, 336000, 0, 390000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 12, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 20, 0, 0, 0, 180, 0, 0, 0, 560, 0, 900000, 0, 0, 0, 14000000, 0, 14900000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_organization_minute VALUES
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-haiku-4-5-20251001', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 8, 0, 0, 0, 72, 0, 0, 0, 224, 0, 72000, 0, 0, 0, 1120000, 0, 1192000),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-4-5-20250929', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 162000, 0, 0, 0, 2520000, 0, 2682000),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'fast', 'node', 'answered', 6, 0, 0, 6, 12000, 0, 0, 0, 1800, 0, 180000000, 0, 0, 0, 135000000, 0, 315000000),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 240, 0, 108000, 0, 0, 0, 2400000, 0, 2508000),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-sonnet-5', 'standard', '0-200k', 'global', 'standard', 'node', 'interrupted', 3, 3, 3, 0, 27, 0, 0, 0, 3, 0, 54000, 0, 0, 0, 30000, 0, 84000),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'in-house-1', 'standard', '0-200k', 'global', 'standard', 'node', 'answered', 6, 0, 0, 0, 54, 0, 0, 0, 168, 0, 54000, 0, 0, 0, 336000, 0, 390000),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'server_error', 12, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'claude-opus-4-5-20251101', 'standard', '0-200k', 'not_available', 'standard', 'node', 'answered', 20, 0, 0, 0, 180, 0, 0, 0, 560, 0, 900000, 0, 0, 0, 14000000, 0, 14900000),
	('2026-11-27 10:59:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'other', 'standard', '0-200k', 'not_available', 'standard', 'node', 'interrupted', 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_settings VALUES
	('6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 3650, '2016-11-29 00:00:00+00');
INSERT INTO public.usage_weeks VALUES
	(true, '2026-11-23 00:00:00+00');
INSERT INTO public.usage_workspace_day VALUES
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 56, 18, 3, 6, 12315, 0, 0, 0, 2771, 0, 180720000, 0, 0, 0, 145606000, 0, 326326000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 14, 0, 0, 0, 126, 0, 0, 0, 392, 0, 630000, 0, 0, 0, 9800000, 0, 10430000),
	('2026-11-27 00:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.usage_workspace_hour VALUES
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 56, 18, 3, 6, 12315, 0, 0, 0, 2771, 0, 180720000, 0, 0, 0, 145606000, 0, 326326000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwPrYSSss4oV5R22YGJf', 14, 0, 0, 0, 126, 0, 0, 0, 392, 0, 630000, 0, 0, 0, 9800000, 0, 10430000),
	('2026-11-27 10:00:00+00', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'wksp_0VcAbwQg6XspE8ZhQe5H750u', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO public.workspace VALUES
	('wksp_0VcAbvjIAoZDO4KAOIbgsqWT', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Default', NULL, '#3A8EA5', '{}', true, '2026-11-27 10:59:14.132+00', NULL),
	('wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Research', NULL, '#6C5BB9', '{}', false, '2026-11-27 10:59:16.663+00', NULL),
	('wksp_0VcAbwPrYSSss4oV5R22YGJf', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Strict', NULL, '#2E8B6F', '{}', false, '2026-11-27 10:59:16.771+00', NULL),
	('wksp_0VcAbwQg6XspE8ZhQe5H750u', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Lost', NULL, '#8A5A9E', '{}', false, '2026-11-27 10:59:16.822+00', NULL),
	('wksp_0VcAbwSoAgaL93riVRlTnSX6', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Interrupted', NULL, '#6C5BB9', '{}', false, '2026-11-27 10:59:16.954+00', NULL),
	('wksp_0VcAbwTZtQlDtUUqgaAftqrd', '6c6cd838-680b-4a43-b4d1-bb68ffe67f2b', 'Archived', NULL, '#8C7A2B', '{}', false, '2026-11-27 10:59:17.001+00', '2026-11-27 10:59:17.061+00');
INSERT INTO public.workspace_member VALUES
	('wksp_0VcAbwO7Cjl4DkTl9C9LoKK7', 'user_0VcAbwKARfoUqSKt3IdonxlW', 'workspace_developer', '2026-11-27 10:59:17.079737+00');
SELECT pg_catalog.setval('graphile_worker.job_queues_id_seq', 1, false);
SELECT pg_catalog.setval('graphile_worker.jobs_id_seq1', 27, true);
SELECT pg_catalog.setval('graphile_worker.tasks_id_seq', 15, true);
SELECT pg_catalog.setval('public.alert_channel_secret_id_seq', 1, true);
SELECT pg_catalog.setval('public.api_key_secret_id_seq', 12, true);
SELECT pg_catalog.setval('public.backup_id_seq', 1, true);
SELECT pg_catalog.setval('public.spend_limit_raise_id_seq', 1, true);
ALTER TABLE ONLY graphile_worker._private_job_queues
    ADD CONSTRAINT job_queues_pkey1 PRIMARY KEY (id);
ALTER TABLE ONLY graphile_worker._private_job_queues
    ADD CONSTRAINT job_queues_queue_name_key UNIQUE (queue_name);
ALTER TABLE ONLY graphile_worker._private_jobs
    ADD CONSTRAINT jobs_key_key1 UNIQUE (key);
ALTER TABLE ONLY graphile_worker._private_jobs
    ADD CONSTRAINT jobs_pkey1 PRIMARY KEY (id);
ALTER TABLE ONLY graphile_worker._private_known_crontabs
    ADD CONSTRAINT known_crontabs_pkey PRIMARY KEY (identifier);
ALTER TABLE ONLY graphile_worker.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY graphile_worker._private_tasks
    ADD CONSTRAINT tasks_identifier_key UNIQUE (identifier);
ALTER TABLE ONLY graphile_worker._private_tasks
    ADD CONSTRAINT tasks_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_access_review_id_position_key UNIQUE (access_review_id, "position");
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.access_review
    ADD CONSTRAINT access_review_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.access_review
    ADD CONSTRAINT access_review_previous_id_key UNIQUE (previous_id);
ALTER TABLE ONLY public.access_review_reminder
    ADD CONSTRAINT access_review_reminder_pkey PRIMARY KEY (access_review_id, member_id, kind);
ALTER TABLE ONLY public.access_review_reviewer
    ADD CONSTRAINT access_review_reviewer_pkey PRIMARY KEY (access_review_id, member_id);
ALTER TABLE ONLY public.admin_key
    ADD CONSTRAINT admin_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.admin_key
    ADD CONSTRAINT admin_key_secret_hash_key UNIQUE (secret_hash);
ALTER TABLE ONLY public.alert_channel
    ADD CONSTRAINT alert_channel_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_channel_secret
    ADD CONSTRAINT alert_channel_secret_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_delivery
    ADD CONSTRAINT alert_delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_episode
    ADD CONSTRAINT alert_episode_pkey PRIMARY KEY (alert_id, scope_type, scope_id);
ALTER TABLE ONLY public.alert_firing
    ADD CONSTRAINT alert_firing_alert_id_scope_type_scope_id_episode_threshold_key UNIQUE (alert_id, scope_type, scope_id, episode, threshold);
ALTER TABLE ONLY public.alert_firing
    ADD CONSTRAINT alert_firing_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.alert_to_channel
    ADD CONSTRAINT alert_to_channel_pkey PRIMARY KEY (alert_id, alert_channel_id);
ALTER TABLE ONLY public.api_key_network
    ADD CONSTRAINT api_key_network_pkey PRIMARY KEY (api_key_id, network);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key_secret
    ADD CONSTRAINT api_key_secret_hash_key1 UNIQUE (hash);
ALTER TABLE ONLY public.api_key_secret
    ADD CONSTRAINT api_key_secret_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_key_secret
    ADD CONSTRAINT api_key_secret_playground_session_id_key UNIQUE (playground_session_id);
ALTER TABLE ONLY public.audit_checkpoint
    ADD CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (organization_id, seq);
ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT audit_event_organization_id_seq_key UNIQUE (organization_id, seq);
ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY public.auth_account
    ADD CONSTRAINT auth_account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_account
    ADD CONSTRAINT auth_account_provider_id_account_id_key UNIQUE (provider_id, account_id);
ALTER TABLE ONLY public.auth_attempt
    ADD CONSTRAINT auth_attempt_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.auth_device
    ADD CONSTRAINT auth_device_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_device
    ADD CONSTRAINT auth_device_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY public.auth_passkey
    ADD CONSTRAINT auth_passkey_credential_id_key UNIQUE (credential_id);
ALTER TABLE ONLY public.auth_passkey
    ADD CONSTRAINT auth_passkey_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_session
    ADD CONSTRAINT auth_session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_session
    ADD CONSTRAINT auth_session_token_key UNIQUE (token);
ALTER TABLE ONLY public.auth_two_factor
    ADD CONSTRAINT auth_two_factor_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_two_factor
    ADD CONSTRAINT auth_two_factor_user_id_key UNIQUE (user_id);
ALTER TABLE ONLY public.auth_used_code
    ADD CONSTRAINT auth_used_code_pkey PRIMARY KEY (user_id, code);
ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_email_key UNIQUE (email);
ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_verification
    ADD CONSTRAINT auth_verification_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.backup
    ADD CONSTRAINT backup_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.balance
    ADD CONSTRAINT balance_pkey PRIMARY KEY (scope_type, scope_id, period, period_start);
ALTER TABLE ONLY public.change_counter
    ADD CONSTRAINT change_counter_pkey PRIMARY KEY (is_only_row);
ALTER TABLE ONLY public.change_scope
    ADD CONSTRAINT change_scope_pkey PRIMARY KEY (value);
ALTER TABLE ONLY public.claimed_change
    ADD CONSTRAINT claimed_change_pkey PRIMARY KEY (claim, step);
ALTER TABLE ONLY public.evidence_key
    ADD CONSTRAINT evidence_key_organization_id_key UNIQUE (organization_id);
ALTER TABLE ONLY public.evidence_key
    ADD CONSTRAINT evidence_key_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.held_key
    ADD CONSTRAINT held_key_pkey PRIMARY KEY (key_id);
ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.invite
    ADD CONSTRAINT invite_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.invite_workspace
    ADD CONSTRAINT invite_workspace_pkey PRIMARY KEY (invite_id, workspace_id);
ALTER TABLE ONLY public.journal_record
    ADD CONSTRAINT journal_record_pkey PRIMARY KEY (node_id, seq);
ALTER TABLE ONLY public.journal_writer
    ADD CONSTRAINT journal_writer_pkey PRIMARY KEY (node_id);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (node_id, request_id, scope_type, scope_id, period, period_start);
ALTER TABLE ONLY public.limits_version
    ADD CONSTRAINT limits_version_pkey PRIMARY KEY (is_only_row);
ALTER TABLE ONLY public.mail
    ADD CONSTRAINT mail_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.price_override
    ADD CONSTRAINT price_override_organization_id_model_effective_from_key UNIQUE (organization_id, model, effective_from);
ALTER TABLE ONLY public.price_override
    ADD CONSTRAINT price_override_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rate_bucket
    ADD CONSTRAINT rate_bucket_pkey PRIMARY KEY (rate_limit_id, kind);
ALTER TABLE ONLY public.rate_limit
    ADD CONSTRAINT rate_limit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rate_limit
    ADD CONSTRAINT rate_limit_scope_type_scope_id_model_group_key UNIQUE (scope_type, scope_id, model_group);
ALTER TABLE ONLY public.rate_limits_version
    ADD CONSTRAINT rate_limits_version_pkey PRIMARY KEY (is_only_row);
ALTER TABLE ONLY public.refused_request_hour
    ADD CONSTRAINT refused_request_hour_pkey PRIMARY KEY (api_key_id, hour_at);
ALTER TABLE ONLY public.refused_request
    ADD CONSTRAINT refused_request_pkey PRIMARY KEY (api_key_id, minute_at);
ALTER TABLE ONLY public.rotation_notice
    ADD CONSTRAINT rotation_notice_pkey PRIMARY KEY (api_key_secret_id, kind, policy_effective_at);
ALTER TABLE ONLY public.rotation_policy
    ADD CONSTRAINT rotation_policy_pkey PRIMARY KEY (workspace_id);
ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.security_settings
    ADD CONSTRAINT security_settings_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY public.set_up_link
    ADD CONSTRAINT set_up_link_pkey PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.spend_adjustment
    ADD CONSTRAINT spend_adjustment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.spend_limit_increase_request
    ADD CONSTRAINT spend_limit_increase_request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.spend_limit
    ADD CONSTRAINT spend_limit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.spend_limit_raise
    ADD CONSTRAINT spend_limit_raise_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.spend_limit
    ADD CONSTRAINT spend_limit_scope_type_scope_id_period_key UNIQUE (scope_type, scope_id, period);
ALTER TABLE ONLY public.upstream
    ADD CONSTRAINT upstream_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.usage_day
    ADD CONSTRAINT usage_day_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_event
    ADD CONSTRAINT usage_event_pkey PRIMARY KEY (started_at, request_id);
ALTER TABLE ONLY public.usage_event_2026_11
    ADD CONSTRAINT usage_event_2026_11_pkey PRIMARY KEY (started_at, request_id);
ALTER TABLE ONLY public.usage_event_2026_12
    ADD CONSTRAINT usage_event_2026_12_pkey PRIMARY KEY (started_at, request_id);
ALTER TABLE ONLY public.usage_event_default
    ADD CONSTRAINT usage_event_default_pkey PRIMARY KEY (started_at, request_id);
ALTER TABLE ONLY public.usage_hour
    ADD CONSTRAINT usage_hour_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_key_day
    ADD CONSTRAINT usage_key_day_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id);
ALTER TABLE ONLY public.usage_key_month
    ADD CONSTRAINT usage_key_month_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id);
ALTER TABLE ONLY public.usage_key_week
    ADD CONSTRAINT usage_key_week_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id);
ALTER TABLE ONLY public.usage_member_day
    ADD CONSTRAINT usage_member_day_pkey PRIMARY KEY (organization_id, bucket_at, member_id, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_member_hour
    ADD CONSTRAINT usage_member_hour_pkey PRIMARY KEY (organization_id, bucket_at, member_id, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_member_week
    ADD CONSTRAINT usage_member_week_pkey PRIMARY KEY (organization_id, bucket_at, member_id, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_month
    ADD CONSTRAINT usage_month_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_organization_day
    ADD CONSTRAINT usage_organization_day_pkey PRIMARY KEY (organization_id, bucket_at, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_organization_hour
    ADD CONSTRAINT usage_organization_hour_pkey PRIMARY KEY (organization_id, bucket_at, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_organization_minute
    ADD CONSTRAINT usage_organization_minute_pkey PRIMARY KEY (organization_id, bucket_at, model, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_settings
    ADD CONSTRAINT usage_settings_pkey PRIMARY KEY (organization_id);
ALTER TABLE ONLY public.usage_week
    ADD CONSTRAINT usage_week_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id, api_key_id, model, member_id, service_tier, context_window, inference_geo, speed, client, status);
ALTER TABLE ONLY public.usage_weeks
    ADD CONSTRAINT usage_weeks_pkey PRIMARY KEY (is_only_row);
ALTER TABLE ONLY public.usage_workspace_day
    ADD CONSTRAINT usage_workspace_day_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id);
ALTER TABLE ONLY public.usage_workspace_hour
    ADD CONSTRAINT usage_workspace_hour_pkey PRIMARY KEY (organization_id, bucket_at, workspace_id);
ALTER TABLE ONLY public.workspace_member
    ADD CONSTRAINT workspace_member_pkey PRIMARY KEY (workspace_id, member_id);
ALTER TABLE ONLY public.workspace
    ADD CONSTRAINT workspace_pkey PRIMARY KEY (id);
CREATE INDEX jobs_main_index ON graphile_worker._private_jobs USING btree (priority, run_at) INCLUDE (id, task_id, job_queue_id) WHERE (is_available = true);
CREATE INDEX jobs_no_queue_index ON graphile_worker._private_jobs USING btree (priority, run_at) INCLUDE (id, task_id) WHERE ((is_available = true) AND (job_queue_id IS NULL));
CREATE INDEX access_review_by_organization ON public.access_review USING btree (organization_id, created_at, id);
CREATE INDEX access_review_item_to_apply ON public.access_review_item USING btree (access_review_id, "position") WHERE (result IS NULL);
CREATE INDEX access_review_recurring ON public.access_review USING btree (begins_at) WHERE (recurrence <> 'none'::text);
CREATE INDEX access_review_reviewer_by_member ON public.access_review_reviewer USING btree (member_id);
CREATE INDEX access_review_running ON public.access_review USING btree (due_at) WHERE (status = ANY (ARRAY['open'::text, 'applying'::text]));
CREATE INDEX admin_key_by_organization ON public.admin_key USING btree (organization_id, created_at, id);
CREATE INDEX alert_by_organization ON public.alert USING btree (organization_id, created_at, id);
CREATE INDEX alert_by_scope ON public.alert USING btree (scope_type, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX alert_channel_by_organization ON public.alert_channel USING btree (organization_id, created_at, id);
CREATE INDEX alert_channel_secret_by_channel ON public.alert_channel_secret USING btree (alert_channel_id);
CREATE INDEX alert_delivery_by_channel ON public.alert_delivery USING btree (alert_channel_id, created_at, id);
CREATE UNIQUE INDEX alert_delivery_once ON public.alert_delivery USING btree (alert_firing_id, alert_channel_id) NULLS NOT DISTINCT WHERE (alert_firing_id IS NOT NULL);
CREATE INDEX alert_delivery_unresolved ON public.alert_delivery USING btree (alert_channel_id) WHERE ((status = 'sent'::text) AND (resolved_at IS NULL));
CREATE INDEX alert_delivery_waiting ON public.alert_delivery USING btree (created_at) WHERE (status = 'queued'::text);
CREATE INDEX alert_firing_by_alert ON public.alert_firing USING btree (alert_id, fired_at, id);
CREATE INDEX alert_firing_by_time ON public.alert_firing USING btree (organization_id, fired_at, id);
CREATE INDEX alert_firing_open ON public.alert_firing USING btree (organization_id, fired_at) WHERE (acknowledged_at IS NULL);
CREATE INDEX alert_firing_told_with ON public.alert_firing USING btree (told_with_id) WHERE (told_with_id IS NOT NULL);
CREATE INDEX alert_to_channel_by_channel ON public.alert_to_channel USING btree (alert_channel_id);
CREATE INDEX api_key_by_organization ON public.api_key USING btree (organization_id, created_at, id);
CREATE INDEX api_key_by_owner ON public.api_key USING btree (owner_member_id) WHERE (owner_member_id IS NOT NULL);
CREATE INDEX api_key_by_workspace ON public.api_key USING btree (workspace_id, created_at, id);
CREATE INDEX api_key_network_by_time ON public.api_key_network USING btree (first_seen_at);
CREATE UNIQUE INDEX api_key_playground ON public.api_key USING btree (owner_member_id, workspace_id) WHERE (purpose = 'playground'::text);
CREATE INDEX api_key_secret_by_key ON public.api_key_secret USING btree (api_key_id);
CREATE INDEX api_key_secret_by_session ON public.api_key_secret USING btree (auth_session_id) WHERE (auth_session_id IS NOT NULL);
CREATE UNIQUE INDEX api_key_secret_current ON public.api_key_secret USING btree (api_key_id) WHERE (valid_until IS NULL);
CREATE INDEX audit_event_by_actor ON public.audit_event USING btree (organization_id, actor_id, created_at, seq);
CREATE INDEX audit_event_by_actor_type ON public.audit_event USING btree (organization_id, actor_type, created_at, seq);
CREATE INDEX audit_event_by_address ON public.audit_event USING btree (organization_id, ip_address, created_at, seq) WHERE (ip_address IS NOT NULL);
CREATE INDEX audit_event_by_event ON public.audit_event USING btree (organization_id, event text_pattern_ops, created_at, seq);
CREATE INDEX audit_event_by_request ON public.audit_event USING btree (organization_id, request_id);
CREATE INDEX audit_event_by_subject ON public.audit_event USING btree (organization_id, subject_id, created_at, seq);
CREATE INDEX audit_event_by_subject_type ON public.audit_event USING btree (organization_id, subject_type, created_at, seq);
CREATE INDEX audit_event_by_time ON public.audit_event USING btree (organization_id, created_at, seq);
CREATE INDEX audit_event_by_workspace ON public.audit_event USING btree (organization_id, workspace_id, created_at, seq) WHERE (workspace_id IS NOT NULL);
CREATE INDEX auth_account_by_user ON public.auth_account USING btree (user_id);
CREATE INDEX auth_attempt_by_time ON public.auth_attempt USING btree (full_at);
CREATE INDEX auth_device_by_user ON public.auth_device USING btree (user_id, last_used_at);
CREATE INDEX auth_passkey_by_user ON public.auth_passkey USING btree (user_id);
CREATE INDEX auth_session_by_last_use ON public.auth_session USING btree (last_used_at);
CREATE INDEX auth_session_by_user ON public.auth_session USING btree (user_id, started_at);
CREATE INDEX auth_verification_by_expiry ON public.auth_verification USING btree (expires_at);
CREATE INDEX auth_verification_by_identifier ON public.auth_verification USING btree (identifier);
CREATE INDEX backup_by_time ON public.backup USING btree (made_at);
CREATE INDEX claimed_change_by_time ON public.claimed_change USING btree (created_at);
CREATE INDEX held_key_by_organization ON public.held_key USING btree (organization_id);
CREATE INDEX invite_by_organization ON public.invite USING btree (organization_id, created_at, id);
CREATE UNIQUE INDEX invite_open ON public.invite USING btree (organization_id, email) WHERE is_open;
CREATE UNIQUE INDEX invite_token ON public.invite USING btree (token_hash);
CREATE INDEX lease_by_balance ON public.lease USING btree (scope_type, scope_id, period, period_start);
CREATE INDEX lease_unresolved ON public.lease USING btree (unresolved_since) WHERE (unresolved_since IS NOT NULL);
CREATE INDEX mail_about ON public.mail USING btree (about_id) WHERE (about_id IS NOT NULL);
CREATE INDEX mail_by_age ON public.mail USING btree (created_at);
CREATE INDEX mail_by_organization ON public.mail USING btree (organization_id, created_at, id);
CREATE INDEX mail_queued ON public.mail USING btree (created_at) WHERE (status = 'queued'::text);
CREATE INDEX member_by_organization ON public.member USING btree (organization_id, created_at, id);
CREATE UNIQUE INDEX member_email ON public.member USING btree (email) WHERE (status <> 'removed'::text);
CREATE INDEX rate_limit_by_organization ON public.rate_limit USING btree (organization_id, created_at);
CREATE INDEX refused_request_by_time ON public.refused_request USING btree (organization_id, minute_at);
CREATE INDEX refused_request_hour_by_time ON public.refused_request_hour USING btree (organization_id, hour_at);
CREATE INDEX spend_adjustment_by_time ON public.spend_adjustment USING btree (organization_id, started_at);
CREATE INDEX spend_limit_increase_request_by_time ON public.spend_limit_increase_request USING btree (organization_id, created_at, id);
CREATE UNIQUE INDEX spend_limit_increase_request_pending ON public.spend_limit_increase_request USING btree (requester_type, requester_id, scope_type, scope_id, period) WHERE (status = 'pending'::text);
CREATE INDEX spend_limit_raise_by_balance ON public.spend_limit_raise USING btree (scope_type, scope_id, period, period_start);
CREATE UNIQUE INDEX upstream_one_shared ON public.upstream USING btree (organization_id);
CREATE INDEX usage_event_by_key ON ONLY public.usage_event USING btree (organization_id, api_key_id, started_at);
CREATE INDEX usage_event_2026_11_organization_id_api_key_id_started_at_idx ON public.usage_event_2026_11 USING btree (organization_id, api_key_id, started_at);
CREATE INDEX usage_event_failed ON ONLY public.usage_event USING btree (organization_id, started_at) WHERE (outcome <> ALL (ARRAY['answered'::text, 'aborted'::text]));
CREATE INDEX usage_event_2026_11_organization_id_started_at_idx ON public.usage_event_2026_11 USING btree (organization_id, started_at) WHERE (outcome <> ALL (ARRAY['answered'::text, 'aborted'::text]));
CREATE INDEX usage_event_by_workspace ON ONLY public.usage_event USING btree (organization_id, workspace_id, started_at);
CREATE INDEX usage_event_2026_11_organization_id_workspace_id_started_at_idx ON public.usage_event_2026_11 USING btree (organization_id, workspace_id, started_at);
CREATE INDEX usage_event_2026_12_organization_id_api_key_id_started_at_idx ON public.usage_event_2026_12 USING btree (organization_id, api_key_id, started_at);
CREATE INDEX usage_event_2026_12_organization_id_started_at_idx ON public.usage_event_2026_12 USING btree (organization_id, started_at) WHERE (outcome <> ALL (ARRAY['answered'::text, 'aborted'::text]));
CREATE INDEX usage_event_2026_12_organization_id_workspace_id_started_at_idx ON public.usage_event_2026_12 USING btree (organization_id, workspace_id, started_at);
CREATE INDEX usage_event_default_organization_id_api_key_id_started_at_idx ON public.usage_event_default USING btree (organization_id, api_key_id, started_at);
CREATE INDEX usage_event_default_organization_id_started_at_idx ON public.usage_event_default USING btree (organization_id, started_at) WHERE (outcome <> ALL (ARRAY['answered'::text, 'aborted'::text]));
CREATE INDEX usage_event_default_organization_id_workspace_id_started_at_idx ON public.usage_event_default USING btree (organization_id, workspace_id, started_at);
CREATE INDEX usage_key_month_by_member ON public.usage_key_month USING btree (organization_id, member_id, bucket_at, workspace_id, api_key_id);
CREATE UNIQUE INDEX workspace_active_name ON public.workspace USING btree (organization_id, lower(name)) WHERE (archived_at IS NULL);
CREATE INDEX workspace_by_organization ON public.workspace USING btree (organization_id, created_at, id);
CREATE INDEX workspace_member_by_member ON public.workspace_member USING btree (member_id);
CREATE UNIQUE INDEX workspace_one_default ON public.workspace USING btree (organization_id) WHERE is_default;
ALTER INDEX public.usage_event_by_key ATTACH PARTITION public.usage_event_2026_11_organization_id_api_key_id_started_at_idx;
ALTER INDEX public.usage_event_failed ATTACH PARTITION public.usage_event_2026_11_organization_id_started_at_idx;
ALTER INDEX public.usage_event_by_workspace ATTACH PARTITION public.usage_event_2026_11_organization_id_workspace_id_started_at_idx;
ALTER INDEX public.usage_event_pkey ATTACH PARTITION public.usage_event_2026_11_pkey;
ALTER INDEX public.usage_event_by_key ATTACH PARTITION public.usage_event_2026_12_organization_id_api_key_id_started_at_idx;
ALTER INDEX public.usage_event_failed ATTACH PARTITION public.usage_event_2026_12_organization_id_started_at_idx;
ALTER INDEX public.usage_event_by_workspace ATTACH PARTITION public.usage_event_2026_12_organization_id_workspace_id_started_at_idx;
ALTER INDEX public.usage_event_pkey ATTACH PARTITION public.usage_event_2026_12_pkey;
ALTER INDEX public.usage_event_by_key ATTACH PARTITION public.usage_event_default_organization_id_api_key_id_started_at_idx;
ALTER INDEX public.usage_event_failed ATTACH PARTITION public.usage_event_default_organization_id_started_at_idx;
ALTER INDEX public.usage_event_by_workspace ATTACH PARTITION public.usage_event_default_organization_id_workspace_id_started_at_idx;
ALTER INDEX public.usage_event_pkey ATTACH PARTITION public.usage_event_default_pkey;
CREATE TRIGGER audit_checkpoint_change BEFORE DELETE OR UPDATE ON public.audit_checkpoint FOR EACH ROW EXECUTE FUNCTION public.audit_refuse_change();
CREATE TRIGGER audit_checkpoint_truncate BEFORE TRUNCATE ON public.audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse_change();
CREATE TRIGGER audit_event_delete BEFORE DELETE ON public.audit_event FOR EACH ROW EXECUTE FUNCTION public.audit_refuse_delete();
CREATE TRIGGER audit_event_truncate BEFORE TRUNCATE ON public.audit_event FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse_change();
CREATE TRIGGER audit_event_update BEFORE UPDATE ON public.audit_event FOR EACH ROW EXECUTE FUNCTION public.audit_refuse_change();
CREATE TRIGGER audit_head_delete BEFORE DELETE ON public.audit_head FOR EACH ROW EXECUTE FUNCTION public.audit_refuse_change();
CREATE TRIGGER audit_head_truncate BEFORE TRUNCATE ON public.audit_head FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse_change();
CREATE TRIGGER audit_head_update BEFORE UPDATE ON public.audit_head FOR EACH ROW EXECUTE FUNCTION public.audit_refuse_rollback();
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_access_review_id_fkey FOREIGN KEY (access_review_id) REFERENCES public.access_review(id);
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_admin_key_id_fkey FOREIGN KEY (admin_key_id) REFERENCES public.admin_key(id);
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id);
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_decided_by_id_fkey FOREIGN KEY (decided_by_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.access_review_item
    ADD CONSTRAINT access_review_item_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id);
ALTER TABLE ONLY public.access_review
    ADD CONSTRAINT access_review_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.access_review
    ADD CONSTRAINT access_review_previous_id_fkey FOREIGN KEY (previous_id) REFERENCES public.access_review(id);
ALTER TABLE ONLY public.access_review_reminder
    ADD CONSTRAINT access_review_reminder_access_review_id_fkey FOREIGN KEY (access_review_id) REFERENCES public.access_review(id);
ALTER TABLE ONLY public.access_review_reminder
    ADD CONSTRAINT access_review_reminder_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.access_review_reviewer
    ADD CONSTRAINT access_review_reviewer_access_review_id_fkey FOREIGN KEY (access_review_id) REFERENCES public.access_review(id);
ALTER TABLE ONLY public.access_review_reviewer
    ADD CONSTRAINT access_review_reviewer_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.admin_key
    ADD CONSTRAINT admin_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.alert_channel
    ADD CONSTRAINT alert_channel_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.alert_channel_secret
    ADD CONSTRAINT alert_channel_secret_alert_channel_id_fkey FOREIGN KEY (alert_channel_id) REFERENCES public.alert_channel(id);
ALTER TABLE ONLY public.alert_delivery
    ADD CONSTRAINT alert_delivery_alert_channel_id_fkey FOREIGN KEY (alert_channel_id) REFERENCES public.alert_channel(id);
ALTER TABLE ONLY public.alert_delivery
    ADD CONSTRAINT alert_delivery_alert_firing_id_fkey FOREIGN KEY (alert_firing_id) REFERENCES public.alert_firing(id);
ALTER TABLE ONLY public.alert_delivery
    ADD CONSTRAINT alert_delivery_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.alert_episode
    ADD CONSTRAINT alert_episode_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES public.alert(id);
ALTER TABLE ONLY public.alert_firing
    ADD CONSTRAINT alert_firing_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES public.alert(id);
ALTER TABLE ONLY public.alert_firing
    ADD CONSTRAINT alert_firing_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.alert_firing
    ADD CONSTRAINT alert_firing_told_with_id_fkey FOREIGN KEY (told_with_id) REFERENCES public.alert_firing(id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.alert_to_channel
    ADD CONSTRAINT alert_to_channel_alert_channel_id_fkey FOREIGN KEY (alert_channel_id) REFERENCES public.alert_channel(id);
ALTER TABLE ONLY public.alert_to_channel
    ADD CONSTRAINT alert_to_channel_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES public.alert(id);
ALTER TABLE ONLY public.api_key_network
    ADD CONSTRAINT api_key_network_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_owner_member_id_fkey FOREIGN KEY (owner_member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.api_key_secret
    ADD CONSTRAINT api_key_secret_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id);
ALTER TABLE ONLY public.api_key_secret
    ADD CONSTRAINT api_key_secret_auth_session_id_fkey FOREIGN KEY (auth_session_id) REFERENCES public.auth_session(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id);
ALTER TABLE ONLY public.audit_checkpoint
    ADD CONSTRAINT audit_checkpoint_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT audit_event_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.auth_account
    ADD CONSTRAINT auth_account_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.auth_user(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.auth_device
    ADD CONSTRAINT auth_device_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.auth_user(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.auth_passkey
    ADD CONSTRAINT auth_passkey_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.auth_user(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.auth_session
    ADD CONSTRAINT auth_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.auth_user(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.auth_two_factor
    ADD CONSTRAINT auth_two_factor_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.auth_user(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.auth_used_code
    ADD CONSTRAINT auth_used_code_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.auth_user(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_id_fkey FOREIGN KEY (id) REFERENCES public.member(id);
ALTER TABLE ONLY public.balance
    ADD CONSTRAINT balance_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.evidence_key
    ADD CONSTRAINT evidence_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.held_key
    ADD CONSTRAINT held_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.invite
    ADD CONSTRAINT invite_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.invite
    ADD CONSTRAINT invite_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.invite_workspace
    ADD CONSTRAINT invite_workspace_invite_id_fkey FOREIGN KEY (invite_id) REFERENCES public.invite(id);
ALTER TABLE ONLY public.invite_workspace
    ADD CONSTRAINT invite_workspace_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.mail
    ADD CONSTRAINT mail_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.price_override
    ADD CONSTRAINT price_override_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.rate_limit
    ADD CONSTRAINT rate_limit_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.refused_request
    ADD CONSTRAINT refused_request_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id);
ALTER TABLE ONLY public.refused_request_hour
    ADD CONSTRAINT refused_request_hour_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_key(id);
ALTER TABLE ONLY public.refused_request_hour
    ADD CONSTRAINT refused_request_hour_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.refused_request
    ADD CONSTRAINT refused_request_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.rotation_notice
    ADD CONSTRAINT rotation_notice_api_key_secret_id_fkey FOREIGN KEY (api_key_secret_id) REFERENCES public.api_key_secret(id);
ALTER TABLE ONLY public.rotation_policy
    ADD CONSTRAINT rotation_policy_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id);
ALTER TABLE ONLY public.security_settings
    ADD CONSTRAINT security_settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.set_up_link
    ADD CONSTRAINT set_up_link_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.spend_adjustment
    ADD CONSTRAINT spend_adjustment_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.spend_limit_increase_request
    ADD CONSTRAINT spend_limit_increase_request_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.spend_limit
    ADD CONSTRAINT spend_limit_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.upstream
    ADD CONSTRAINT upstream_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.usage_settings
    ADD CONSTRAINT usage_settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE ONLY public.workspace_member
    ADD CONSTRAINT workspace_member_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.member(id);
ALTER TABLE ONLY public.workspace_member
    ADD CONSTRAINT workspace_member_workspace_id_fkey FOREIGN KEY (workspace_id) REFERENCES public.workspace(id);
ALTER TABLE ONLY public.workspace
    ADD CONSTRAINT workspace_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organization(id);
ALTER TABLE graphile_worker._private_job_queues ENABLE ROW LEVEL SECURITY;
ALTER TABLE graphile_worker._private_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE graphile_worker._private_known_crontabs ENABLE ROW LEVEL SECURITY;
ALTER TABLE graphile_worker._private_tasks ENABLE ROW LEVEL SECURITY;

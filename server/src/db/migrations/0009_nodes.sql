-- Journals of nodes without a durable disk (BURSAR_JOURNAL=postgres).

-- Who writes a node's journal. Whoever opens it raises the epoch, under which alone a record is taken: one statement
-- moves last_seq and inserts the records, so a lost answer writes nothing twice. Beat grows with every sign of life; a
-- row whose beat stands still is a dead node's, and its journal another node's to finish.
CREATE TABLE journal_writer (
  node_id text PRIMARY KEY,
  journal_id text NOT NULL,
  epoch bigint NOT NULL DEFAULT 1,
  last_seq bigint NOT NULL DEFAULT 0,
  beat bigint NOT NULL DEFAULT 0,
  -- False from when something may be missing in the journal until the leases have been told.
  is_whole boolean NOT NULL DEFAULT true,
  -- Another node finishes this journal: its own process does not come back under it.
  is_adopted boolean NOT NULL DEFAULT false,
  seen_at timestamptz NOT NULL DEFAULT now()
);

-- One record, as the line that a segment of a journal on disk would hold. Gone soon after its end is flushed.
CREATE TABLE journal_record (
  node_id text NOT NULL,
  seq bigint NOT NULL,
  line bytea NOT NULL,
  PRIMARY KEY (node_id, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000);

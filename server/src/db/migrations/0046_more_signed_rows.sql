-- Earlier keys of each audit log, sealed with a key that is derived from the current one. A rotation of BURSAR_SECRET adds
-- one. Events up to through_seq are signed with it.
CREATE TABLE retired_audit_key (
  organization_id uuid NOT NULL REFERENCES organization (id),
  through_seq bigint NOT NULL,
  key_sealed bytea NOT NULL,
  PRIMARY KEY (organization_id, through_seq)
);

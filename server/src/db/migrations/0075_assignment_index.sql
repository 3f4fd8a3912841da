-- The access list reads who gave each role: one entry of this index instead of all events of the member.
CREATE INDEX audit_event_by_assignment ON audit_event (organization_id, subject_id, workspace_id)
  WHERE event IN ('workspace_member.added', 'workspace_member.updated', 'group_member.added');

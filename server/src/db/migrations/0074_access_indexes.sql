-- The access list reads roles and memberships newest first, and starts each page at an index.
CREATE INDEX workspace_member_by_time ON workspace_member (created_at);
CREATE INDEX group_member_by_time ON group_member (created_at);

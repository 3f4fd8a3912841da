-- Groups that directories provide. A directory knows its groups by their names and external ids.
ALTER TABLE member_group ADD CONSTRAINT member_group_directory FOREIGN KEY (directory_id) REFERENCES directory (id);
CREATE INDEX member_group_directory_name ON member_group (directory_id, lower(name));

-- Members of a group as its directory lists them, also members who are not active. Active ones have a row in `group_member`.
CREATE TABLE scim_group_member (
  group_id text NOT NULL REFERENCES member_group (id) ON DELETE CASCADE,
  member_id text NOT NULL REFERENCES member (id),
  created_at timestamptz NOT NULL,
  mac bytea,
  PRIMARY KEY (group_id, member_id)
);
CREATE INDEX scim_group_member_by_member ON scim_group_member (member_id);

CREATE TRIGGER scim_group_member_insert AFTER INSERT ON scim_group_member FOR EACH ROW EXECUTE FUNCTION record_row_change();
CREATE TRIGGER scim_group_member_update AFTER UPDATE ON scim_group_member FOR EACH ROW
  WHEN ((OLD.group_id, OLD.member_id) IS DISTINCT FROM (NEW.group_id, NEW.member_id))
  EXECUTE FUNCTION record_row_change();

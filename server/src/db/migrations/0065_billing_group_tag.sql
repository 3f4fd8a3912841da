-- Name of the tag whose value people choose in Claude Code among the names of their groups. Null: none.
ALTER TABLE organization ADD COLUMN billing_group_tag text;

-- Creates the tags that people can choose, so that reports name them.
CREATE FUNCTION create_group_tags(of_organization uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO tag (id, organization_id, name, value)
  SELECT tag_id(o.id, o.billing_group_tag, g.name), o.id, o.billing_group_tag, g.name
  FROM organization AS o JOIN member_group AS g ON g.organization_id = o.id
  WHERE o.id = of_organization AND o.billing_group_tag IS NOT NULL ORDER BY 1
  ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION create_tags_of_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM create_group_tags(NEW.organization_id);
  RETURN NULL;
END
$$;
CREATE TRIGGER member_group_insert_tags AFTER INSERT ON member_group FOR EACH ROW EXECUTE FUNCTION create_tags_of_group();
CREATE TRIGGER member_group_rename_tags AFTER UPDATE OF name ON member_group FOR EACH ROW
  WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION create_tags_of_group();

CREATE FUNCTION create_tags_of_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM create_group_tags(NEW.id);
  RETURN NULL;
END
$$;
CREATE TRIGGER organization_update_tags AFTER UPDATE OF billing_group_tag ON organization FOR EACH ROW
  WHEN (NEW.billing_group_tag IS NOT NULL) EXECUTE FUNCTION create_tags_of_organization();

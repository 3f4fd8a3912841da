-- Things that a member hands over to another. Earlier versions read none of these columns.

-- Member who answers for a key without an owner. Null: its creator.
ALTER TABLE api_key ADD COLUMN contact_member_id text REFERENCES member (id);
ALTER TABLE admin_key ADD COLUMN contact_member_id text REFERENCES member (id);

-- Reviewers of the next review of an ended one. Null: the same reviewers.
ALTER TABLE access_review ADD COLUMN next_reviewer_ids text[] CHECK (cardinality(next_reviewer_ids) > 0);

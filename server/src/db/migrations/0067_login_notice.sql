-- Text that Claude Code shows beside the code of a sign-in. Null: none.
ALTER TABLE organization ADD COLUMN login_notice text;

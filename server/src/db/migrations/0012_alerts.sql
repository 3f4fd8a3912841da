-- Left empty: its number was given away before its content was dropped.
SELECT 1;

-- How a member reads the console: time zone, date format and saved views of its lists. Null: the browser decides.
CREATE TABLE member_preference (
  member_id text PRIMARY KEY REFERENCES member (id),
  organization_id uuid NOT NULL REFERENCES organization (id),
  time_zone text,
  date_format text CHECK (date_format IN ('day_month_year', 'month_day_year', 'year_month_day')),
  saved_views jsonb NOT NULL DEFAULT '[]',
  version bigint NOT NULL DEFAULT 1
);

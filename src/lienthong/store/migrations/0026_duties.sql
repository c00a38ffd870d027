-- How each duty of the worker is: an error it has not got over stands beside when it was last seen.
set search_path to lienthong;

alter table duty_beats add column failed_at timestamptz;
alter table duty_beats add column error text not null default '';

-- An act is undone without reading all that was ever said or moved.

set search_path to lienthong;

create index match_acts_undoes on match_acts (undoes) where undoes is not null;
create index match_memberships_ended on match_memberships (ended_by);
create index match_judgements_ended on match_judgements (ended_by) where ended_by is not null and kind = 'steward';

-- name: all
select code, name, kind, parent, valid_from, valid_to, successors from agencies where ended_at is null order by code;

-- name: end
update agencies set ended_at = %(at)s where code = %(code)s and ended_at is null;

-- name: begin
insert into agencies (code, name, kind, parent, valid_from, valid_to, successors, since, by_whom)
values (%(code)s, %(name)s, %(kind)s, %(parent)s, %(valid_from)s, %(valid_to)s, %(successors)s, %(at)s, %(by)s);

-- name: history
-- Every state an agency was known in, oldest first.
select code, name, kind, parent, valid_from, valid_to, successors, since, by_whom, ended_at from agencies where code = %(code)s order by entry;

-- name: of_register
-- The agencies of a dataset as they stood on a day: what closed later is open, with no successor yet.
select agency_code, name, kind, coalesce(parent_code, ''), valid_from, case when valid_to <= %(on)s then valid_to end
from {current} where valid_from <= %(on)s order by agency_code;

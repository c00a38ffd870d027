-- name: of_record
-- The identity a register's record is part of.
select g.id from match_records as r join match_goldens as g using (golden)
where r.source = any(%(sources)s) and r.key = %(key)s and r.entity = %(entity)s
order by g.id
limit 1;

-- name: members
-- The records of an identity now.
select r.source, r.key, r.dated, r.since, r.content
from match_goldens as g join match_records as r using (golden)
where g.id = %(id)s and g.entity = %(entity)s
order by r.source, r.key;

-- name: events
-- What became of identities, in order: they are written under the entity's lock, so none comes before one already seen.
select event, kind, id, others, records, at from match_events
where entity = %(entity)s and event > %(after)s
order by event
limit %(limit)s;

-- name: standing
-- Changes that stand, each with the communes that begin by it, in the order they were decided.
select c.change, c.takes_effect_on, c.resolution, c.proposal, c.decided_at, c.taken_back_at,
    array(select array[u.code, u.name, array_to_string(u.made_of, ' ')] from unit_change_units as u where u.change = c.change order by u.code)
from unit_changes as c
where c.taken_back_at is null and (%(on)s::date is null or c.takes_effect_on <= %(on)s)
order by c.change;

-- name: all
-- Every change, those taken back too, the newest first.
select c.change, c.takes_effect_on, c.resolution, c.proposal, c.decided_at, c.taken_back_at,
    array(select array[u.code, u.name, array_to_string(u.made_of, ' ')] from unit_change_units as u where u.change = c.change order by u.code)
from unit_changes as c
order by c.change desc
limit %(limit)s;

-- name: lock
-- One change of units at a time, until the transaction ends.
select pg_advisory_xact_lock(hashtext('lienthong unit changes'));

-- name: add
insert into unit_changes (takes_effect_on, resolution, proposal, decided_at)
values (%(on)s, %(resolution)s, %(proposal)s, %(at)s)
returning change;

-- name: add_unit
insert into unit_change_units (change, code, name, made_of) values (%(change)s, %(code)s, %(name)s, %(made_of)s);

-- name: take_back
update unit_changes set taken_back_at = %(at)s, taken_back_by = %(proposal)s where change = %(change)s and taken_back_at is null;

-- name: counted
-- How many records of a published dataset bear one of these codes, by field. Composed: names and conditions only.
select {counts} from {current} where {any};

-- name: indicators
-- Indicators with a figure of one of these units, the unit being its code and the day it began.
select distinct f.indicator
from indicator_parts as p join indicator_figures as f using (figure)
where (p.code, p.valid_from) in (select * from unnest(%(codes)s::text[], %(since)s::date[]))
order by f.indicator;

-- name: applied
-- Datasets that have their tables.
select dataset_id from datasets;

-- name: telling
-- How many of these codes a published list of units tells of as begun on a day. Composed: a name only.
select count(*) from {current} where code = any(%(codes)s) and valid_from = %(since)s;

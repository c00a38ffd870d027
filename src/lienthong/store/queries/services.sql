-- name: current
-- Every version of every brokered service as it stands.
select revision, service, version, agency, state, sunset_on, definition, description, understood, begun_at, by_whom
from lienthong.services
where ended_at is null
order by service, version;

-- name: history
-- All that a service ever was, oldest first.
select revision, service, version, agency, state, sunset_on, definition, description, understood, begun_at, by_whom
from lienthong.services
where service = %(service)s
order by revision;

-- name: lock
-- One act at a time on a service.
select pg_advisory_xact_lock(%(class)s, hashtext('service ' || %(service)s));

-- name: end_row
update lienthong.services
set ended_at = %(at)s
where service = %(service)s
    and version = %(version)s
    and ended_at is null;

-- name: begin_row
insert into lienthong.services (service, version, agency, state, sunset_on, definition, description, understood, begun_at, by_whom)
values (
    %(service)s, %(version)s, %(agency)s, %(state)s, %(sunset_on)s, %(definition)s, %(description)s, %(understood)s, %(at)s, %(by_whom)s
)
returning revision;

-- name: stops
-- Stops of services that are under way or announced.
select stop, service, agency, begins_at, restores_at, reason_vi, reason_en
from lienthong.service_stops
where ended_at is null
order by stop;

-- name: begin_stop
insert into lienthong.service_stops (service, agency, begins_at, restores_at, reason_vi, reason_en, made_at, by_whom)
values (%(service)s, %(agency)s, %(begins_at)s, %(restores_at)s, %(reason_vi)s, %(reason_en)s, %(at)s, %(by_whom)s)
returning stop;

-- name: end_stops
update lienthong.service_stops
set ended_at = %(at)s
where service = %(service)s
    and ended_at is null
returning stop;

-- name: stamp
-- Changes whenever anything of a service does.
select
    (select coalesce(max(revision), 0) from lienthong.services),
    (select coalesce(max(stop), 0) from lienthong.service_stops),
    (select count(*) from lienthong.service_stops where ended_at is null);

-- name: register
-- A person, known by what an identity provider calls them.
insert into persons (handle, issuer, subject, name, agency, registered_at)
values (%(handle)s, %(issuer)s, %(subject)s, %(name)s, %(agency)s, %(at)s)
returning person;

-- name: end
-- A person who has left: what was theirs stays readable.
update persons set ended_at = %(at)s where person = %(person)s and ended_at is null;

-- name: end_roles
update person_roles set ended_at = %(at)s, ended_by = %(by)s where person = %(person)s and ended_at is null;

-- name: grant
-- A role, asked for by one and approved by another.
insert into person_roles (person, role, granted_at, granted_by, approved_by)
values (%(person)s, %(role)s, %(at)s, %(by)s, %(approved_by)s);

-- name: withdraw
update person_roles set ended_at = %(at)s, ended_by = %(by)s where person = %(person)s and role = %(role)s and ended_at is null;

-- name: by_subject
-- The registered person an identity provider means, with the roles in force.
select p.person, p.handle, p.name, p.agency,
    array(select role from person_roles as r where r.person = p.person and r.ended_at is null order by role)
from persons as p
where p.issuer = %(issuer)s and p.subject = %(subject)s and p.ended_at is null;

-- name: by_handle
select p.person, p.handle, p.name, p.agency,
    array(select role from person_roles as r where r.person = p.person and r.ended_at is null order by role)
from persons as p
where p.handle = %(handle)s and p.ended_at is null;

-- name: all
-- Everybody registered, by agency and handle.
select p.person, p.handle, p.name, p.agency,
    array(select role from person_roles as r where r.person = p.person and r.ended_at is null order by role)
from persons as p
where p.ended_at is null
order by p.agency, p.handle;

-- name: holders
-- How many registered persons hold a role.
select count(distinct r.person) from person_roles as r join persons as p using (person)
where r.role = %(role)s and r.ended_at is null and p.ended_at is null;

-- name: move
-- The person is of another agency from now on; their roles there are granted anew.
update persons set agency = %(agency)s where person = %(person)s and ended_at is null;

-- name: current
select identifier, level, decision, approved_by, approved_on, valid_until, file_name, sha256, content is not null, by_whom, at, ended_at
from security_levels
where ended_at is null and (%(identifier)s::text is null or identifier = %(identifier)s);

-- name: history
select identifier, level, decision, approved_by, approved_on, valid_until, file_name, sha256, content is not null, by_whom, at, ended_at
from security_levels
where identifier = %(identifier)s
order by at desc;

-- name: end
update security_levels set ended_at = %(at)s where identifier = %(identifier)s and ended_at is null;

-- name: begin
insert into security_levels
    (identifier, level, decision, approved_by, approved_on, valid_until, file_name, sha256, content, by_whom, at)
values
    (%(identifier)s, %(level)s, %(decision)s, %(approved_by)s, %(approved_on)s, %(valid_until)s, %(file_name)s, %(sha256)s, %(content)s,
     %(by)s, %(at)s);

-- name: file
select file_name, content from security_levels where identifier = %(identifier)s and ended_at is null and content is not null;

-- name: carry
-- A merger names a subsystem anew; its system is the same.
insert into security_levels
    (identifier, level, decision, approved_by, approved_on, valid_until, file_name, sha256, content, by_whom, at)
select %(new)s, level, decision, approved_by, approved_on, valid_until, file_name, sha256, content, %(by)s, %(at)s
from security_levels
where identifier = %(old)s and ended_at is null;

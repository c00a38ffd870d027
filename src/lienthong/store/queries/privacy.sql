-- name: open
insert into lienthong.privacy_cases
    (kind, agency, dataset, subject, person, content, opened_at, opened_by, begins_at, answer_by, act_by, legal_basis)
values (%(kind)s, %(agency)s, %(dataset)s, %(subject)s, %(person)s, %(content)s, %(opened_at)s, %(opened_by)s, %(begins_at)s, %(answer_by)s, %(act_by)s,
    %(legal_basis)s)
returning case_id;

-- name: step
insert into lienthong.privacy_steps (case_id, act, state, at, by_whom, words, legal_text)
values (%(case)s, %(act)s, %(state)s, %(at)s, %(by)s, %(words)s, %(legal_text)s);

-- name: hold
-- One step of a case at a time.
select case_id from lienthong.privacy_cases where case_id = %(case)s for update;

-- name: cases
-- Cases with how they stand, the one that is due first at the top.
with standing as (
    select distinct on (case_id) case_id, state, at from lienthong.privacy_steps order by case_id, step desc
)
select c.case_id, c.kind, c.agency, c.dataset, c.subject, c.person, c.content, c.opened_at, c.opened_by, c.begins_at, c.answer_by, c.act_by,
    c.legal_basis, s.state, s.at
from lienthong.privacy_cases as c join standing as s using (case_id)
where (%(case)s::bigint is null or c.case_id = %(case)s)
    and (%(agency)s::text is null or c.agency = %(agency)s)
    and (%(subject)s::text is null or c.subject = %(subject)s)
    and (%(live)s::boolean is not true or s.state in ('open', 'answered'))
    and (%(overdue_at)s::timestamptz is null
        or s.state = 'open' and least(c.answer_by, c.act_by) < %(overdue_at)s
        or s.state = 'answered' and c.act_by < %(overdue_at)s)
order by c.act_by, c.case_id
limit %(limit)s;

-- name: steps
select act, state, at, by_whom, words, legal_text from lienthong.privacy_steps where case_id = %(case)s order by step;

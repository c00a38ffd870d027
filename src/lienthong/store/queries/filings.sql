-- name: add
insert into report_filings (filing, report, period, begins_on, until, revision, state, owner, facts, digest, due_at, filed_at, filed_by)
select %(filing)s, %(report)s, %(period)s, %(begins_on)s, %(until)s, coalesce(max(revision), 0) + 1, %(state)s, %(owner)s, %(facts)s, %(digest)s,
    %(due_at)s, %(at)s, %(by)s
from report_filings
where report = %(report)s and period = %(period)s
on conflict (filing) do nothing
returning revision;

-- name: newest
-- The newest revision of each period of some reports, newest period first.
select distinct on (report, begins_on) filing, report, period, begins_on, until, revision, state, owner, facts, digest, due_at, filed_at, filed_by
from report_filings
where report = any(%(reports)s)
order by report, begins_on desc, revision desc;

-- name: one
select filing, report, period, begins_on, until, revision, state, owner, facts, digest, due_at, filed_at, filed_by
from report_filings
where filing = %(filing)s;

-- name: figures_role
-- Whether we may work under the role that sees only what a formula names.
select exists (select from pg_roles where rolname = 'lienthong_figures') and pg_has_role(current_user, 'lienthong_figures', 'member');

-- name: take_figures_role
set local role lienthong_figures;

-- name: grant_read
-- For this transaction alone: it is rolled back.
grant select on {table} to lienthong_figures;

-- name: read_only
-- Days are Vietnam's; nothing can be written; a formula that takes too long is stopped.
select set_config('TimeZone', 'Asia/Ho_Chi_Minh', true), set_config('statement_timeout', %(milliseconds)s, true),
    set_config('search_path', 'pg_catalog', true), set_config('transaction_read_only', 'on', true);

-- name: reads
-- Datasets as they stand: version, contract, when a run last ended well, the share of rows that wait.
select d.dataset_id, d.current_version, d.contract_version, d.contract_digest,
    (select max(r.ended_at) from runs as r where r.dataset_id = d.dataset_id and r.state in ('published', 'unchanged')),
    coalesce((select count(*) from quarantine as q where q.dataset_id = d.dataset_id and q.state = 'waiting'), 0)::bigint,
    coalesce((select sum(v.inserted - v.ended) from versions as v where v.dataset_id = d.dataset_id), 0)::bigint
from datasets as d
where d.dataset_id = any(%(datasets)s)
order by d.dataset_id;

-- name: keep_definition
insert into indicator_definitions (digest, indicator, definition, since)
values (%(digest)s, %(indicator)s, %(definition)s, %(at)s)
on conflict (digest) do nothing;

-- name: add
-- A figure; the revision after the last.
insert into indicator_figures
    (indicator, definition, period, begins_on, until, revision, state, total, value, base, target, faults, reads, details, computed_at)
select %(indicator)s, %(definition)s, %(period)s, %(begins_on)s, %(until)s, coalesce(max(revision), 0) + 1, %(state)s,
    %(total)s, %(value)s, %(base)s, %(target)s, %(faults)s, %(reads)s, %(details)s, %(at)s
from indicator_figures
where indicator = %(indicator)s and period = %(period)s
returning figure, revision;

-- name: add_parts
insert into indicator_parts (figure, code, valid_from, value, base)
select %(figure)s, code, valid_from, value, base
from unnest(%(codes)s::text[], %(since)s::date[], %(values)s::float8[], %(bases)s::float8[]) as part (code, valid_from, value, base);

-- name: parts
select code, valid_from, value, base from indicator_parts where figure = %(figure)s order by code, valid_from;

-- name: seen
select seen from indicator_looks where indicator = %(indicator)s and period = %(period)s;

-- name: look
insert into indicator_looks (indicator, period, seen, looked_at)
values (%(indicator)s, %(period)s, %(seen)s, %(at)s)
on conflict (indicator, period) do update set seen = excluded.seen, looked_at = excluded.looked_at;

-- name: series
-- The newest revision of each period, of some indicators, newest period first.
select distinct on (indicator, begins_on) figure, indicator, period, begins_on, until, revision, state, total, value, base, target, faults,
    reads, details, computed_at, definition
from indicator_figures
where indicator = any(%(indicators)s)
order by indicator, begins_on desc, revision desc;

-- name: revisions
-- Every revision of one period, newest first.
select figure, indicator, period, begins_on, until, revision, state, total, value, base, target, faults, reads, details, computed_at, definition
from indicator_figures
where indicator = %(indicator)s and period = %(period)s
order by revision desc;

-- name: figures
-- Figures by their numbers.
select figure, indicator, period, begins_on, until, revision, state, total, value, base, target, faults, reads, details, computed_at, definition
from indicator_figures
where figure = any(%(figures)s)
order by figure;

-- name: definitions
select digest, definition from indicator_definitions where digest = any(%(digests)s);

-- name: ask
insert into figure_questions (figure, indicator, period, place, place_on, owner, words, asked_by, asked_by_agency, asked_at, due_on)
values (%(figure)s, %(indicator)s, %(period)s, %(place)s, %(place_on)s, %(owner)s, %(words)s, %(asked_by)s, %(asked_by_agency)s,
    %(asked_at)s, %(due_on)s)
returning question;

-- name: question
select question, figure, indicator, period, place, place_on, owner, words, asked_by, asked_by_agency, asked_at, due_on, state, answer,
    answered_by, answered_at
from figure_questions
where question = %(question)s;

-- name: questions_of
-- What was asked about an indicator, newest first.
select question, figure, indicator, period, place, place_on, owner, words, asked_by, asked_by_agency, asked_at, due_on, state, answer,
    answered_by, answered_at
from figure_questions
where indicator = %(indicator)s
order by question desc
limit 50;

-- name: questions_to
-- What an agency was asked: open ones first, by their day.
select question, figure, indicator, period, place, place_on, owner, words, asked_by, asked_by_agency, asked_at, due_on, state, answer,
    answered_by, answered_at
from figure_questions
where owner = %(owner)s
order by state <> 'open', due_on, question desc
limit 100;

-- name: open_questions
-- How many questions stand open, by indicator.
select indicator, count(*) from figure_questions where state = 'open' group by indicator;

-- name: answer
update figure_questions
set state = 'answered', answer = %(answer)s, answered_by = %(by)s, answered_at = %(at)s
where question = %(question)s and state = 'open';

-- name: unprofiled
-- The newest version of each dataset that has no profile yet.
select d.dataset_id, v.version, v.run_id
from datasets as d join versions as v on v.dataset_id = d.dataset_id and v.version = d.current_version
where not exists (select 1 from version_profiles as p where p.dataset_id = v.dataset_id and p.version = v.version)
order by v.known_at;

-- name: keep_profile
-- What a version looks like.
insert into version_profiles (dataset_id, version, run_id, at, profile, scores)
values (%(dataset)s, %(version)s, %(run)s, %(at)s, %(profile)s, %(scores)s)
on conflict (dataset_id, version) do nothing;

-- name: keep_drift
-- One thing that moved.
insert into drift_notes (dataset_id, version, kind, column_name, found, usual, vi, en, at)
values (%(dataset)s, %(version)s, %(kind)s, %(column)s, %(found)s, %(usual)s, %(vi)s, %(en)s, %(at)s);

-- name: profiles
-- Profiles of a dataset's versions before one, newest first.
select profile from version_profiles where dataset_id = %(dataset)s and version < %(before)s order by version desc limit %(limit)s;

-- name: newest_version
-- The newest version of a dataset, and whether it has a profile.
select d.current_version, exists (select 1 from version_profiles as p where p.dataset_id = d.dataset_id and p.version = d.current_version)
from datasets as d where d.dataset_id = %(dataset)s and d.current_version > 0;

-- name: history
-- Scores of a dataset's versions, newest first.
select version, run_id, at, (profile ->> 'records')::bigint, scores from version_profiles where dataset_id = %(dataset)s order by version desc limit %(limit)s;

-- name: notes
-- What drifted, newest first, of one dataset or of all.
select dataset_id, version, kind, column_name, found, usual, vi, en, at from drift_notes
where %(dataset)s::text is null or dataset_id = %(dataset)s
order by at desc, dataset_id, note
limit %(limit)s;

-- name: broken_now
-- Issues of rows that wait or were kept with a warning under the newest run of each source, by rule.
select i.rule, i.severity, count(*)
from issues as i
where i.dataset_id = %(dataset)s and i.run_id = %(run)s
group by i.rule, i.severity;

-- name: scores_now
-- The newest scores of every dataset.
select distinct on (dataset_id) dataset_id, version, at, (profile ->> 'records')::bigint, scores from version_profiles order by dataset_id, version desc;

-- name: trends
-- The last scored versions of every dataset, oldest first: (dataset, version, run, when, records, scores).
select dataset_id, version, run_id, at, (profile ->> 'records')::bigint, scores
from (
    select p.*, row_number() over (partition by dataset_id order by version desc) as place from version_profiles as p
) as newest
where place <= %(limit)s
order by dataset_id, version;

-- name: runs_waiting
-- Runs that wait for a person, by dataset.
select dataset_id, array_agg(run_id order by run_id) from runs where state = 'waiting' group by dataset_id;

-- name: notes_from
-- What drifted since an instant.
select dataset_id, version, kind, column_name, found, usual, vi, en, at from drift_notes where at >= %(since)s order by at desc, dataset_id, note;

-- name: rules_by_run
-- How many issues of each rule the last runs of a dataset found, newest run first.
select r.run_id, r.started_at, i.rule, i.severity, count(*)
from (
    select run_id, started_at from runs where dataset_id = %(dataset)s and state in ('published', 'unchanged') order by run_id desc limit %(limit)s
) as r join issues as i using (run_id)
group by r.run_id, r.started_at, i.rule, i.severity
order by r.run_id desc, count(*) desc, i.rule;

-- name: count_records
-- Records, and of each column how many are empty. Composed: names only.
select count(*), {empties} from {current};

-- name: buckets
-- How the values of a column lie. Composed: names only.
select bucket, count(*) from (select {bucket} as bucket from {current} where {column} is not null) as told group by bucket order by count(*) desc, bucket limit {most};

-- name: notes_since
-- Which versions drifted since an instant, a row a note.
select dataset_id, version from drift_notes where at >= %(since)s order by note;

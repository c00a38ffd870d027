-- name: codes
-- The distinct values of a field that holds codes. Composed: names only.
select distinct {column} from {current} where {column} is not null order by 1 limit {limit};

-- name: inventory
-- What agencies are known to hold, not connected yet.
select item, agency, facts, since, by_whom from inventory_items where ended_at is null order by item;

-- name: lock_inventory
-- One sheet of an agency at a time.
select pg_advisory_xact_lock(%(class)s, hashtext('inventory ' || %(agency)s));

-- name: end_item
update inventory_items set ended_at = %(at)s where item = %(item)s and ended_at is null;

-- name: begin_item
insert into inventory_items (item, agency, facts, since, by_whom) values (%(item)s, %(agency)s, %(facts)s, %(at)s, %(by)s);

-- name: open_entries
-- The list of open data as it stands.
select dataset_id, agency, state, act, words, legal_text, decision, publish_on, reviewed_at, state_since, since, by_whom
from open_entries where ended_at is null order by dataset_id;

-- name: open_entry
select dataset_id, agency, state, act, words, legal_text, decision, publish_on, reviewed_at, state_since, since, by_whom
from open_entries where dataset_id = %(dataset)s and ended_at is null;

-- name: open_history
-- All that an entry of the list ever was, oldest first.
select dataset_id, agency, state, act, words, legal_text, decision, publish_on, reviewed_at, state_since, since, by_whom
from open_entries where dataset_id = %(dataset)s order by entry;

-- name: lock_open_entry
-- One act at a time on an entry.
select pg_advisory_xact_lock(%(class)s, hashtext('open ' || %(dataset)s));

-- name: end_open_entry
update open_entries set ended_at = %(at)s where dataset_id = %(dataset)s and ended_at is null;

-- name: begin_open_entry
insert into open_entries (dataset_id, agency, state, act, words, legal_text, decision, publish_on, reviewed_at, state_since, since, by_whom)
values (
    %(dataset)s, %(agency)s, %(state)s, %(act)s, %(words)s, %(legal_text)s, %(decision)s, %(publish_on)s, %(reviewed_at)s, %(state_since)s, %(at)s, %(by)s
);

-- name: unopened
-- Datasets on the list whose data is not given to everybody now; what is only proposed is as its contract says.
select dataset_id from open_entries where ended_at is null and state not in ('proposed', 'open', 'refreshing');

-- name: add_lineage
-- Nothing where the same event is there already.
insert into lineage_events (run_id, event_type, event_time, subsystem, job, reads, writes, columns, received_at)
values (%(run)s, %(type)s, %(time)s, %(subsystem)s, %(job)s, %(reads)s, %(writes)s, %(columns)s, %(at)s)
on conflict on constraint lineage_events_once do nothing;

-- name: lineage_of
-- The newest finished run of each outside job that read or wrote a dataset.
select distinct on (job, subsystem) job, subsystem, reads, writes, columns, event_time
from lineage_events
where (reads @> array[%(dataset)s]::text[] or writes @> array[%(dataset)s]::text[]) and event_type in ('COMPLETE', 'OTHER', 'RUNNING', 'START')
order by job, subsystem, (event_type = 'COMPLETE') desc, event_time desc
limit 100;

-- name: last_runs
-- The last published run of each source of a dataset.
select distinct on (source_name) source_name, run_id, version, ended_at, rows_in, rows_published
from runs where dataset_id = %(dataset)s and state = 'published' order by source_name, run_id desc;

-- name: applied_at
-- When each dataset's contract was first and last applied.
select d.dataset_id, min(h.applied_at), d.applied_at from datasets as d left join contract_history as h using (dataset_id) group by d.dataset_id, d.applied_at;

-- name: news
-- The newest versions published, of all datasets or one.
select dataset_id, version, known_at, inserted, updated, ended
from versions where %(dataset)s::text is null or dataset_id = %(dataset)s
order by known_at desc, dataset_id limit %(limit)s;

-- name: told_since
-- How many events a subsystem told of since an instant.
select count(*) from lineage_events where subsystem = %(subsystem)s and received_at >= %(since)s;

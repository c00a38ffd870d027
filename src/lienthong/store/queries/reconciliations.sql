-- name: keep
-- One outcome.
insert into reconciliations (dataset_id, source_name, run_id, at, agrees, lines)
values (%(dataset)s, %(source)s, %(run)s, %(at)s, %(agrees)s, %(lines)s);

-- name: newest
-- The newest outcome of each source.
select distinct on (source_name) source_name, run_id, at, agrees, lines from reconciliations where dataset_id = %(dataset)s
order by source_name, reconciliation desc;

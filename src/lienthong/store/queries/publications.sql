-- name: every
-- Of every applied dataset: its newest version, when it first and last changed (rows or contract), how many records it has.
select
    d.dataset_id,
    d.current_version,
    least(min(v.known_at), min(d.applied_at)),
    greatest(max(v.known_at), max(d.applied_at)),
    coalesce(sum(v.inserted - v.ended), 0)::bigint
from datasets as d left join versions as v using (dataset_id)
group by d.dataset_id, d.current_version;

-- name: known_at
select known_at from versions where dataset_id = %(dataset)s and version = %(version)s;

-- name: contracts
-- The documents applied under one version of a contract.
select contract from contract_history
where dataset_id = %(dataset)s and contract_version = %(version)s
order by applied_at desc;

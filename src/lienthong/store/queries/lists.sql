-- name: sharing
-- Records of the index that share a blocking key with one of a list's rows: each key is looked up by itself.
select distinct on (record) record, features, keys, match_goldens.id
from unnest(%(keys)s::bigint[]) as sought (k)
join match_records on keys @> array[k]
join match_goldens using (golden)
where match_records.entity = %(entity)s;

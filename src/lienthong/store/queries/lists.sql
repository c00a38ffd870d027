-- name: sharing
-- Records of the index that share a blocking key with one of a list's rows: one look at the index for each row (store/queries/matching.sql).
select distinct on (record) record, features, keys, match_goldens.id
from unnest(%(keys)s::text[]) as sought (mine)
join match_records on keys && mine::bigint[]
join match_goldens using (golden)
where match_records.entity = %(entity)s;

-- name: goldens
-- The identities some records are part of now, and the older ids that lead there.
with standing as (
    select distinct r.golden
    from unnest(%(sources)s::text[], %(keys)s::text[]) as held (source, key)
    join match_records as r on r.source = held.source and r.key = held.key and r.entity = %(entity)s
)
select g.golden, g.id from standing join match_goldens as g using (golden)
union
select g.merged_into, g.id from standing join match_goldens as g on g.merged_into = standing.golden;

-- name: records
-- Records that are part of these identities.
select source, key from match_records where golden = any(%(goldens)s) limit %(limit)s;

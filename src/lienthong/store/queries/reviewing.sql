-- name: sample
-- Records drawn by chance: the same for the same seed.
select record, source, key, features, keys, component, golden
from match_records
where entity = %(entity)s
order by md5(source || '/' || key || '/' || %(seed)s::text)
limit %(most)s;

-- name: add_review
insert into match_reviews (entity, model, drawn_at, by_whom, seed, records, sampled)
values (%(entity)s, %(model)s, %(at)s, %(by)s, %(seed)s, %(records)s, %(sampled)s)
returning review;

-- name: add_items
insert into match_review_items
    (review, left_source, left_key, right_source, right_key, is_joined, by_weight, stratum, stratum_pairs, registers, bits, cut_bits, reviewers)
select %(review)s, left_source, left_key, right_source, right_key, is_joined, by_weight, stratum, stratum_pairs, registers, bits, cut_bits, reviewers
from json_to_recordset(%(items)s) as item (
    left_source text, left_key text, right_source text, right_key text, is_joined boolean, by_weight boolean, stratum text,
    stratum_pairs double precision, registers text, bits double precision, cut_bits double precision, reviewers smallint
);

-- name: latest
-- The newest review of an entity.
select review, model, drawn_at, records from match_reviews where entity = %(entity)s order by review desc limit 1;

-- name: standing
-- The newest review that is through: nobody has a pair of it still to look at. The newest of all when none is.
select r.review, r.model, r.drawn_at, r.records, looked.is_through
from match_reviews as r
cross join lateral (
    select not exists (
        select from match_review_items as i
        join match_records as a on a.source = i.left_source and a.key = i.left_key
        join match_records as b on b.source = i.right_source and b.key = i.right_key
        where i.review = r.review
            and (select count(*) from match_review_verdicts as v where v.item = i.item) < i.reviewers
    ) as is_through
) as looked
where r.entity = %(entity)s
order by looked.is_through desc, r.review desc
limit 1;

-- name: joins_stand
-- Whether records of some registers are joined by the model or a rule.
select exists (
    select from match_judgements
    where left_source = any(%(sources)s) and verdict = 'same' and to_at is null and kind <> 'steward'
);

-- name: joined_since
-- The first join of an entity by the model or a rule, whether it holds or not.
select from_at from match_judgements
where entity = %(entity)s and verdict = 'same' and kind <> 'steward'
order by judgement
limit 1;

-- name: next
-- Pairs a person has still to look at, in an order of their own; nothing tells what the index decided. A third is asked where two disagree.
select i.item, i.left_source, i.left_key, l.content, i.right_source, i.right_key, r.content
from match_review_items as i
join match_records as l on l.source = i.left_source and l.key = i.left_key
join match_records as r on r.source = i.right_source and r.key = i.right_key
cross join lateral (
    select count(*) as given, count(*) filter (where verdict = 'same') as same, count(*) filter (where verdict = 'apart') as apart
    from match_review_verdicts as v where v.item = i.item
) as said
where i.review = %(review)s
    and (said.given < i.reviewers or said.given = 2 and said.same = 1 and said.apart = 1)
    and not exists (select from match_review_verdicts as v where v.item = i.item and v.by_whom = %(by)s)
order by md5(i.item::text || %(by)s)
limit %(limit)s;

-- name: say
-- A verdict; a person's second word on a pair replaces the first.
insert into match_review_verdicts (item, by_whom, verdict, at)
select i.item, %(by)s, %(verdict)s, %(at)s
from match_review_items as i join match_reviews as r using (review)
where i.item = %(item)s and r.entity = %(entity)s
on conflict (item, by_whom) do update set verdict = excluded.verdict, at = excluded.at
returning item;

-- name: verdicts
-- Every pair of a review with what was said of it and by whom, in the order it was said.
select i.stratum, i.registers, i.is_joined, i.by_weight, i.stratum_pairs, i.bits,
    array(select v.verdict from match_review_verdicts as v where v.item = i.item order by v.at, v.by_whom) as verdicts,
    i.left_source, i.left_key, i.right_source, i.right_key,
    array(select v.by_whom from match_review_verdicts as v where v.item = i.item order by v.at, v.by_whom) as by_whom
from match_review_items as i
where i.review = %(review)s
order by i.item;

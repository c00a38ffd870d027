-- What holds again after an undoing is known as the word it is: `origin` is the act that said it first. So acts on the same records are undone
-- in any order, and a word said again counts from when it was said.
alter table match_judgements add column origin bigint constraint match_judgements_origin_fk references match_acts;
alter table match_partings add column origin bigint constraint match_partings_origin_fk references match_acts;
create index match_partings_origin on match_partings (origin) where origin is not null;
create index match_judgements_words on match_judgements (left_source, left_key) where kind = 'steward';

-- Those said again until now.
with recursive copied as (
    select again.judgement, said.judgement as before
    from match_judgements as again
    join match_acts as a on a.act = again.act and a.kind = 'undo'
    join match_judgements as said on said.ended_by = a.undoes and said.act <> a.undoes and said.kind = 'steward'
        and (said.left_source, said.left_key, said.right_source, said.right_key, said.verdict)
            = (again.left_source, again.left_key, again.right_source, again.right_key, again.verdict)
    where again.kind = 'steward'
),
path as (
    select judgement, before from copied
    union all
    select path.judgement, copied.before from path join copied on copied.judgement = path.before
)
update match_judgements as j set origin = said.act
from path join match_judgements as said on said.judgement = path.before
where j.judgement = path.judgement and not exists (select from copied where copied.judgement = path.before);

with recursive copied as (
    select again.parting, said.parting as before
    from match_partings as again
    join match_acts as a on a.act = again.act and a.kind = 'undo'
    join match_partings as said on said.ended_by = a.undoes and said.act <> a.undoes
        and (said.entity, said.by_whom, said.reason) = (again.entity, again.by_whom, again.reason)
),
path as (
    select parting, before from copied
    union all
    select path.parting, copied.before from path join copied on copied.parting = path.before
)
update match_partings as p set origin = said.act
from path join match_partings as said on said.parting = path.before
where p.parting = path.parting and not exists (select from copied where copied.parting = path.before);

-- Reviews: pairs drawn by chance, and what persons say of them without knowing what the index decided. They change no golden record.
create table match_reviews (
    review bigint generated always as identity constraint match_reviews_pk primary key,
    entity text not null,
    model text not null, -- version in force when the pairs were drawn
    drawn_at timestamptz not null,
    by_whom text not null,
    seed bigint not null,
    records bigint not null, -- in the index
    sampled bigint not null -- of which pairs were looked for
);
create index match_reviews_entity on match_reviews (entity, review);

create table match_review_items (
    item bigint generated always as identity constraint match_review_items_pk primary key,
    review bigint not null constraint match_review_items_review_fk references match_reviews,
    left_source text not null,
    left_key text not null,
    right_source text not null,
    right_key text not null,
    is_joined boolean not null,
    by_weight boolean not null, -- false: a rule decides, whatever the weight
    stratum text not null,
    stratum_pairs double precision not null, -- pairs of the index in the stratum
    registers text not null, -- both, by a |, in order
    bits double precision not null, -- the weight
    cut_bits double precision not null, -- from which such a pair joins
    reviewers smallint not null -- how many persons are asked
);
create index match_review_items_review on match_review_items (review);

create table match_review_verdicts (
    item bigint not null constraint match_review_verdicts_item_fk references match_review_items,
    by_whom text not null,
    verdict text not null constraint match_review_verdicts_known check (verdict in ('same', 'apart', 'unsure')),
    at timestamptz not null,
    constraint match_review_verdicts_pk primary key (item, by_whom)
);

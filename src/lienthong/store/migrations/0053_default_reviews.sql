-- Reviews of the list of data shared by default, each with the list as it was then.

set search_path to lienthong;

create table default_reviews (
    review bigint generated always as identity constraint default_reviews_pk primary key,
    agency text not null,
    datasets text[] not null, -- on the list that day
    added text[] not null, -- since the review before
    removed text[] not null,
    words text not null, -- what came of it
    decision text not null,
    by_whom text not null,
    at timestamptz not null
);
create index default_reviews_newest on default_reviews (agency, review desc);

-- At which security level a subsystem's system was approved: the evidence, with its file or the file's digest. The row not ended counts.

set search_path to lienthong;

create table security_levels (
    identifier text not null,
    level integer not null constraint security_levels_known check (level between 1 and 5),
    decision text not null, -- its number
    approved_by text not null,
    approved_on date not null,
    valid_until date not null,
    file_name text not null,
    sha256 text not null constraint security_levels_digest check (sha256 ~ '^[0-9a-f]{64}$'),
    content bytea, -- null: the file lies elsewhere, only its digest is here
    by_whom text not null,
    at timestamptz not null,
    ended_at timestamptz,
    constraint security_levels_order check (approved_on <= valid_until)
);
create unique index security_levels_current on security_levels (identifier) where ended_at is null;

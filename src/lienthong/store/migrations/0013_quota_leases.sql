-- Quotas counted together by every server process.
-- What is left of each quota a minute, counted together for every server process: each takes portions of it, and gives back what it did not use.
create table quota_buckets (
    agreement_id text constraint quota_buckets_pk primary key,
    tokens double precision not null,
    filled_at timestamptz not null
);

-- Take up to so many answers of an agreement's quota, after giving back some of those taken before. Nothing is given twice, whoever asks at once.
create function quota_lease(
    agreement text, today date, per_minute integer, per_day bigint, wanted integer, returned integer,
    out given integer, out wait_seconds double precision
)
language plpgsql security definer set search_path = lienthong, pg_temp
as $$
declare
    moment timestamptz := clock_timestamp();
    bucket quota_buckets;
    spent bigint := 0;
begin
    given := wanted;
    wait_seconds := 0;
    if per_minute is not null then
        insert into quota_buckets values (agreement, per_minute, moment) on conflict do nothing;
        select * into bucket from quota_buckets where agreement_id = agreement for update;
        bucket.tokens := least(
            per_minute,
            bucket.tokens + returned + greatest(0, extract(epoch from moment - bucket.filled_at)) * per_minute / 60
        );
        given := least(given, floor(bucket.tokens)::integer);
        wait_seconds := (1 - bucket.tokens) * 60 / per_minute;
    end if;
    if per_day is not null then
        insert into quota_days values (agreement, today, 0) on conflict do nothing;
        select used into spent from quota_days where agreement_id = agreement and day = today for update;
        spent := greatest(0, spent - returned);
        if spent >= per_day then
            wait_seconds := 3600;
        end if;
        given := greatest(0, least(given, per_day - spent));
        update quota_days set used = spent + given where agreement_id = agreement and day = today;
    end if;
    if per_minute is not null then
        update quota_buckets set tokens = bucket.tokens - given, filled_at = moment where agreement_id = agreement;
    end if;
end
$$;
revoke execute on function quota_lease from public;

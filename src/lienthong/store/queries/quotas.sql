-- name: take_one
-- Whether one more answer of an agreement is given, and in how many seconds one may be when not.
select given, wait_seconds
from lienthong.quota_lease(%(agreement)s, %(today)s, %(per_minute)s::integer, %(per_day)s::bigint, 1, 0);

-- Short links: made in lists, found by their code, clicks counted in lists.

-- name: insert
-- Those that were stored: a code that exists already is left to whoever has it.
insert into link (code, account_id, url, created_at, expires_at)
select code, $1, url, $4, $5 from unnest($2::text[], $3::text[]) as t (code, url)
on conflict do nothing
returning code

-- name: find
select account_id, url, expires_at from link where code = $1

-- name: click
-- In the order of the codes, as every lock.
with seen as materialized (
    select t.code, t.clicks, t.first_at, t.last_at
    from unnest($1::text[], $2::int[], $3::timestamptz[], $4::timestamptz[]) as t (code, clicks, first_at, last_at)
    cross join lateral (select from link l where l.code = t.code order by l.code offset 0 for update) as held
)
update link l
set clicks = l.clicks + seen.clicks, first_at = coalesce(l.first_at, seen.first_at),
    last_at = greatest(l.last_at, seen.last_at)
from seen where l.code = seen.code

-- name: clicks
select code, url, clicks, first_at, last_at from link where account_id = $1 and code = any($2::text[])

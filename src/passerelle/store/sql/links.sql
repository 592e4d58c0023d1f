-- Short links, made in lists; tracking.sql follows them and counts their clicks.

-- name: insert
-- Those that were stored: a code that exists already is left to whoever has it.
insert into link (code, account_id, url, created_at, expires_at)
select code, $1, url, $4, $5 from unnest($2::text[], $3::text[]) as t (code, url)
on conflict do nothing
returning code

-- name: clicks
select code, url, clicks, first_at, last_at from link where account_id = $1 and code = any($2::text[])

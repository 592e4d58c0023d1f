-- Files on their way into groups of contacts.

-- name: add
insert into contact_import (account_id, token, group_id, name, digest, content, total, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning id, account_id, token, group_id, name, state, total, done, added, refused, error, created_at, ended_at

-- name: broken_off
-- The import of the same file into the same group that was never ended.
select id, account_id, token, group_id, name, state, total, done, added, refused, error, created_at, ended_at
from contact_import
where account_id = $1 and group_id = $2 and digest = $3 and state = 0
order by id desc limit 1

-- name: find
select id, account_id, token, group_id, name, state, total, done, added, refused, error, created_at, ended_at
from contact_import where token = $2 and account_id = $1

-- name: lease
-- The oldest import that nobody works on, and whose file is here.
update contact_import i set lease_until = clock_timestamp() + $1::interval
from (select account_id, id from contact_import
      where state = 0 and content is not null and (lease_until is null or lease_until < clock_timestamp())
      order by id limit 1 for update skip locked) due
where i.account_id = due.account_id and i.id = due.id
returning i.id, i.account_id, i.token, i.group_id, i.name, i.state, i.total, i.done, i.added, i.refused, i.error,
          i.created_at, i.ended_at, i.content

-- name: advance
-- Only from where the caller believes it to be: of two that import the same file one gets no row.
update contact_import
set done = done + $4, added = added + $5, refused = refused + $6, lease_until = clock_timestamp() + $7::interval
where account_id = $1 and id = $2 and done = $3 and state = 0
returning done

-- name: finish
update contact_import set state = $3, error = $4, ended_at = $5, content = null, lease_until = null
where account_id = $1 and id = $2 and state = 0
returning id

-- name: refuse
insert into contact_refusal (account_id, import_id, line, phone, reason)
select $1, $2, line, phone, reason from unnest($3::integer[], $4::text[], $5::smallint[]) as t (line, phone, reason)

-- name: refusals
-- A page after line $3.
select line, phone, reason from contact_refusal
where account_id = $1 and import_id = $2 and line > $3 order by line limit $4

-- Rows on their way into lists of contacts.

-- name: add
insert into list_import (account_id, token, list_id, headings, number_at, digest, content, total, created_at, lease_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + $10::interval)
returning id, account_id, token, list_id, headings, number_at, state, total, done, imported, duplicates, invalid, reason,
          attempts

-- name: broken_off
-- The import of the same file into the same list that never ended.
select id, account_id, token, list_id, headings, number_at, state, total, done, imported, duplicates, invalid, reason,
       attempts
from list_import where account_id = $1 and list_id = $2 and digest = $3 and state = 0 order by id desc limit 1

-- name: find
select id, account_id, token, list_id, headings, number_at, state, total, done, imported, duplicates, invalid, reason,
       attempts
from list_import where token = $2 and account_id = $1

-- name: lease
-- The oldest import that nobody works on, and whose rows are here.
update list_import i set lease_until = clock_timestamp() + $1::interval, attempts = i.attempts + 1
from (select account_id, id from list_import
      where state = 0 and content is not null and (lease_until is null or lease_until < clock_timestamp())
      order by id limit 1 for update skip locked) due
where i.account_id = due.account_id and i.id = due.id
returning i.id, i.account_id, i.token, i.list_id, i.headings, i.number_at, i.state, i.total, i.done, i.imported,
          i.duplicates, i.invalid, i.reason, i.attempts, i.content

-- name: advance
-- Only from where the caller believes it to be: of two that import the same rows one gets nothing.
update list_import
set done = done + $4 + $5 + $6, imported = imported + $4, duplicates = duplicates + $5, invalid = invalid + $6,
    attempts = 0, lease_until = clock_timestamp() + $7::interval
where account_id = $1 and id = $2 and done = $3 and state = 0
returning id, account_id, token, list_id, headings, number_at, state, total, done, imported, duplicates, invalid, reason,
          attempts

-- name: finish
update list_import set state = $3, reason = $4, ended_at = $5, content = null, lease_until = null
where account_id = $1 and id = $2 and state = 0
returning id, account_id, token, list_id, headings, number_at, state, total, done, imported, duplicates, invalid, reason,
          attempts

-- name: refuse
insert into list_refusal (account_id, import_id, line, phone, reason)
select $1, $2, line, phone, reason from unnest($3::integer[], $4::text[], $5::smallint[]) as t (line, phone, reason)

-- name: refusals
-- A page after line $3.
select line, phone, reason from list_refusal
where account_id = $1 and import_id = $2 and line > $3 order by line limit $4

-- name: give_up
-- Those whose importer has the rows, was last seen before $1 and does not come back.
update list_import set state = 2, reason = $2, ended_at = $3, lease_until = null
where state = 0 and content is null and created_at < $1 and lease_until < clock_timestamp() - interval '1 day'

-- name: forget
-- One that ended before $1, with its refused rows.
with old as materialized (
    select account_id, id from list_import where ended_at < $1 order by ended_at limit 1 for update skip locked
), refusals as (
    delete from list_refusal r using old where r.account_id = old.account_id and r.import_id = old.id
)
delete from list_import i using old where i.account_id = old.account_id and i.id = old.id returning i.id

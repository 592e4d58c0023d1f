-- Messages written anew while their campaign is paused. Everything is looked up under its account.

-- name: lock_waiting
-- Queue rows of these messages of which no submit was begun and that nobody holds: whoever leases passes them over now.
select message_id, part, carrier_id, region, due_at, valid_until from queue
where account_id = $1 and message_id = any($2::bigint[]) and lease_until is null and attempts = 0
order by message_id, part for update

-- name: unsent
select id, phone, parts, price from message
where account_id = $1 and id = any($2::bigint[]) and state = 0 order by id for no key update

-- name: rewrite
update message m set text = t.text, encoding = t.encoding, parts = t.parts, price = t.price
from unnest($2::bigint[], $3::text[], $4::smallint[], $5::smallint[], $6::bigint[]) as t (id, text, encoding, parts, price)
where m.account_id = $1 and m.id = t.id

-- name: unqueue
with gone as (
    delete from part where account_id = $1 and message_id = any($2::bigint[])
)
delete from queue where account_id = $1 and message_id = any($2::bigint[])

-- name: rewritten
-- What was written for those who had not been written to yet, and what it has cost more, or less.
update campaign set name = $3, text = $4, settled = settled + $5 where account_id = $1 and id = $2 and state = 1

-- Long numbers and what is done with calls to them.

-- name: of_account
select v.phone, v.enabled, v.reply_url, v.forwarding, v.forward_to, v.forwarding_at, v.created_at
from virtual_number v where v.account_id = $1 order by v.phone

-- name: listing
select v.phone, a.email, v.enabled, v.reply_url, v.forwarding, v.forward_to
from virtual_number v join account a on a.id = v.account_id order by v.phone

-- name: owners
select phone, account_id, reply_url from virtual_number where phone = any($1::bigint[])

-- name: lock
select phone, enabled, forwarding, forward_to from virtual_number where account_id = $1 and phone = $2 for update

-- name: insert
insert into virtual_number (phone, account_id, reply_url, created_at) values ($1, $2, $3, $4) on conflict do nothing

-- name: lock_any
select account_id from virtual_number where phone = $1 for update

-- name: remove
delete from virtual_number where phone = $1

-- name: assign
-- What the former owner had set for it is not the next one's.
update virtual_number
set account_id = $2, reply_url = '', forwarding = 0, forward_to = '', forwarding_at = null
where phone = $1

-- name: hand_over
update virtual_number
set account_id = $2, reply_url = '', forwarding = 0, forward_to = '', forwarding_at = null
where account_id = $1
returning phone

-- name: set_enabled
update virtual_number set enabled = $2 where phone = $1

-- name: set_reply_url
update virtual_number set reply_url = $3 where account_id = $1 and phone = $2

-- name: set_forwarding
update virtual_number set forwarding = $3, forward_to = $4, forwarding_at = $5 where account_id = $1 and phone = $2

-- name: insert_change
insert into forwarding_change (account_id, phone, at, forwarding, forward_to) values ($1, $2, $5, $3, $4)

-- name: changes
select at, forwarding, forward_to from forwarding_change
where account_id = $1 and phone = $2 order by id desc limit $3

-- HLR requests: numbers to be asked about, leased to one worker at a time, and what was answered.

-- name: next_number
select nextval('verification_number')

-- name: insert
insert into verification (account_id, number, at, tag, notify_url, numbers, cost) values ($1, $2, $3, $4, $5, $6, $7)

-- name: insert_numbers
insert into verified_number (account_id, number, position, reference, phone, country, price, due_at)
select $1, $2, t.n, t.reference, t.phone, t.country, t.price, $3
from unnest($4::uuid[], $5::bigint[], $6::text[], $7::bigint[]) with ordinality as t (reference, phone, country, price, n)

-- name: lease
-- The oldest due first; leasers that meet take different ones. $1 business time, $2 at most.
with due as (
    select account_id, number, position from verified_number
    where error is null and due_at <= $1 and (lease_until is null or lease_until <= clock_timestamp())
    order by due_at limit $2 for update skip locked
), leased as (
    update verified_number v set lease_until = clock_timestamp() + $3::interval
    from due d where v.account_id = d.account_id and v.number = d.number and v.position = d.position
    returning v.account_id, v.number, v.position, v.reference, v.phone, v.country, v.price
)
select l.account_id, l.number, l.position, l.reference::text, l.phone, l.country, l.price, r.notify_url
from leased l,
     lateral (select notify_url from verification r where r.account_id = l.account_id and r.number = l.number offset 0) r

-- name: record
-- Only those that nobody has answered meanwhile.
update verified_number v
set error = t.error, mcc_mnc = t.mcc_mnc, ported = t.ported, refunded = t.refunded, answered_at = $8, lease_until = null
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::integer[], $5::text[], $6::boolean[], $7::boolean[])
     as t (account_id, number, position, error, mcc_mnc, ported, refunded)
where v.account_id = t.account_id and v.number = t.number and v.position = t.position and v.error is null
returning v.account_id, v.number, v.position

-- name: add_dead
insert into dead_subscriber (account_id, phone)
select * from unnest($1::bigint[], $2::bigint[]) on conflict do nothing

-- name: remove_dead
delete from dead_subscriber d using unnest($1::bigint[], $2::bigint[]) as t (account_id, phone)
where d.account_id = t.account_id and d.phone = t.phone

-- name: find
select number, at, tag, notify_url, numbers, cost from verification where account_id = $1 and number = $2

-- name: results
select position, reference::text, phone, price, error, mcc_mnc, ported, refunded, answered_at
from verified_number where account_id = $1 and number = $2 order by position

-- name: listing
select number, at, tag, notify_url, numbers, cost from verification
where account_id = $1 and number < $2 order by number desc limit $3

-- name: await_receipts
insert into awaiting (carrier_id, operator_id, account_id, message_id, part, submission_id, phone, at)
select $1, * from unnest($2::text[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[], $7::bigint[], $8::timestamptz[])

-- name: awaited_by_phone
select operator_id, account_id, message_id, part, phone, at from awaiting
where carrier_id = $1 and phone = any($2::bigint[]) and operator_id = ''

-- name: park
insert into parked_receipt (carrier_id, operator_id, forms, phone, state, error, at, parked_at)
select $1, t.operator_id, string_to_array(t.forms, chr(1)), t.phone, t.state, t.error, t.at, $2
from unnest($3::text[], $4::text[], $5::bigint[], $6::smallint[], $7::text[], $8::timestamptz[])
     as t (operator_id, forms, phone, state, error, at)

-- name: parked_for
delete from parked_receipt where carrier_id = $1 and operator_id = any($2::text[])
returning forms, phone, state, error, at

-- name: parked_matches
-- Parked since $1 and awaited by now: both sides were committed without seeing each other.
select p.id, p.carrier_id from parked_receipt p
where p.parked_at > $1 and exists (select from awaiting a where a.carrier_id = p.carrier_id and a.operator_id = any(p.forms))
limit $2

-- name: parked_by_phone
-- Parked between $1 and $2, after the attempt at a part to the same number whose answer was lost: that part's. But where
-- the number had another receipt of late it may be that one, sent again by an operator that did not hear us.
select p.id, p.carrier_id from parked_receipt p
where p.parked_at > $1 and p.parked_at <= $2
      and exists (select from awaiting a
                  where a.carrier_id = p.carrier_id and a.phone = p.phone and a.operator_id = '' and a.at <= p.parked_at)
      and not exists (select from message m
                      where m.phone = p.phone and m.state >= 10 and m.state_at > p.parked_at - interval '10 minutes')
      and not exists (select from message m join part d on d.account_id = m.account_id and d.message_id = m.id
                      where m.phone = p.phone and d.state >= 10 and d.state_at > p.parked_at - interval '10 minutes')
limit $3

-- name: unpark
delete from parked_receipt where id = any($1::bigint[])
returning carrier_id, forms, phone, state, error, at

-- name: forget_parked
delete from parked_receipt where parked_at < $1

-- name: waited_long
select carrier_id, operator_id, account_id, message_id, part from awaiting where at < $1 order by at limit $2

-- name: stop_waiting
delete from awaiting a
using unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[])
      as t (carrier_id, operator_id, account_id, message_id, part)
where a.carrier_id = t.carrier_id and a.operator_id = t.operator_id and a.account_id = t.account_id
      and a.message_id = t.message_id and a.part = t.part

-- name: wait_longer
update awaiting a set at = a.at + $6::interval
from unnest($1::smallint[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[])
      as t (carrier_id, operator_id, account_id, message_id, part)
where a.carrier_id = t.carrier_id and a.operator_id = t.operator_id and a.account_id = t.account_id
      and a.message_id = t.message_id and a.part = t.part

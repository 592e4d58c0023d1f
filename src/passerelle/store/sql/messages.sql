-- name: lock
select m.account_id, m.id, m.submission_id, m.dialect, m.number, m.phone, m.country, m.parts, m.price, m.refunded,
       m.refunded_parts, m.state, m.state_at, m.sent_at, m.submitted_at, m.delivered_at, m.failed_at, m.bounced_at,
       m.opened_at, m.stopped_at, m.uncertain, m.carrier_id, m.error,
       s.number as submission_number, s.tag, s.tag_key, s.campaign_name, s.campaign_id, s.dlr_url, s.due_at, s.test
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
     join message m on m.account_id = t.account_id and m.id = t.id
     join submission s on s.account_id = m.account_id and s.id = m.submission_id
order by m.account_id, m.id
for no key update of m

-- name: lock_awaited
-- As `lock`, for the messages of parts that await one of these ids, with what is awaited behind.
select m.account_id, m.id, m.submission_id, m.dialect, m.number, m.phone, m.country, m.parts, m.price, m.refunded,
       m.refunded_parts, m.state, m.state_at, m.sent_at, m.submitted_at, m.delivered_at, m.failed_at, m.bounced_at,
       m.opened_at, m.stopped_at, m.uncertain, m.carrier_id, m.error,
       s.number as submission_number, s.tag, s.tag_key, s.campaign_name, s.campaign_id, s.dlr_url, s.due_at, s.test,
       a.operator_id, a.part, a.at
from awaiting a
     join message m on m.account_id = a.account_id and m.id = a.message_id
     join submission s on s.account_id = m.account_id and s.id = m.submission_id
where a.carrier_id = $1 and a.operator_id = any($2::text[]) and a.operator_id <> ''
order by m.account_id, m.id
for no key update of m

-- name: save
-- Changed messages, the statistics of the change, and the receipts that need not be awaited any more.
with counted as (
    insert into statistic_delta (account_id, dialect, tag_key, at, messages, waiting, parts, cost, sent, submitted,
                                 delivered, errors, bounced, replies, complaints, opens, clicks, visits, seconds, refunded)
    select * from unnest($17::bigint[], $18::smallint[], $19::text[], $20::timestamptz[], $21::int[], $22::int[], $23::int[],
                         $24::bigint[], $25::int[], $26::int[], $27::int[], $28::int[], $29::int[], $30::int[], $31::int[],
                         $32::int[], $33::int[], $34::int[], $35::int[], $36::bigint[])
), settled as (
    delete from awaiting a
    using (select $37::smallint as carrier_id, t.*
           from unnest($38::text[], $39::bigint[], $40::bigint[], $41::smallint[])
                as t (operator_id, account_id, message_id, part) offset 0) t
    where a.carrier_id = t.carrier_id and a.operator_id = t.operator_id and a.account_id = t.account_id
          and a.message_id = t.message_id and a.part = t.part
)
update message m
set state = t.state, state_at = t.state_at, sent_at = t.sent_at, submitted_at = t.submitted_at, delivered_at = t.delivered_at,
    failed_at = t.failed_at, bounced_at = t.bounced_at, opened_at = t.opened_at, stopped_at = t.stopped_at,
    uncertain = t.uncertain, carrier_id = t.carrier_id, error = t.error, refunded = t.refunded,
    refunded_parts = t.refunded_parts
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::boolean[],
            $13::smallint[], $14::text[], $15::bigint[], $16::smallint[])
     as t (account_id, id, state, state_at, sent_at, submitted_at, delivered_at, failed_at, bounced_at, opened_at, stopped_at,
           uncertain, carrier_id, error, refunded, refunded_parts)
where m.account_id = t.account_id and m.id = t.id

-- name: lock_parts
select p.account_id, p.message_id, p.part, p.state, p.state_at, p.begun, p.uncertain
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
     join part p on p.account_id = t.account_id and p.message_id = t.id
order by p.account_id, p.message_id, p.part
for no key update of p

-- name: save_parts
update part p set state = t.state, state_at = t.state_at, begun = t.begun, uncertain = t.uncertain
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::timestamptz[], $6::boolean[], $7::boolean[])
     as t (account_id, message_id, part, state, state_at, begun, uncertain)
where p.account_id = t.account_id and p.message_id = t.message_id and p.part = t.part

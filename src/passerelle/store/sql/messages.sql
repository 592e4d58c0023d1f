-- name: lock
select m.account_id, m.id, m.submission_id, m.dialect, m.number, m.phone, m.country, m.parts, m.price, m.refunded,
       m.refunded_parts, m.state, m.state_at, m.sent_at, m.submitted_at, m.delivered_at, m.failed_at, m.bounced_at,
       m.stopped_at, m.uncertain, m.carrier_id, m.error,
       s.number as submission_number, s.tag, s.tag_key, s.campaign_name, s.campaign_id, s.dlr_url, s.due_at, s.test
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
     join message m on m.account_id = t.account_id and m.id = t.id
     join submission s on s.account_id = m.account_id and s.id = m.submission_id
order by m.account_id, m.id
for no key update of m

-- name: save
update message m
set state = t.state, state_at = t.state_at, sent_at = t.sent_at, submitted_at = t.submitted_at, delivered_at = t.delivered_at,
    failed_at = t.failed_at, bounced_at = t.bounced_at, stopped_at = t.stopped_at, uncertain = t.uncertain,
    carrier_id = t.carrier_id, error = t.error, refunded = t.refunded, refunded_parts = t.refunded_parts
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::boolean[], $12::smallint[],
            $13::text[], $14::bigint[], $15::smallint[])
     as t (account_id, id, state, state_at, sent_at, submitted_at, delivered_at, failed_at, bounced_at, stopped_at,
           uncertain, carrier_id, error, refunded, refunded_parts)
where m.account_id = t.account_id and m.id = t.id

-- name: submitted
-- The common case, without reading: the only part of a message, taken at the first attempt.
update message m set state = 1, state_at = t.at, sent_at = t.begun_at, submitted_at = t.at, carrier_id = $5
from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]) as t (account_id, id, begun_at, at)
where m.account_id = t.account_id and m.id = t.id and m.state = 0

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

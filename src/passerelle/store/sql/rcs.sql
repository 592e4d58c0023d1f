-- What an RCS message is beside a message: the SMS that may follow, the events of the provider.

-- name: insert_failover
insert into rcs_failover (account_id, submission_id, text, encoding, parts, keep_until) values ($1, $2, $3, $4, $5, $6)

-- name: forget_failovers
delete from rcs_failover
where ctid = any (array(select ctid from rcs_failover where keep_until <= $1 limit $2 for update skip locked))

-- name: fallen
-- Messages that are locked and still RCS: one that became an SMS has a text of its own. `queued`: on its way just now.
select m.account_id, m.id, s.id as submission_id, m.phone, s.messages, s.class, s.text as content,
       f.text, f.encoding, f.parts,
       exists (select from queue q
               where q.account_id = m.account_id and q.message_id = m.id and q.part = any('{1}'::smallint[]) offset 0)
       as queued
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id),
     lateral (select account_id, id, submission_id, phone, text from message m
              where m.account_id = t.account_id and m.id = t.id offset 0) m,
     lateral (select id, messages, class, service, text from submission s
              where s.account_id = m.account_id and s.id = m.submission_id offset 0) s
     left join lateral (select text, encoding, parts from rcs_failover f
                        where f.account_id = m.account_id and f.submission_id = m.submission_id offset 0) f on true
where s.service = 4 and m.text is null
order by m.account_id, m.id

-- name: turn
-- Messages become SMS: text and price, the parts of long ones, rows of the queue.
with turned as materialized (
    select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::smallint[], $7::bigint[],
                         $8::smallint[], $9::smallint[], $10::smallint[], $11::boolean[])
        as t (account_id, id, submission_id, text, encoding, parts, price, carrier_id, lane, class, stop_applies)
), changed as (
    update message m set text = t.text, encoding = t.encoding, parts = t.parts, price = t.price
    from turned t where m.account_id = t.account_id and m.id = t.id
), long as (
    insert into part (account_id, message_id, part, state_at)
    select account_id, id, n, $12 from turned, generate_series(1, parts) as n where parts > 1
)
insert into queue (account_id, message_id, part, submission_id, carrier_id, lane, class, stop_applies, due_at, valid_until)
select account_id, id, n, submission_id, carrier_id, lane, class, stop_applies, $12, $12 + $13::interval
from turned, generate_series(1, parts) as n

-- name: forget
delete from awaiting where carrier_id = 32000 and operator_id = any($1::text[])

-- name: overdue
-- With the provider and not delivered, since before $1: the oldest first.
select a.operator_id, a.account_id, a.message_id, a.part, a.phone
from awaiting a where a.carrier_id = 32000 and a.at < $1
order by a.at limit $2

-- name: named
-- The messages that events name, by phone and id; those that became SMS are none of them any more.
select m.account_id, m.id, m.phone, m.delivered_at, m.opened_at
from unnest($1::bigint[], $2::bigint[]) as t (phone, id),
     lateral (select account_id, id, phone, submission_id, text, delivered_at, opened_at from message m
              where m.phone = t.phone offset 0) m,
     lateral (select service from submission s where s.account_id = m.account_id and s.id = m.submission_id offset 0) s
where m.id = t.id and s.service = 4 and m.text is null

-- name: opened
update message m set opened_at = coalesce(m.opened_at, t.at)
from unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) as t (account_id, id, at)
where m.account_id = t.account_id and m.id = t.id

-- name: answered
-- The RCS message that a person answers: the latest to that phone; a STOP looks back over all that is stored.
select t.n::int as n, found.account_id, found.id, found.reply_url
from unnest($1::bigint[], $2::boolean[]) with ordinality as t (phone, stop, n),
     lateral (
        select m.account_id, m.id, s.reply_url
        from message m,
             lateral (select service, reply_url, due_at from submission s
                      where s.account_id = m.account_id and s.id = m.submission_id offset 0) s
        where m.phone = t.phone and s.service = 4 and m.text is null
              and (m.sent_at is not null or m.state = 0 and s.due_at <= $3) and m.state <> all('{13,14,15,16}'::smallint[])
              and (t.stop or coalesce(m.sent_at, s.due_at) >= $4)
        order by coalesce(m.sent_at, s.due_at) desc, m.id desc limit 1
     ) found

-- name: insert_events
insert into rcs_event (key, body, received_at)
select * from unnest($1::bytea[], $2::text[], $3::timestamptz[])
on conflict (key) do nothing

-- name: take_events
update rcs_event e set done = true
from (select id from rcs_event where not done order by id limit $1 for update skip locked) due
where e.id = due.id
returning e.id, e.body

-- name: forget_events
delete from rcs_event
where ctid = any (array(select ctid from rcs_event where received_at <= $1 and done limit $2 for update skip locked))

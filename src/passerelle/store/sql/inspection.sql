-- What people ask: how things stand, the life of one message, whether everything is sound. Never on the way of a message.

-- name: queued
select c.name as carrier, q.lane, count(*) as parts, count(*) filter (where q.due_at <= $1) as due,
       count(q.lease_until) as leased, min(q.due_at) filter (where q.due_at <= $1) as oldest
from queue q left join carrier c on c.id = q.carrier_id
group by c.name, q.lane order by c.name, q.lane

-- name: at_operators
select c.name as carrier, count(*) as parts, min(a.at) as oldest, count(*) filter (where a.operator_id = '') as unanswered
from awaiting a left join carrier c on c.id = a.carrier_id
group by c.name order by c.name

-- name: callbacks
select state, count(*) as events, min(at) as oldest, max(attempts) as attempts from event group by state order by state

-- name: since
-- Parts and money of what left since an hour; the fold and what is not folded yet.
select coalesce(sum(parts), 0)::bigint as parts, coalesce(sum(cost), 0)::bigint as cost
from (select parts, cost from statistic_hour where hour >= $1
      union all select parts, cost from statistic_delta where at >= $1 and at <= $2) both_kinds

-- name: parked
select count(*) from parked_receipt

-- name: by_number
-- What a dialect calls a message: SMS Partner's message_id, Primotexto's snapshotId.
select m.account_id, m.id
from submission s join message m on m.account_id = s.account_id and m.id >= s.id and m.id < s.id + s.messages
where s.number = $1 and s.number > 0
union all
select account_id, id from message where number = $1 and number > 0
order by 2 limit $2

-- name: states
select m.phone, m.state
from submission s join message m on m.account_id = s.account_id and m.id >= s.id and m.id < s.id + s.messages
where s.account_id = $1 and s.dialect = $2 and s.number = $3 and s.number > 0
union all
select phone, state from message
where account_id = $1 and dialect = $2 and number >= $3 and number < $3 + $4::integer and number > 0

-- name: by_id
select a.id as account_id, m.id from account a join message m on m.account_id = a.id and m.id = $1

-- name: by_phone
select account_id, id from message where phone = $1 order by id desc limit $2

-- name: sandboxed
select b.id, b.phone, b.text, b.at, a.email
from sandbox b join account a on a.id = b.account_id
where b.number = $1 or b.phone = $2 or b.id = $3 order by b.id desc limit $4

-- name: message
select m.account_id, m.id, m.number, m.phone, m.country, coalesce(m.text, s.text) as text, m.encoding, m.parts, m.price,
       m.refunded, m.state, m.state_at, m.sent_at, m.submitted_at, m.delivered_at, m.failed_at, m.bounced_at, m.opened_at,
       m.reply_at, m.stopped_at, m.uncertain, m.error, s.dialect, s.number as submission_number, s.accepted_at, s.due_at,
       s.sender, s.tag, s.class, s.service, s.messages, s.cancelled_at, a.email, c.name as carrier
from message m
     join submission s on s.account_id = m.account_id and s.id = m.submission_id
     join account a on a.id = m.account_id
     left join carrier c on c.id = m.carrier_id
where m.account_id = $1 and m.id = $2

-- name: queue_of
-- What of a message still waits, with what goes before it and whether its carrier is there.
select q.part, c.name as carrier, q.lane, q.class, q.due_at, q.valid_until, q.attempts, q.uncertain,
       coalesce(q.lease_until > clock_timestamp(), false) as leased,
       (select count(*) from bind b
        where b.carrier_id = q.carrier_id and b.bound and b.lease_until > clock_timestamp()) as binds,
       (select b.note from bind b where b.carrier_id = q.carrier_id and b.note <> '' order by b.number limit 1) as note,
       (select count(*) from queue o
        where o.carrier_id = q.carrier_id and o.due_at <= $3
          and (o.lane < q.lane or o.lane = q.lane and o.due_at < q.due_at)) as ahead
from queue q left join carrier c on c.id = q.carrier_id
where q.account_id = $1 and q.message_id = $2
order by q.part

-- name: awaiting_of
select a.part, a.operator_id, a.at, c.name as carrier
from awaiting a left join carrier c on c.id = a.carrier_id
where a.at >= $3 and a.account_id = $1 and a.message_id = $2
order by a.part

-- name: events_of
select kind, at, url, attempts, next_at, state, error from event where account_id = $1 and message_id = $2 order by id

-- name: replies_of
select at, text, stop from reply where account_id = $1 and message_id = $2 order by id

-- name: refunds_of
select at, amount from posting where to_account = $1 and message_id = $2 and kind = 2 order by id

-- name: server
select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('full_page_writes') as full_page_writes, clock_timestamp() as at,
       pg_database_size(current_database()) as size

-- name: months
-- Which of these months (YYYYMM) have their partitions.
select m.name from unnest($1::text[]) as m (name) where to_regclass('submission_' || m.name) is not null

-- name: sealed
select id, email, key_sealed from account where key_sealed is not null order by id limit 1

-- name: busiest
select account_id, dialect from statistic_total where tag_key = '' order by messages desc limit $1

-- name: months_closed
select exists (select from posting where kind = 5)

-- name: lease
with due as (
    select account_id, message_id, part from queue
    where carrier_id = $1 and lane = $2 and due_at <= $3 and lease_until is null
    order by due_at limit $4 for update skip locked
)
update queue q set lease_until = clock_timestamp() + $5::interval, lease_owner = $6
from due where q.account_id = due.account_id and q.message_id = due.message_id and q.part = due.part
returning q.account_id, q.message_id, q.part, q.submission_id, q.class, q.attempts, q.uncertain, q.valid_until, q.stop_applies

-- name: texts
select m.account_id, m.id, m.phone, m.text, m.encoding, m.parts
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
     join message m on m.account_id = t.account_id and m.id = t.id

-- name: submissions
select s.account_id, s.id, s.text, s.sender, s.dialect, case when s.test then '' else s.tag_key end as tag_key
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
     join submission s on s.account_id = t.account_id and s.id = t.id

-- name: remove
delete from queue q using unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part

-- name: take
-- The outcome of a lease of ours; what is not returned was recorded before, or belongs to somebody else by now.
delete from queue q using unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part and q.lease_owner = $4
returning q.account_id, q.message_id, q.part

-- name: held
select q.account_id, q.message_id, q.part
from unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
     join queue q on q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part
where q.lease_owner = $4
for update of q

-- name: remove_unleased
delete from queue q using unnest($1::bigint[], $2::bigint[]) as t (account_id, message_id)
where q.account_id = t.account_id and q.message_id = t.message_id and q.lease_until is null
returning q.account_id, q.message_id, q.part, q.attempts

-- name: requeue
update queue q set due_at = t.due_at, attempts = t.attempts, uncertain = t.uncertain, lease_until = null, lease_owner = null
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::smallint[], $6::boolean[])
     as t (account_id, message_id, part, due_at, attempts, uncertain)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part

-- name: release
update queue q set lease_until = null, lease_owner = null
from unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part and q.lease_owner = $4

-- name: rescue
-- Leases that are over: their process died. Leased rows are the oldest of their lane, so a look at its head finds them.
select q.account_id, q.message_id, q.part, q.submission_id, q.class, q.attempts, q.uncertain, q.valid_until, q.stop_applies,
       c.carrier_id
from unnest($1::smallint[]) as c (carrier_id), generate_series(0, 2) as l (lane),
     lateral (select h.account_id, h.message_id, h.part from queue h
              where h.carrier_id = c.carrier_id and h.lane = l.lane and h.due_at <= $2
              order by h.due_at limit 5000) head
     join queue q on q.account_id = head.account_id and q.message_id = head.message_id and q.part = head.part
where q.lease_until < clock_timestamp() - interval '1 second'
for update of q skip locked

-- name: overdue
-- Parts whose validity is over and that nobody holds. A part is retried at most 15 minutes ahead, and its validity is at
-- least an hour, so what is overdue is due.
select q.account_id, q.message_id, q.part, q.attempts
from unnest($1::smallint[]) as c (carrier_id), generate_series(0, 2) as l (lane),
     lateral (select h.account_id, h.message_id, h.part, h.attempts, h.valid_until, h.lease_until from queue h
              where h.carrier_id = c.carrier_id and h.lane = l.lane and h.due_at <= $2
              order by h.due_at limit 2000) q
where q.valid_until <= $3 and q.lease_until is null

-- name: depth
select carrier_id, lane, count(*) as parts, min(due_at) as oldest from queue where due_at <= $1 group by carrier_id, lane

-- name: carriers_in_use
with recursive used as (
    (select carrier_id from queue order by carrier_id limit 1)
    union all
    select (select q.carrier_id from queue q where q.carrier_id > used.carrier_id order by q.carrier_id limit 1)
    from used where used.carrier_id is not null
)
select carrier_id from used where carrier_id is not null

-- name: move
update queue set carrier_id = $2 where carrier_id = $1 and lease_until is null

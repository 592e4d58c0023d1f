-- A plan is made once, perhaps while a table is empty, when every index looks as good as any other. So nothing but the
-- columns of a key meets a table here: `offset 0` keeps a look-up to itself, and constants travel as arrays.

-- name: lease
-- Lease due parts: codes first, then the other lanes in order, the oldest of each first, and tell all that submitting
-- them takes. $2 in all, $3 of lanes other than codes.
with due as (
    select * from (
        select c.* from (select q.account_id, q.message_id, q.part from queue q
                         where q.carrier_id = $1 and q.lane = 0 and q.due_at <= $4 and q.lease_until is null
                         order by q.due_at limit $2 for update skip locked) c
        union all
        select o.* from (select d.account_id, d.message_id, d.part
                         from unnest('{1,2}'::smallint[]) as l (lane),
                              lateral (select q.account_id, q.message_id, q.part from queue q
                                       where q.carrier_id = $1 and q.lane = l.lane and q.due_at <= $4
                                             and q.lease_until is null
                                       order by q.due_at limit $3 for update skip locked) d
                         limit $3) o
    ) every limit $2
), leased as (
    update queue q set lease_until = clock_timestamp() + $5::interval, lease_owner = $6
    from due
    where q.account_id = due.account_id and q.message_id = due.message_id and q.part = due.part
    returning q.*
)
select q.account_id, q.message_id, q.part, q.submission_id, q.class, q.attempts, q.uncertain, q.valid_until, q.carrier_id,
       q.lane, q.lease_until, m.phone, m.text, m.encoding, m.parts, m.state, s.text as shared_text, s.sender, s.dialect,
       s.tag_key, s.flash, s.paused, s.cancelled, q.region, q.stop_applies and exists (
           select from blocked b where b.account_id = q.account_id and b.list = 1 and b.phone = m.phone and not b.deleted
           offset 0) as stopped
from leased q,
     lateral (select phone, text, encoding, parts, state from message m
              where m.account_id = q.account_id and m.id = q.message_id offset 0) m,
     lateral (select text, sender, dialect, tag_key, flash, paused_at is not null as paused,
                     cancelled_at is not null as cancelled
              from submission s
              where s.account_id = q.account_id and s.id = q.submission_id offset 0) s

-- name: remove
delete from queue q using unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part

-- name: record_taken
-- The common outcome, whole in one statement: the only part of a message, taken at the first attempt. A row that is not
-- ours any more was recorded before, or belongs to somebody else: then only its receipt is awaited.
with taken as (
    delete from queue q
    using (select t.*, 1::smallint as part
           from unnest($3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::smallint[], $8::text[])
                as t (account_id, message_id, begun_at, at, dialect, tag_key) offset 0) t
    where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part and q.lease_owner = $2
    returning t.*
), moved as (
    update message m set state = 1, state_at = t.at, sent_at = t.begun_at, submitted_at = t.at, carrier_id = $1
    from taken t where m.account_id = t.account_id and m.id = t.message_id and m.state = 0
), counted as (
    insert into statistic_delta (account_id, dialect, tag_key, at, waiting, sent, submitted)
    select account_id, dialect, tag_key, $12, -count(*), count(*), count(*) from taken group by account_id, dialect, tag_key
), waiting as (
    insert into awaiting (carrier_id, operator_id, account_id, message_id, part, submission_id, phone, at)
    select $1, t.operator_id, t.account_id, t.message_id, 1, t.submission_id, t.phone, t.begun_at
    from unnest($9::text[], $3::bigint[], $4::bigint[], $10::bigint[], $11::bigint[], $5::timestamptz[])
         as t (operator_id, account_id, message_id, submission_id, phone, begun_at)
)
select exists (select from parked_receipt where carrier_id = $1 and operator_id = any($9::text[]))
       or (select count(*) from taken) < cardinality($3::bigint[])

-- name: held
select q.account_id, q.message_id, q.part
-- Under the very lease that `lease_until` names: its owner may have leased the row anew.
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::timestamptz[]) as t (account_id, message_id, part, lease_until)
     join queue q on q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part
where q.lease_owner = $5 and q.lease_until = t.lease_until
for update of q

-- name: remove_unleased
delete from queue q using unnest($1::bigint[], $2::bigint[]) as t (account_id, message_id)
where q.account_id = t.account_id and q.message_id = t.message_id and q.lease_until is null
returning q.account_id, q.message_id, q.part, q.attempts

-- name: remove_uncertain
-- What was to be submitted once more, as its answer was lost, and that nobody holds yet.
delete from queue q using unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part and q.uncertain
      and q.lease_until is null

-- name: requeue
update queue q set due_at = t.due_at, attempts = t.attempts, uncertain = t.uncertain, lease_until = null,
       lease_owner = null, valid_until = coalesce(t.valid_until, q.valid_until)
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::smallint[], $6::boolean[], $7::timestamptz[])
     as t (account_id, message_id, part, due_at, attempts, uncertain, valid_until)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part

-- name: release
update queue q set lease_until = null, lease_owner = null
from unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part

-- name: park
-- Rows of paused submissions, still held: to the lane that nobody leases.
update queue q set lane = 3, lease_until = null, lease_owner = null
from unnest($1::bigint[], $2::bigint[], $3::smallint[]) as t (account_id, message_id, part)
where q.account_id = t.account_id and q.message_id = t.message_id and q.part = t.part

-- name: park_some
-- Up to $4 rows of messages $2 to $3 that nobody holds.
update queue q set lane = 3
from (select account_id, message_id, part from queue
      where account_id = $1 and message_id >= $2 and message_id < $3 and lane <> 3 and lease_until is null
      order by message_id, part limit $4 for update skip locked) few
where q.account_id = few.account_id and q.message_id = few.message_id and q.part = few.part

-- name: unpark_some
-- Up to $4 parked rows of messages $2 to $3, back to lane $5. What was due before $6 is due then, and what was never
-- begun is valid for $7 from its time.
update queue q
set lane = $5, due_at = greatest(q.due_at, $6),
    valid_until = case when q.attempts = 0 then greatest(q.due_at, $6) + $7::interval else q.valid_until end
from (select account_id, message_id, part from queue
      where account_id = $1 and message_id >= $2 and message_id < $3 and lane = 3
      order by message_id, part limit $4 for update) few
where q.account_id = few.account_id and q.message_id = few.message_id and q.part = few.part

-- name: put_off
-- Up to $8 parts of submission $2 like one that was found closed: to mainland mobiles, under the same holidays ($3), due by
-- $4, never begun. They are due at $5, and valid for $6 from then on.
update queue q set due_at = $5, valid_until = $5::timestamptz + $6::interval
from (select w.message_id, w.part
      from (select id, messages from submission where account_id = $1 and id = $2) s,
           lateral (select message_id, part from queue w
                    where w.account_id = $1 and w.message_id >= s.id and w.message_id < s.id + s.messages
                          and w.lane = $7 and w.region = $3 and w.due_at <= $4 and w.attempts = 0
                          and w.lease_until is null
                          and exists (select from message m where m.account_id = $1 and m.id = w.message_id
                                      and m.phone between 33600000000 and 33799999999 offset 0)
                    order by w.message_id, w.part limit $8 for update skip locked) w) few
where q.account_id = $1 and q.message_id = few.message_id and q.part = few.part

-- name: waiting_messages
-- Messages from $2 to $3, up to $4 of them, that have rows which nobody holds, the first first.
select distinct message_id from queue
where account_id = $1 and message_id >= $2 and message_id < $3 and lease_until is null
order by message_id limit $4

-- name: any_leased
-- Whether somebody holds rows of messages $2 to $3.
select exists (select from queue where account_id = $1 and message_id >= $2 and message_id < $3 and lease_until is not null)

-- name: any_left
-- Whether messages $2 to $3 have rows, held or not.
select exists (select from queue where account_id = $1 and message_id >= $2 and message_id < $3)

-- name: rescue
-- Leases that are over: their process died. Leased rows are the oldest of their lane, so a look at its head finds them.
select q.account_id, q.message_id, q.part, q.submission_id, q.class, q.attempts, q.uncertain, q.valid_until, q.carrier_id,
       q.lane, q.lease_until, m.phone, m.text, m.encoding, m.parts, s.text as shared_text, s.sender, s.dialect, s.tag_key,
       s.flash, q.region, false as stopped,
       clock_timestamp() - q.lease_until as over
from unnest($1::smallint[]) as c (carrier_id), generate_series(0, 2) as l (lane),
     lateral (select h.account_id, h.message_id, h.part, h.lease_until from queue h
              where h.carrier_id = c.carrier_id and h.lane = l.lane and h.due_at <= $2
              order by h.due_at limit 5000) head,
     lateral (select * from queue q
              where q.account_id = head.account_id and q.message_id = head.message_id and q.part = head.part
                    and q.lease_until < clock_timestamp() - interval '1 second'
              offset 0 for update skip locked) q,
     lateral (select phone, text, encoding, parts from message m
              where m.account_id = q.account_id and m.id = q.message_id offset 0) m,
     lateral (select text, sender, dialect, tag_key, flash from submission s
              where s.account_id = q.account_id and s.id = q.submission_id offset 0) s
where head.lease_until < clock_timestamp() - interval '1 second'

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

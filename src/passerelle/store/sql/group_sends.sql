-- Submissions to groups, and how far any submission is.

-- name: add
insert into group_send (account_id, submission_id, group_id, text, contacts, dropped) values ($1, $2, $3, $4, $5, $6)

-- name: listing
-- A page of what was sent to groups, the newest first, before submission $2.
select g.submission_id, g.group_id, g.text, g.contacts, g.dropped, s.number, s.messages, s.cost, s.accepted_at, s.due_at,
       s.cancelled_at
from (select submission_id, group_id, text, contacts, dropped from group_send
      where account_id = $1 and submission_id < $2 order by submission_id desc limit $3) g,
     lateral (select number, messages, cost, accepted_at, due_at, cancelled_at from submission s
              where s.account_id = $1 and s.id = g.submission_id offset 0) s
order by g.submission_id desc

-- name: submission
select s.id, s.dialect, s.number, s.messages, s.cost, s.accepted_at, s.due_at, s.cancelled_at, s.paused_at, s.class,
       g.group_id, g.contacts, g.dropped
from (select id, dialect, number, messages, cost, accepted_at, due_at, cancelled_at, paused_at, class from submission
      where account_id = $1 and id = $2) s
     left join lateral (select group_id, contacts, dropped from group_send g
                        where g.account_id = $1 and g.submission_id = s.id offset 0) g on true

-- name: states
-- Its messages $2 to $3 by state, and what left when: parts in all, and since $4.
select state, count(*) as messages, min(sent_at) as first_sent, max(sent_at) as last_sent,
       coalesce(sum(parts) filter (where sent_at is not null), 0)::bigint as parts_sent,
       coalesce(sum(parts) filter (where sent_at > $4), 0)::bigint as parts_lately
from message where account_id = $1 and id >= $2 and id < $3 group by state

-- name: waiting
select carrier_id, lane, count(*) as parts, min(due_at) as due_at from queue
where account_id = $1 and message_id >= $2 and message_id < $3 group by carrier_id, lane

-- name: before
-- Parts that leave sooner: of the lanes $2 what is due by $3, of lane $4 what was due before $5. Not counted beyond a
-- million.
select (select count(*) from (select from unnest($2::smallint[]) as l (lane),
                                     lateral (select from queue q where q.carrier_id = $1 and q.lane = l.lane
                                                                        and q.due_at <= $3 limit 1000000) q) sooner)
     + (select count(*) from (select from queue q where q.carrier_id = $1 and q.lane = $4 and q.due_at < $5
                              limit 1000000) same)

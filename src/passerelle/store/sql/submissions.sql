-- name: insert_batch
-- A whole batch in one statement: submissions, messages, parts of long messages, queue rows, debits, statistics. It
-- writes everything, or nothing where a wallet has another version or too little on it, or a recipient is on a list
-- ($40, $41: the pairs to look at); the count returned says which.
with locked as (
    select account_id, version, balance from wallet
    where account_id = any($37::bigint[]) order by account_id for no key update
), go as (
    select from (values (true)) as v (yes)
    where cardinality($37::bigint[]) = (
            select count(*) from unnest($37::bigint[], $38::integer[], $39::bigint[]) as t (account_id, version, cost)
                   join locked w on w.account_id = t.account_id and w.version = t.version and w.balance >= t.cost)
      and not exists (select from unnest($40::bigint[], $41::bigint[]) as t (account_id, phone),
                             lateral (select from blocked b
                                      where b.account_id = t.account_id and b.list = any('{1,2}'::smallint[])
                                            and b.phone = t.phone and not b.deleted offset 0) b)
      and not exists (select from unnest($41::bigint[]) as t (phone),
                             lateral (select from blocked b
                                      where b.account_id = 0 and b.list = 2 and b.phone = t.phone and not b.deleted
                                      offset 0) b)
), debit as (
    update wallet w set balance = w.balance - t.cost
    from unnest($37::bigint[], $39::bigint[]) as t (account_id, cost), go
    where w.account_id = t.account_id and t.cost > 0
), new_submission as (
    insert into submission (account_id, id, dialect, number, accepted_at, due_at, messages, cost, text, sender, tag, tag_key,
                            campaign_name, class, service, dlr_url, reply_url, test, campaign_id, flash)
    select t.* from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::integer[], $5::timestamptz[], $6::timestamptz[],
                           $7::integer[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
                           $14::smallint[], $15::smallint[], $16::text[], $17::text[], $18::boolean[], $50::bytea[],
                           $51::boolean[]) as t, go
), new_message as (
    insert into message (account_id, id, submission_id, dialect, number, phone, country, text, encoding, parts, price, state_at)
    select t.* from unnest($19::bigint[], $20::bigint[], $21::bigint[], $22::smallint[], $23::integer[], $24::bigint[],
                           $25::text[], $26::text[], $27::smallint[], $28::smallint[], $29::bigint[], $30::timestamptz[]) as t,
                    go
), new_part as (
    insert into part (account_id, message_id, part, state_at)
    select account_id, id, n, accepted_at
    from unnest($19::bigint[], $20::bigint[], $28::smallint[], $30::timestamptz[]) as t (account_id, id, parts, accepted_at),
         go, generate_series(1, parts) as n
    where parts > 1
), new_queue as (
    insert into queue (account_id, message_id, part, submission_id, carrier_id, lane, class, stop_applies, due_at, valid_until,
                       region)
    select account_id, id, n, submission_id, carrier_id, lane, class, stop_applies, due_at, due_at + $34::interval, region
    from unnest($19::bigint[], $20::bigint[], $21::bigint[], $28::smallint[], $31::smallint[], $32::smallint[],
                $33::smallint[], $35::timestamptz[], $36::boolean[], $52::text[])
         as t (account_id, id, submission_id, parts, carrier_id, lane, class, due_at, stop_applies, region),
         go, generate_series(1, parts) as n
), counted as (
    insert into statistic_delta (account_id, dialect, tag_key, at, messages, waiting, parts, cost)
    select t.* from unnest($42::bigint[], $43::smallint[], $44::text[], $45::timestamptz[], $46::integer[], $47::integer[],
                           $48::integer[], $49::bigint[]) as t, go
)
select count(*) from go

-- name: insert_submission
-- One alone; its messages are copied page by page in the same transaction, and its debit comes at the end.
insert into submission (account_id, id, dialect, number, accepted_at, due_at, messages, cost, text, sender, tag, tag_key,
                        campaign_name, class, service, dlr_url, reply_url, test, campaign_id, flash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)

-- name: insert_sandbox
insert into sandbox (account_id, id, submission_id, dialect, number, tag, tag_key, phone, country, text, parts, price, at)
select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::integer[], $6::text[], $7::text[],
                     $8::bigint[], $9::text[], $10::text[], $11::smallint[], $12::bigint[], $13::timestamptz[])

-- name: known_answers
select i.account_id, i.path, i.key, i.body_hash, i.status, i.answer
from unnest($1::bigint[], $2::text[], $3::text[]) as t (account_id, path, key)
     join idempotency i on i.account_id = t.account_id and i.path = t.path and i.key = t.key
where i.at > $4

-- name: insert_answers
insert into idempotency (account_id, path, key, body_hash, status, answer, submission_id, at)
select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::smallint[], $6::bytea[], $7::bigint[], $8::timestamptz[])
on conflict (account_id, path, key) do update
set body_hash = excluded.body_hash, status = excluded.status, answer = excluded.answer,
    submission_id = excluded.submission_id, at = excluded.at
where idempotency.at <= $9

-- name: present
select id from unnest($1::bigint[], $2::bigint[]) as t (account_id, wanted)
     join submission s on s.account_id = t.account_id and s.id = t.wanted
union all
select submission_id from unnest($1::bigint[], $2::bigint[]) as t (account_id, wanted)
     join sandbox s on s.account_id = t.account_id and s.id = t.wanted

-- name: lock_by_number
select id, messages, due_at, cancelled_at from submission
where number = $3 and number > 0 and account_id = $1 and dialect = $2
for update

-- name: lock_by_id
select id, messages, due_at, cancelled_at from submission where account_id = $1 and id = $2 for update

-- name: still_queued
select (select coalesce(sum(m.parts), 0) from message m where m.account_id = $1 and m.id >= $2 and m.id < $3)::int as parts,
       (select count(*) from queue q
        where q.account_id = $1 and q.message_id >= $2 and q.message_id < $3 and q.lease_until is null and q.attempts = 0)::int
       as queued

-- name: is_sandboxed
select exists (select from sandbox where account_id = $1 and dialect = $2 and number = $3)

-- name: mark_cancelled
-- Its pause, if any, is over: nothing is parked any more, nor stopped after 90 days.
update submission set cancelled_at = $3, paused_at = null where account_id = $1 and id = $2

-- name: accepted_on
select account_id, messages from quota_day where account_id = any($1::bigint[]) and day = $2

-- name: count_accepted
insert into quota_day as q (account_id, day, messages)
select account_id, $2, messages from unnest($1::bigint[], $3::integer[]) as t (account_id, messages)
on conflict (account_id, day) do update set messages = q.messages + excluded.messages

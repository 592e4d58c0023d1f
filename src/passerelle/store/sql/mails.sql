-- The platform's own mails: written with what they tell of, leased by a worker, deleted when a mail server has taken them.

-- name: insert
insert into mail (account_id, recipient, subject, text_sealed, created_at, valid_until, next_at)
values ($1, $2, $3, $4, $5, $6, $5)

-- name: lease
update mail set lease_until = clock_timestamp() + $3::interval
where id = any (array(
    select id from mail
    where state = 0 and next_at <= $1 and (lease_until is null or lease_until <= clock_timestamp())
    order by next_at limit $2 for update skip locked))
returning id, account_id, recipient, subject, text_sealed, created_at, valid_until, attempts

-- name: sent
delete from mail where id = $1

-- name: failed
-- No next time: given up.
update mail set attempts = $2, error = $3, lease_until = null, next_at = coalesce($4, next_at),
                state = case when $4::timestamptz is null then 1 else 0 end
where id = $1

-- name: drop_of_account
delete from mail where account_id = $1

-- name: listing
select id, account_id, recipient, subject, created_at, valid_until, attempts, next_at, state, error
from mail order by id desc limit $1

-- name: again
update mail set state = 0, attempts = 0, next_at = $1, lease_until = null where state = 1 or next_at > $1

-- name: tally
-- How many wait, since when the oldest does, and how many were given up.
select count(*) filter (where state = 0) as waiting, min(created_at) filter (where state = 0) as oldest,
       count(*) filter (where state = 1) as given_up,
       (select error from mail where error <> '' order by id desc limit 1) as error
from mail

-- name: written_since
-- Mails to this address and by this account, each counted up to its limit.
select (select count(*) from (select from mail_written where recipient = lower($2) and at > $3 limit $4) to_address),
       (select count(*) from (select from mail_written where account_id = $1 and at > $3 limit $5) by_account)

-- name: note_written
insert into mail_written (account_id, recipient, at) values ($1, lower($2), $3)

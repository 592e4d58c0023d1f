-- Endpoints of webhooks, and the log of what was delivered to them.

-- name: insert
insert into webhook_endpoint (account_id, url, description, events, secret_sealed, created_at)
values ($1, $2, $3, $4, $5, $6)
returning id, account_id, url, description, events, created_at, disabled_at, disabled_why, previous_until

-- name: count
select count(*) from webhook_endpoint where account_id = $1 and removed_at is null

-- name: listing
select id, account_id, url, description, events, created_at, disabled_at, disabled_why, previous_until
from webhook_endpoint where account_id = $1 and removed_at is null and id < $2 order by id desc limit $3

-- name: find
select id, account_id, url, description, events, created_at, disabled_at, disabled_why, previous_until
from webhook_endpoint where account_id = $1 and id = $2 and removed_at is null

-- name: update
update webhook_endpoint
set url = $3, description = $4, events = $5,
    disabled_at = case when $6 then null else coalesce(disabled_at, $7) end,
    disabled_why = case when $6 then '' when disabled_at is null then 'by its owner' else disabled_why end
where account_id = $1 and id = $2 and removed_at is null
returning id, account_id, url, description, events, created_at, disabled_at, disabled_why, previous_until

-- name: remove
-- What waits for it goes with it.
with gone as (
    update webhook_endpoint set removed_at = $3 where account_id = $1 and id = $2 and removed_at is null returning id
), events as (
    delete from event e using gone g where e.account_id = $1 and e.endpoint_id = g.id
)
select count(*) from gone

-- name: disable
-- What waits for it is given up.
with off as (
    update webhook_endpoint set disabled_at = $2, disabled_why = $3 where id = $1 and disabled_at is null
    returning id, account_id
), given_up as (
    update event e set state = 1, error = $3 from off
    where e.account_id = off.account_id and e.endpoint_id = off.id and e.state < 1
)
update webhook_delivery d set state = 1, next_at = null from off
where d.account_id = off.account_id and d.endpoint_id = off.id and d.state = 0

-- name: rotate
update webhook_endpoint set previous_secret_sealed = secret_sealed, previous_until = $4, secret_sealed = $3
where account_id = $1 and id = $2 and removed_at is null

-- name: secrets
select secret_sealed, case when previous_until > $2 then previous_secret_sealed end from webhook_endpoint where id = $1

-- name: of_accounts
select account_id, id, url, events from webhook_endpoint
where account_id = any($1::bigint[]) and removed_at is null and disabled_at is null
order by account_id, id

-- name: log
-- The last attempt counts; one that comes late, behind its successor, changes nothing.
insert into webhook_delivery as d (account_id, endpoint_id, uuid, message_id, kind, at, body, attempts, status, error, state,
                                   tried_at, next_at)
select * from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::bigint[], $5::smallint[], $6::timestamptz[], $7::text[],
                     $8::smallint[], $9::smallint[], $10::text[], $11::smallint[], $12::timestamptz[], $13::timestamptz[])
on conflict (account_id, endpoint_id, uuid) do update
set attempts = excluded.attempts, status = excluded.status, error = excluded.error, state = excluded.state,
    tried_at = excluded.tried_at, next_at = excluded.next_at
where d.tried_at <= excluded.tried_at

-- name: deliveries
select id, uuid::text, message_id, kind, at, body, attempts, status, error, state, tried_at, next_at
from webhook_delivery
where account_id = $1 and endpoint_id = $2 and id < $3 and state = any($4::smallint[])
order by id desc limit $5

-- name: replay
-- With its id and its words; what is still on its way is only hurried. $4: these deliveries, or, where it is null, those
-- since $5 in one of the states $8, the oldest first.
with endpoint as (
    select id, url from webhook_endpoint where account_id = $1 and id = $2 and removed_at is null and disabled_at is null
), wanted as (
    select d.account_id, d.endpoint_id, d.uuid, d.message_id, d.kind, d.at, d.body, e.url
    from endpoint e, webhook_delivery d
    where d.account_id = $1 and d.endpoint_id = e.id
      and (d.id = any($4::bigint[]) or $4 is null and d.at >= $5 and d.state = any($8::smallint[]))
    order by d.id limit $6
), hurried as (
    update event v set state = 0, attempts = 0, next_at = $3, lease_until = null, url = w.url, endpoint = $7
    from wanted w
    where v.account_id = w.account_id and v.message_id = w.message_id and v.endpoint_id = w.endpoint_id and v.uuid = w.uuid
      and (v.lease_until is null or v.lease_until <= clock_timestamp())
    returning v.uuid
), anew as (
    insert into event (uuid, account_id, message_id, kind, at, endpoint, url, content_type, body, next_at, endpoint_id)
    select w.uuid, w.account_id, w.message_id, w.kind, w.at, $7, w.url, 'application/json', w.body, $3, w.endpoint_id
    from wanted w
    where not exists (select from event v where v.account_id = w.account_id and v.message_id = w.message_id
                      and v.endpoint_id = w.endpoint_id and v.uuid = w.uuid)
    returning uuid
)
select (select count(*) from hurried) + (select count(*) from anew)

-- name: forget_deliveries
delete from webhook_delivery
where ctid = any (array(select ctid from webhook_delivery where tried_at < $1 order by tried_at limit $2))

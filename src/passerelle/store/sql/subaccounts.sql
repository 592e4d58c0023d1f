-- Sub-accounts of a main account: every look-up begins with the parent, who sees its own and nobody else's.

-- name: email_is_used
select exists (select from account where lower(email) = lower($1))

-- name: insert
insert into subaccount (parent_id, account_id, token, type, is_buyer, title, created_at)
values ($1, $2, $3, $4, $5, $6, $7)

-- name: find
select account_id from subaccount where token = $2 and parent_id = $1 and removed_at is null

-- name: is_open
-- Asked under the lock of the wallet, which whoever removes has first.
select exists (select from subaccount where account_id = $1 and removed_at is null)

-- name: page
select s.number, s.account_id, s.token, s.type, s.is_buyer, s.title, s.created_at, s.signed_up_at, a.email, a.firstname,
       a.lastname, a.key_sealed, w.balance, w.state
from (select * from subaccount where parent_id = $1 and number > $2 and removed_at is null
      order by number offset $3 limit $4) s,
     lateral (select email, firstname, lastname, key_sealed from account a where a.id = s.account_id offset 0) a,
     lateral (select balance, state from wallet w where w.account_id = s.account_id offset 0) w
order by s.number

-- name: one
select s.number, s.account_id, s.token, s.type, s.is_buyer, s.title, s.created_at, s.signed_up_at, a.email, a.firstname,
       a.lastname, a.key_sealed, w.balance, w.state
from subaccount s,
     lateral (select email, firstname, lastname, key_sealed from account a where a.id = s.account_id offset 0) a,
     lateral (select balance, state from wallet w where w.account_id = s.account_id offset 0) w
where s.token = $2 and s.parent_id = $1 and s.removed_at is null

-- name: total
select count(*) from subaccount where parent_id = $1 and removed_at is null

-- name: figures
-- Of each account: what became of its messages, and parts and cost of what left from $2 to $3, up to $4 in the deltas.
select a.account_id, t.messages, t.waiting, t.delivered, t.failed, c.parts, c.cost
from unnest($1::bigint[]) as a (account_id),
     lateral (
         select coalesce(sum(messages), 0)::bigint as messages, coalesce(sum(waiting), 0)::bigint as waiting,
                coalesce(sum(delivered), 0)::bigint as delivered, coalesce(sum(errors + bounced), 0)::bigint as failed
         from (
             select messages, waiting, delivered, errors, bounced from statistic_total
             where account_id = a.account_id and dialect = any('{1,2,3,4,5}'::smallint[])
                   and tag_key = any(array['', E'\x1ftest'])
             union all
             select messages, waiting, delivered, errors, bounced from statistic_delta
             where account_id = a.account_id and not counted
         ) every) t,
     lateral (
         select coalesce(sum(parts), 0)::bigint as parts, coalesce(sum(cost), 0)::bigint as cost
         from (
             select h.parts, h.cost
             from unnest('{1,2,3,4,5}'::smallint[]) as d (dialect),
                  lateral (select parts, cost from statistic_hour h
                           where h.account_id = a.account_id and h.dialect = d.dialect and h.hour >= $2 and h.hour < $3
                           offset 0) h
             union all
             select parts, cost from statistic_delta
             where account_id = a.account_id and at >= $2 and at < $3 and at <= $4
         ) every) c

-- name: mark_removed
update subaccount set removed_at = $2 where account_id = $1 and removed_at is null returning true

-- name: close_account
-- Its key dies, and its address becomes free: no address has a blank.
update account set key_hash = null, key_sealed = null, email = email || ' (removed ' || id || ')' where id = $1

-- name: close_wallet
update wallet set state = 1, version = version + 1 where account_id = $1

-- name: waiting
-- Messages whose time has not come, or that are parked, and of which a part was never begun.
select distinct account_id, message_id, submission_id
from (select account_id, message_id, submission_id
      from (select * from queue where account_id = $1 order by message_id, part offset 0) q
      where (due_at > $2 or lane = 3) and lease_until is null and attempts = 0
      limit $3) next

-- name: mark_cancelled
update submission s set cancelled_at = $3, paused_at = null from unnest($2::bigint[]) as t (id)
where s.account_id = $1 and s.id = t.id and s.cancelled_at is null

-- name: unsettled
-- Removed since $1, with money on it or a message whose time has not come ($2), or that is parked.
select s.parent_id, s.account_id
from subaccount s,
     lateral (select balance from wallet w where w.account_id = s.account_id offset 0) w
where s.removed_at > $1
      and (w.balance > 0 or exists (
              select from (select due_at, lane, lease_until, attempts from queue q where q.account_id = s.account_id offset 0) q
              where (q.due_at > $2 or q.lane = 3) and q.lease_until is null and q.attempts = 0))
order by s.removed_at limit 100

-- name: end_invitations
update signup set expires_at = least(expires_at, $2) where account_id = $1 and used_at is null

-- name: insert_invitation
insert into signup (token_hash, account_id, expires_at) values ($1, $2, $3)

-- name: invitation
select i.account_id, i.expires_at, i.used_at, a.email, a.firstname, a.lastname, p.email as parent_email,
       p.firstname as parent_firstname, p.lastname as parent_lastname
from signup i join account a on a.id = i.account_id join account p on p.id = a.parent_id
where i.token_hash = $1

-- name: use_invitation
-- Of a removed sub-account none is good, whatever its end.
update signup i set used_at = $2
where token_hash = $1 and used_at is null and expires_at > $2
  and not exists (select from subaccount s where s.account_id = i.account_id and s.removed_at is not null)
returning account_id

-- name: insert_login
insert into login (account_id, mobile, password_hash, created_at) values ($1, $2, $3, $4)
on conflict (account_id) do update set mobile = excluded.mobile, password_hash = excluded.password_hash

-- name: name_account
update account set firstname = $2, lastname = $3 where id = $1

-- name: mark_signed_up
update subaccount set signed_up_at = $2 where account_id = $1

-- name: of_email
select s.parent_id, s.account_id, s.token, s.type, s.signed_up_at
from account a join subaccount s on s.account_id = a.id
where a.email = $1 and s.removed_at is null

-- name: every
select s.parent_id, p.email as parent, s.account_id, a.email, s.type, s.token, w.balance, s.created_at, s.signed_up_at
from subaccount s join account a on a.id = s.account_id join account p on p.id = s.parent_id
     join wallet w on w.account_id = s.account_id
where s.removed_at is null and ($1::bigint is null or s.parent_id = $1)
order by s.parent_id, s.number

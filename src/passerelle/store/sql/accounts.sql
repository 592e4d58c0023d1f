-- A sub-account whose main account is disabled or blocked is so too.

-- name: by_key
select a.id, a.parent_id, a.email, a.firstname, a.lastname, a.settings, a.key_hash, a.secret_sealed, a.previous_secret_sealed,
       w.version, case when w.state = 0 and p.state = any('{1,2}') then p.state else w.state end as state, w.balance,
       array(select v.phone from virtual_number v where v.account_id = a.id and v.enabled) as numbers
from account a join wallet w on w.account_id = a.id left join wallet p on p.account_id = a.parent_id
where a.key_hash = $1

-- name: by_id
select a.id, a.parent_id, a.email, a.firstname, a.lastname, a.settings, a.key_hash, a.secret_sealed, a.previous_secret_sealed,
       w.version, case when w.state = 0 and p.state = any('{1,2}') then p.state else w.state end as state, w.balance,
       array(select v.phone from virtual_number v where v.account_id = a.id and v.enabled) as numbers
from account a join wallet w on w.account_id = a.id left join wallet p on p.account_id = a.parent_id
where a.id = $1

-- name: by_email
select id from account where email = $1

-- name: all_accounts
select a.id, a.parent_id, a.email, a.firstname, a.lastname, w.state, w.balance, a.created_at
from account a join wallet w on w.account_id = a.id
order by a.id

-- name: prices
select account_id, service, country, price from price where account_id = any($1::bigint[]) order by account_id

-- name: refused_senders
select name from protected_sender p
where not exists (select from sender_grant g where g.account_id = $1 and g.name = p.name)

-- name: insert_account
insert into account (id, parent_id, email, firstname, lastname, key_hash, key_sealed, secret_sealed, settings, created_at)
values (nextval('account_number'), $1, $2, $3, $4, $5, $6, $7, $8, $9)
returning id

-- name: insert_wallet
insert into wallet (account_id) values ($1)

-- name: replace_key
update account set key_hash = $2, key_sealed = $3 where id = $1

-- name: replace_secret
update account set previous_secret_sealed = secret_sealed, secret_sealed = $2 where id = $1

-- name: sealed_key
select key_sealed from account where id = $1

-- name: change_settings
update account set settings = settings || $2 where id = $1

-- name: touch
update wallet set version = version + 1 where account_id = $1

-- name: touch_children
-- What sub-accounts take from their main account, its prices and whether it is blocked, has changed.
update wallet w set version = w.version + 1
from (select account_id from subaccount where parent_id = $1 offset 0) s
where w.account_id = s.account_id

-- name: touch_all
update wallet set version = version + 1

-- name: set_state
update wallet set state = $2, version = version + 1 where account_id = $1

-- name: set_price
insert into price (account_id, service, country, price) values ($1, $2, $3, $4)
on conflict (account_id, service, country) do update set price = excluded.price

-- name: protect_sender
insert into protected_sender (name) values ($1) on conflict do nothing

-- name: grant_sender
insert into sender_grant (account_id, name) values ($1, $2) on conflict do nothing

-- name: insert_posting
insert into posting (at, from_account, to_account, amount, kind, submission_id, message_id, note)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: insert_refunds
insert into posting (at, from_account, to_account, amount, kind, submission_id, message_id)
select $1, 1, t.account_id, t.amount, 2, t.submission_id, t.message_id
from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as t (account_id, amount, submission_id, message_id)
where t.amount > 0

-- name: insert_failovers
insert into posting (at, from_account, to_account, amount, kind, submission_id, message_id)
select $1, t.account_id, 1, t.amount, 8, t.submission_id, t.message_id
from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as t (account_id, amount, submission_id, message_id)
where t.amount > 0

-- name: lock_wallets
select account_id, version, state, balance from wallet
where account_id = any($1::bigint[]) order by account_id for no key update

-- name: add_to_wallets
update wallet w set balance = w.balance + t.amount
from unnest($1::bigint[], $2::bigint[]) as t (account_id, amount)
where w.account_id = t.account_id

-- name: add_to_wallet
update wallet set balance = balance + $2 where account_id = $1 returning balance

-- name: balance
select balance from wallet where account_id = $1

-- name: account_sum
select coalesce(sum(case when to_account = $1 then amount else -amount end), 0)::bigint
from ledger where from_account = $1 or to_account = $1

-- name: wrong_wallets
select w.account_id, w.balance, coalesce(t.total, 0) as ledger
from wallet w left join (
    select account_id, sum(amount)::bigint as total from (
        select to_account as account_id, amount from ledger union all select from_account, -amount from ledger
    ) sides group by account_id
) t on t.account_id = w.account_id
where w.balance <> coalesce(t.total, 0)

-- name: alone
-- Until the end of the transaction nobody else counts this call of this account.
select pg_advisory_xact_lock(hashtextextended($2, $1::bigint));

-- name: counted
select count(*)::integer, min(at) from rate_call where account_id = $1 and call = $2 and at > $3;

-- name: insert
with forgotten as (
    delete from rate_call where account_id = $1 and call = $2 and at <= $4
)
insert into rate_call (account_id, call, at) values ($1, $2, $3);

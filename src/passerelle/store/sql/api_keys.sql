-- Keys of the native API. The whole key is nowhere.

-- name: insert
insert into native_key (account_id, name, prefix, key_hash, scopes, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
returning id, account_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at

-- name: find
select id, account_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
from native_key where key_hash = $1

-- name: listing
select id, account_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
from native_key where account_id = $1 and id < $2 order by id desc limit $3

-- name: revoke
update native_key set revoked_at = $3 where id = $2 and account_id = $1 and revoked_at is null

-- name: used
update native_key set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $2)

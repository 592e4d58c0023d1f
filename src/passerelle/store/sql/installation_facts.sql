-- name: get_fact
select value from installation where name = $1

-- name: set_fact
insert into installation (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value

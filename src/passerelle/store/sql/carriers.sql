-- name: named
insert into carrier (name) values ($1) on conflict (name) do nothing

-- name: id_of
select id from carrier where name = $1

-- name: hold_bind
-- Take or keep a bind: the clock of the database decides.
insert into bind (carrier_id, number, owner, lease_until, bound, note, changed_at)
values ($1, $2, $3, clock_timestamp() + $4::interval, $5, $6, clock_timestamp())
on conflict (carrier_id, number) do update
set owner = excluded.owner, lease_until = excluded.lease_until, bound = excluded.bound, note = excluded.note,
    changed_at = case when bind.bound = excluded.bound and bind.owner = excluded.owner then bind.changed_at else excluded.changed_at end
where bind.owner = excluded.owner or bind.owner is null or bind.lease_until < clock_timestamp()
returning true

-- name: let_go
update bind set owner = null, lease_until = null, bound = false where owner = $1

-- name: binds
select c.name, b.number, b.bound and b.lease_until > clock_timestamp() as bound, b.note, b.changed_at, b.owner, b.carrier_id
from bind b join carrier c on c.id = b.carrier_id
order by c.name, b.number

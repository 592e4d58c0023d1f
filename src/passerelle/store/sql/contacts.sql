-- Groups and contacts. Everything is looked up under its account.

-- name: add_group
insert into contact_group (account_id, token, name, created_at, special, rented) values ($1, $2, $3, $4, $5, $6)
returning id, token, name, created_at, special, rented

-- name: group_by_id
select id, token, name, created_at, special, rented from contact_group where account_id = $1 and id = $2

-- name: group_by_token
select id, token, name, created_at, special, rented from contact_group where token = $2 and account_id = $1

-- name: groups
-- A page after group $2.
select id, token, name, created_at, special, rented from contact_group
where account_id = $1 and id > $2 order by id limit $3

-- name: groups_of
select id, token, name, created_at, special, rented from contact_group
where account_id = $1 and id = any($2::integer[])

-- name: groups_named
select id, token, name, created_at, special, rented from contact_group
where account_id = $1 and name = $2 order by id limit 2

-- name: rename_group
update contact_group set name = $3 where account_id = $1 and id = $2 returning id

-- name: lock_group
-- Whether it is there, and stays until the end of the transaction.
select true from contact_group where account_id = $1 and id = $2 for key share

-- name: delete_group
delete from contact_group where account_id = $1 and id = $2 returning id

-- name: delete_contacts_of
delete from contact where account_id = $1 and group_id = $2

-- name: delete_refusals_of
delete from contact_refusal r using contact_import i
where i.account_id = $1 and i.group_id = $2 and r.account_id = $1 and r.import_id = i.id

-- name: delete_imports_of
delete from contact_import where account_id = $1 and group_id = $2

-- name: count
select count(*) from contact where account_id = $1 and group_id = $2

-- name: standing
-- What is known of numbers in the order given: whether one is in the group, and with which file it came; whether it is
-- on the stop list; whether its last HLR result says that nobody has it.
select c.phone is not null as present, c.import_id, b.phone is not null as stopped, d.phone is not null as dead
from unnest($3::bigint[]) with ordinality as t (phone, n)
     left join lateral (select phone, import_id from contact c
                        where c.account_id = $1 and c.group_id = $2 and c.phone = t.phone offset 0) c on true
     left join lateral (select phone from blocked b
                        where b.account_id = $1 and b.list = any('{1}'::smallint[]) and b.phone = t.phone
                              and not b.deleted offset 0) b on true
     left join lateral (select phone from dead_subscriber d
                        where d.account_id = $1 and d.phone = t.phone offset 0) d on true
order by t.n

-- name: add
-- Contacts in the order given; a number that somebody else has just added is passed over.
insert into contact (account_id, group_id, token, phone, firstname, lastname, date, url, short_url, custom1, custom2,
                     custom3, custom4, created_at, import_id)
select $1, $2, token, phone, firstname, lastname, date, url, short_url, custom1, custom2, custom3, custom4, $14, $15
from unnest($3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::date[], $8::text[], $9::text[], $10::text[],
            $11::text[], $12::text[], $13::text[])
     with ordinality as t (token, phone, firstname, lastname, date, url, short_url, custom1, custom2, custom3, custom4, n)
order by n
on conflict (account_id, group_id, phone) do nothing
returning phone

-- name: page
-- So many contacts of a group from the $3th on, the oldest first, each with whether it is on the stop list now.
select c.*, exists (select from blocked b where b.account_id = $1 and b.list = 1 and b.phone = c.phone and not b.deleted
                    offset 0) as stopped
from (select id, group_id, token, phone, firstname, lastname, date, url, short_url, custom1, custom2, custom3, custom4,
             created_at, link
      from contact where account_id = $1 and group_id = $2 order by id offset $3 limit $4) c
order by c.id

-- name: after
-- So many contacts of a group after contact $3, the oldest first.
select c.*, exists (select from blocked b where b.account_id = $1 and b.list = 1 and b.phone = c.phone and not b.deleted
                    offset 0) as stopped
from (select id, group_id, token, phone, firstname, lastname, date, url, short_url, custom1, custom2, custom3, custom4,
             created_at, link
      from contact where account_id = $1 and group_id = $2 and id > $3 order by id limit $4) c
order by c.id

-- name: extent
select count(*), coalesce(max(id), 0) from contact where account_id = $1 and group_id = $2

-- name: recipients
-- What a send to a group takes: so many after contact $3.
select id, phone, firstname, lastname, date, url, coalesce(nullif(short_url, ''), link) as short_url, custom1, custom2,
       custom3, custom4
from contact where account_id = $1 and group_id = $2 and id > $3 order by id limit $4

-- name: of_phones
select c.id, c.phone, c.firstname, c.lastname, c.date, c.url, coalesce(nullif(c.short_url, ''), c.link) as short_url,
       c.custom1, c.custom2, c.custom3, c.custom4
from unnest($3::bigint[]) as t (phone),
     lateral (select * from contact c where c.account_id = $1 and c.group_id = $2 and c.phone = t.phone offset 0) c

-- name: find
select c.*, exists (select from blocked b where b.account_id = $1 and b.list = 1 and b.phone = c.phone and not b.deleted
                    offset 0) as stopped
from (select id, group_id, token, phone, firstname, lastname, date, url, short_url, custom1, custom2, custom3, custom4,
             created_at, link
      from contact where token = $2 and account_id = $1) c

-- name: lock
select id, group_id, token, phone, firstname, lastname, date, url, short_url, custom1, custom2, custom3, custom4,
       created_at, link, false as stopped
from contact where token = $2 and account_id = $1 for update

-- name: write
update contact set phone = $3, firstname = $4, lastname = $5, date = $6, url = $7, short_url = $8, custom1 = $9,
       custom2 = $10, custom3 = $11, custom4 = $12, link = case when url = $7 then link else '' end
where token = $2 and account_id = $1

-- name: keep_links
-- Short links made for contacts that have none yet, and whose link is still the one they were made for.
update contact c set link = t.link
from unnest($2::bytea[], $3::text[], $4::text[]) as t (token, url, link)
where c.token = t.token and c.account_id = $1 and c.link = '' and c.url = t.url
returning c.id

-- name: links_of
select c.id, c.link
from unnest($2::bytea[]) as t (token),
     lateral (select id, link from contact c where c.token = t.token and c.account_id = $1 offset 0) c

-- name: delete
delete from contact where token = $2 and account_id = $1 returning id

-- Lists of contacts, their columns, their contacts. Everything is looked up under its account.

-- name: add
insert into contact_list (account_id, token, name, created_at) values ($1, $2, $3, $4) returning id, token, name, region

-- name: find
select id, token, name, region from contact_list where token = $2 and account_id = $1

-- name: listing
select id, token, name, region from contact_list where account_id = $1 order by id

-- name: named
select id, token, name, region from contact_list where account_id = $1 and name = $2 order by id limit 2

-- name: lock
-- Whether it is there, and stays until the end of the transaction.
select true from contact_list where account_id = $1 and id = $2 for key share

-- name: lock_alone
-- The same, while nobody adds contacts.
select true from contact_list where account_id = $1 and id = $2 for update

-- name: by_id
select id, token, name, region from contact_list where account_id = $1 and id = $2

-- name: set_region
update contact_list set region = $3 where account_id = $1 and id = $2

-- name: members_of
-- Of these numbers those that the list has.
select c.id, c.token, c.phone, c.attributes
from unnest($3::bigint[]) as t (phone),
     lateral (select id, token, phone, attributes from list_contact c
              where c.account_id = $1 and c.list_id = $2 and c.phone = t.phone offset 0) c

-- name: delete
delete from contact_list where token = $2 and account_id = $1 returning id

-- name: delete_columns_of
delete from list_column where account_id = $1 and list_id = $2

-- name: delete_contacts_of
delete from list_contact where account_id = $1 and list_id = $2

-- name: columns
select token, name, kind, format from list_column
where account_id = $1 and list_id = $2 and deleted_at is null order by id

-- name: columns_of_all
select list_id, token, name, kind, format from list_column
where account_id = $1 and deleted_at is null order by list_id, id

-- name: add_columns
insert into list_column (account_id, list_id, token, name, kind, format)
select $1, $2, token, name, kind, format
from unnest($3::bytea[], $4::text[], $5::smallint[], $6::text[]) with ordinality as t (token, name, kind, format, n)
order by n

-- name: delete_column
update list_column set deleted_at = $4
where token = $3 and account_id = $1 and list_id = $2 and deleted_at is null
returning id

-- name: deleted_column
-- One whose values are to be erased, and that nobody erases at this moment.
select account_id, list_id, id, token, erased_to from list_column
where deleted_at is not null order by id limit 1 for update skip locked

-- name: erase_page
-- The values under key $3 in the next $5 contacts behind contact $4; the last of them.
with page as materialized (
    select id from list_contact where account_id = $1 and list_id = $2 and id > $4 order by id limit $5
), erased as (
    update list_contact c set attributes = attributes - $3::text
    from page where c.account_id = $1 and c.list_id = $2 and c.id = page.id and c.attributes ? $3
)
select id from page order by id desc limit 1

-- name: erased_to
update list_column set erased_to = $4 where account_id = $1 and list_id = $2 and id = $3

-- name: forget_column
delete from list_column where account_id = $1 and list_id = $2 and id = $3

-- name: present
-- Which of these numbers the list has.
select c.phone
from unnest($3::bigint[]) as t (phone),
     lateral (select phone from list_contact c
              where c.account_id = $1 and c.list_id = $2 and c.phone = t.phone offset 0) c

-- name: add_contacts
-- In the order given; a number that somebody else has just added is passed over.
insert into list_contact (account_id, list_id, token, phone, attributes, created_at)
select $1, $2, token, phone, attributes, $6
from unnest($3::bytea[], $4::bigint[], $5::jsonb[]) with ordinality as t (token, phone, attributes, n)
order by n
on conflict (account_id, list_id, phone) do nothing
returning phone

-- name: page
-- So many contacts after contact $3, the oldest first.
select id, token, phone, attributes from list_contact
where account_id = $1 and list_id = $2 and id > $3 order by id limit $4

-- name: extent
select count(*), coalesce(max(id), 0) from list_contact where account_id = $1 and list_id = $2

-- name: count
select count(*) from list_contact where account_id = $1 and list_id = $2

-- name: delete_contact
delete from list_contact where token = $3 and account_id = $1 and list_id = $2 returning id

-- name: delete_phone
delete from list_contact where account_id = $1 and list_id = $2 and phone = $3 returning id

-- name: count_posted
-- One more posted on day $2, unless it were more than $3: then no row.
insert into list_day as d (account_id, day, contacts) values ($1, $2, 1)
on conflict (account_id, day) do update set contacts = d.contacts + 1 where d.contacts < $3
returning contacts

-- name: forget_days
delete from list_day where day < $1

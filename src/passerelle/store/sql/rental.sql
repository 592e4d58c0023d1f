-- The contact base and its rentals. People who match are counted in the index of `rental_offer` alone, a range of postcodes
-- at a time. Those of the renter's own stop list are few beside them: they are counted apart and taken off.

-- name: count
-- $1, $2: ranges of postcodes. $3 the interest, $4 a second one or 0. $5, $6 years of birth. $7 sexes. $8 category or 0.
-- $9 the day.
select p.n::int as place, found.people
from unnest($1::text[], $2::text[]) with ordinality as p (low, high, n),
     lateral (select count(*) as people from rental_offer o
              where o.interest = $3 and o.zipcode >= p.low and o.zipcode < p.high
                and o.birth_year between $5 and $6 and o.sex = any($7::smallint[])
                and ($8::int = 0 or o.category = $8) and o.consent_until >= $9
                and ($4::int = 0 or exists (select from rental_offer b
                                            where b.interest = $4 and b.zipcode = o.zipcode and b.phone = o.phone))
              offset 0) as found

-- name: count_kept_out
-- As above, of the people who are on the stop list of account $10; since $11 (where it is given) also of those it rented.
select p.n::int as place, count(*) as people
from (select phone from blocked where account_id = $10 and list = any('{1}'::smallint[]) and not deleted
      union
      select phone from rental_number where account_id = $10 and rented_at > $11::timestamptz) as out,
     lateral (select o.zipcode from rental_person w, rental_offer o
              where w.phone = out.phone and o.interest = $3 and o.zipcode = w.zipcode and o.phone = w.phone
                and o.birth_year between $5 and $6 and o.sex = any($7::smallint[])
                and ($8::int = 0 or o.category = $8) and o.consent_until >= $9
                and ($4::int = 0 or exists (select from rental_offer b
                                            where b.interest = $4 and b.zipcode = o.zipcode and b.phone = o.phone))
              offset 0) as o,
     unnest($1::text[], $2::text[]) with ordinality as p (low, high, n)
where o.zipcode >= p.low and o.zipcode < p.high
group by p.n

-- name: draw
-- Shuffled first, and looked at one by one until there are enough: of a thousand that are wanted of a million, a thousand.
-- $1, $2 one range; $3 to $11 as above; $12 how many, $13 the rental, $14 the time.
insert into rental_number (account_id, phone, rental_id, rented_at)
select $10, c.phone, $13, $14
from (select o.phone from rental_offer o
      where o.interest = $3 and o.zipcode >= $1 and o.zipcode < $2
        and o.birth_year between $5 and $6 and o.sex = any($7::smallint[])
        and ($8::int = 0 or o.category = $8) and o.consent_until >= $9
        and ($4::int = 0 or exists (select from rental_offer b
                                    where b.interest = $4 and b.zipcode = o.zipcode and b.phone = o.phone))
      order by random() offset 0) as c
where not exists (select from blocked b
                  where b.account_id = $10 and b.list = any('{1}'::smallint[]) and b.phone = c.phone and not b.deleted
                  offset 0)
  and not exists (select from rental_number r
                  where r.account_id = $10 and r.phone = c.phone and r.rented_at > $11::timestamptz offset 0)
limit $12

-- name: parent
select coalesce((select parent from rental_interest where id = $1), 0)

-- name: lock_account
-- One rental of an account at a time is counted, and one drawn.
select pg_advisory_xact_lock(hashtextextended('rental/' || $1::bigint, 0))

-- name: pending
-- What rentals with the same criteria are going to draw.
select places from rental
where account_id = $1 and state < 2 and criteria = $2::jsonb

-- name: insert
insert into rental (account_id, token, requested_at, criteria, places, quantity, unit_price, total, url)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: find
select account_id, id, token, requested_at, criteria, places, quantity, unit_price, total, url, state, attempts,
       ended_at, downloaded_at
from rental where token = $2 and account_id = $1

-- name: listing
select account_id, id, token, requested_at, criteria, places, quantity, unit_price, total, url, state, attempts,
       ended_at, downloaded_at
from rental where account_id = $1 and id < $2
order by id desc limit $3

-- name: lock
-- No row: somebody else holds it.
select state, lease_until from rental where account_id = $1 and id = $2 for no key update skip locked

-- name: lease
-- Also of a worker that died: what it had drawn was not committed.
with due as materialized (
    select account_id, id from rental
    where state < 2 and (lease_until is null or lease_until <= clock_timestamp())
    order by id limit 1 for no key update skip locked
)
update rental r set state = 1, attempts = r.attempts + 1, lease_until = clock_timestamp() + $1::interval
from due
where r.account_id = due.account_id and r.id = due.id
returning r.account_id, r.id, token, requested_at, criteria, places, quantity, unit_price, total, url, state, attempts,
          ended_at, downloaded_at, lease_until

-- name: ended
update rental set state = $3, ended_at = $4, lease_until = null where account_id = $1 and id = $2

-- name: downloaded
update rental set state = 5, downloaded_at = $3 where account_id = $1 and id = $2

-- name: numbers
select phone from rental_number where account_id = $1 and rental_id = $2 order by phone

-- name: lock_optouts
-- No opt-out is written while an import looks at them; it waits for the end of the batch.
lock table rental_optout in share mode

-- name: opted_out
select o.phone, o.at from unnest($1::bigint[]) as t (phone),
     lateral (select phone, at from rental_optout r where r.phone = t.phone offset 0) as o

-- name: opt_out
insert into rental_optout (phone, at, account_id)
select phone, $3, account_id from unnest($1::bigint[], $2::bigint[]) as t (phone, account_id) order by phone
on conflict do nothing

-- name: renters
-- Those of the pairs (account, phone) of which the account got the phone by a rental: its file says so, and when that
-- is forgotten its group.
select t.account_id, t.phone
from unnest($1::bigint[], $2::bigint[]) as t (account_id, phone)
where exists (select from rental_number r where r.account_id = t.account_id and r.phone = t.phone)
   or exists (select from (select account_id, id from contact_group g
                           where g.account_id = t.account_id and g.rented offset 0) g,
                          lateral (select from contact c where c.account_id = g.account_id and c.group_id = g.id
                                     and c.phone = t.phone offset 0) c)

-- name: remove_offers
delete from rental_offer o
using unnest($1::bigint[]) as t (phone),
      lateral (select zipcode, interests from rental_person p where p.phone = t.phone offset 0) as p,
      unnest(p.interests) as i (interest)
where o.interest = i.interest and o.zipcode = p.zipcode and o.phone = t.phone

-- name: put_people
insert into rental_person (phone, sex, birth_year, zipcode, interests, category, consent_date, consent_source,
                           consent_proof, consent_until, imported_at)
select phone, sex, birth_year, zipcode, interests::int[], category, consent_date, consent_source, consent_proof,
       consent_until, $11
from unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::text[], $5::text[], $6::int[], $7::date[], $8::text[],
            $9::text[], $10::date[])
     as t (phone, sex, birth_year, zipcode, interests, category, consent_date, consent_source, consent_proof, consent_until)
order by phone
on conflict (phone) do update
set sex = excluded.sex, birth_year = excluded.birth_year, zipcode = excluded.zipcode, interests = excluded.interests,
    category = excluded.category, consent_date = excluded.consent_date, consent_source = excluded.consent_source,
    consent_proof = excluded.consent_proof, consent_until = excluded.consent_until, imported_at = excluded.imported_at

-- name: put_offers
insert into rental_offer (interest, zipcode, phone, birth_year, sex, category, consent_until)
select i.interest, t.zipcode, t.phone, t.birth_year, t.sex, t.category, t.consent_until
from unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::text[], $5::text[], $6::int[], $7::date[])
     as t (phone, sex, birth_year, zipcode, interests, category, consent_until),
     unnest(t.interests::int[]) as i (interest)
order by i.interest, t.zipcode, t.phone

-- name: settle_down
-- Counts are read from an index alone where the table has been vacuumed.
vacuum (analyze) rental_offer

-- name: settle_people
vacuum (analyze) rental_person

-- name: interests
select id, parent, name from rental_interest order by id

-- name: categories
select id, name from rental_category order by id

-- name: name_interest
insert into rental_interest (id, parent, name) values ($1, $2, $3)
on conflict (id) do update set parent = excluded.parent, name = excluded.name

-- name: name_category
insert into rental_category (id, name) values ($1, $2) on conflict (id) do update set name = excluded.name

-- name: overview
select (select count(*) from rental_person) as people,
       (select count(*) from rental_person where consent_until < $1) as expired,
       (select count(*) from rental_optout) as opted_out

-- name: overview_interests
select i.id, i.parent, i.name, (select count(*) from rental_offer o where o.interest = i.id and o.consent_until >= $1) as people
from rental_interest i order by i.id

-- name: is_empty
select not exists (select from rental_person)

-- What the status calls read: messages by the number of their submission, or by tag; those of the sandbox too.
-- The messages of a submission are the ids from its own on, without a gap, so the primary key finds them.

-- name: of_number
(select s.number, m.phone, m.country, m.state, m.state_at, m.price, m.stopped_at is not null and m.state <> 16 as stopped, m.spam
from submission s
join message m on m.account_id = s.account_id and m.id >= s.id and m.id < s.id + s.messages
where s.number = $3 and s.number > 0 and s.account_id = $1 and s.dialect = $2
 order by m.id)
union all
(select number, phone, country, 10::smallint, at, price, false, false
 from sandbox
 where account_id = $1 and number = $3 and dialect = $2
 order by id)

-- name: of_pairs
-- $3, $4: numbers and phones, side by side. From the submission to the message, so that of a phone that is written to
-- every minute only that one message is looked at.
select s.number, m.phone, m.country, m.state, m.state_at, m.price, m.stopped_at is not null and m.state <> 16 as stopped, m.spam
from unnest($3::integer[], $4::bigint[]) as w (number, phone)
join submission s on s.number = w.number and s.number > 0 and s.account_id = $1 and s.dialect = $2
cross join lateral (
    select * from message
    where account_id = s.account_id and id >= s.id and id < s.id + s.messages and phone = w.phone
    order by id desc limit 1) m
union all
select b.number, b.phone, b.country, 10::smallint, b.at, b.price, false, false
from unnest($3::integer[], $4::bigint[]) as w (number, phone)
cross join lateral (
    select * from sandbox
    where account_id = $1 and number = w.number and dialect = $2 and phone = w.phone
    order by id desc limit 1) b

-- name: of_tag
-- $4: messages to skip; $5: how many. Submissions are walked in order until enough messages are counted, each of at
-- least one; only the messages of the page are read. A limit in each branch: without, all of the tag would be sorted.
with page as materialized (
    select id, messages, before
    from (
        select id, messages, sum(messages) over (order by id rows unbounded preceding) - messages as before
        from (
            (select id, messages from submission
             where account_id = $1 and dialect = $2 and tag_key = $3 and tag_key <> ''
             order by id limit $4::bigint + $5::bigint)
            union all
            (select id, 1 from sandbox
             where account_id = $1 and dialect = $2 and tag_key = $3 and tag_key <> ''
             order by id limit $4::bigint + $5::bigint)
        ) first_of_tag
    ) counted
    where before + messages > $4::bigint and before < $4::bigint + $5::bigint
)
select number, phone, country, state, state_at, price, stopped, spam
from (
    select m.id, 0 as number, m.phone, m.country, m.state, m.state_at, m.price,
           m.stopped_at is not null and m.state <> 16 as stopped, m.spam
    from page p
    join message m on m.account_id = $1 and m.id >= p.id and m.id < p.id + p.messages
    union all
    select b.id, 0, b.phone, b.country, 10::smallint, b.at, b.price, false, false
    from page p
    join sandbox b on b.account_id = $1 and b.id = p.id
) found
order by id
offset greatest(0, $4 - (select min(before) from page))
limit $5

-- name: sandbox_of_tag
select count(*) from sandbox where account_id = $1 and dialect = $2 and tag_key = $3

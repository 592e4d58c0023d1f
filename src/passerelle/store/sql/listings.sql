-- Lists of the native API and the console: all dialects of one account, the newest first, page by page.
-- A list that is filtered looks at so many rows and no more; its last column but one says how far it came, and the last
-- how many it looked at, so that the next page goes on from there. Where nothing was found there is one row of nulls.

-- name: messages
-- $3 and $4: ids from, and below; $5: rows to look at. $9, $10: accepted from, and before.
with seen as materialized (
    select m.account_id, m.id, m.submission_id, m.dialect, m.number, m.phone, m.country, m.text, m.encoding, m.parts, m.price,
           m.refunded, m.state, m.state_at, m.error
    from message m where m.account_id = $1 and m.id >= $3 and m.id < $4 order by m.id desc limit $5
)
select r.id, r.submission_id, r.dialect, r.number, r.submission_number, r.phone, r.country, coalesce(r.text, r.shared) as text, r.encoding, r.parts,
       r.price, r.refunded, r.state, r.state_at, r.error, r.accepted_at, r.due_at, r.sender, r.tag, r.class,
       f.reached, f.looked
from (select min(id) as reached, count(*) as looked from seen) f left join lateral (
    select m.*, s.number as submission_number, s.accepted_at, s.due_at, s.sender, s.tag, s.class, s.text as shared
    from seen m, lateral (
        select number, accepted_at, due_at, sender, tag, class, text from submission s
        where s.account_id = m.account_id and s.id = m.submission_id offset 0) s
    where m.state = any($6::smallint[]) and m.dialect = any($7::smallint[])
      and s.accepted_at >= $8 and s.accepted_at < $9
    order by m.id desc limit $2
) r on true
order by r.id desc

-- name: messages_to
-- The same of one number ($10).
with seen as materialized (
    select m.account_id, m.id, m.submission_id, m.dialect, m.number, m.phone, m.country, m.text, m.encoding, m.parts, m.price,
           m.refunded, m.state, m.state_at, m.error
    from message m where m.phone = $10 and m.account_id = $1 and m.id >= $3 and m.id < $4 order by m.id desc limit $5
)
select r.id, r.submission_id, r.dialect, r.number, r.submission_number, r.phone, r.country, coalesce(r.text, r.shared) as text, r.encoding, r.parts,
       r.price, r.refunded, r.state, r.state_at, r.error, r.accepted_at, r.due_at, r.sender, r.tag, r.class,
       f.reached, f.looked
from (select min(id) as reached, count(*) as looked from seen) f left join lateral (
    select m.*, s.number as submission_number, s.accepted_at, s.due_at, s.sender, s.tag, s.class, s.text as shared
    from seen m, lateral (
        select number, accepted_at, due_at, sender, tag, class, text from submission s
        where s.account_id = m.account_id and s.id = m.submission_id offset 0) s
    where m.state = any($6::smallint[]) and m.dialect = any($7::smallint[])
      and s.accepted_at >= $8 and s.accepted_at < $9
    order by m.id desc limit $2
) r on true
order by r.id desc

-- name: messages_tagged
-- The same of one tag ($10: as compared, in each of its spellings): the newest submissions under it, then their messages.
with newest as (
    select s.* from unnest($7::smallint[]) as d (dialect), unnest($10::text[]) as t (tag_key), lateral (
        select account_id, id, messages, number, accepted_at, due_at, sender, tag, class, text from submission s
        where s.account_id = $1 and s.dialect = d.dialect and s.tag_key = t.tag_key and s.tag_key <> ''
              and s.id >= $3 and s.id < $4
        order by s.id desc limit $5 offset 0) s
    order by s.id desc limit $5
), tagged as materialized (
    select * from (
        select newest.*, coalesce(sum(least(messages, $4 - id)) over (
                   order by id desc rows between unbounded preceding and 1 preceding), 0) as above
        from newest) n
    where above < $5
), seen as materialized (
    select m.account_id, m.id, m.submission_id, m.dialect, m.number, m.phone, m.country, m.text, m.encoding, m.parts, m.price,
           m.refunded, m.state, m.state_at, m.error, s.number as submission_number, s.accepted_at, s.due_at, s.sender, s.tag,
           s.class, s.text as shared
    from tagged s, lateral (
        select * from message m where m.account_id = s.account_id and m.id >= s.id and m.id < s.id + s.messages and m.id < $4
        order by m.id desc limit $5 offset 0) m
    order by m.id desc limit $5
)
select r.id, r.submission_id, r.dialect, r.number, r.submission_number, r.phone, r.country, coalesce(r.text, r.shared) as text, r.encoding, r.parts,
       r.price, r.refunded, r.state, r.state_at, r.error, r.accepted_at, r.due_at, r.sender, r.tag, r.class,
       f.reached, f.looked
from (select min(id) as reached, count(*) as looked from seen) f left join lateral (
    select * from seen m
    where m.state = any($6::smallint[]) and m.accepted_at >= $8 and m.accepted_at < $9
    order by m.id desc limit $2
) r on true
order by r.id desc

-- name: message
select m.id, m.submission_id, m.dialect, m.number, s.number as submission_number, m.phone, m.country,
       coalesce(m.text, s.text) as text, m.encoding, m.parts, m.price, m.refunded, m.state, m.state_at, m.error, s.accepted_at,
       s.due_at, s.sender, s.tag, s.class
from message m join submission s on s.account_id = m.account_id and s.id = m.submission_id
where m.account_id = $1 and m.id = $2

-- name: submission
select s.id, s.dialect, s.number, s.accepted_at, s.due_at, s.messages, s.cost, s.text, s.sender, s.tag, s.campaign_name, s.class,
       s.service, s.cancelled_at, s.paused_at, s.test
from submission s where s.account_id = $1 and s.id = $2

-- name: submission_of
-- The submission that a message belongs to.
select submission_id from message where account_id = $1 and id = $2

-- name: progress
select m.state, count(*)::int as messages, sum(m.parts)::int as parts, sum(m.refunded)::bigint as refunded,
       max(m.state_at) as at
from message m where m.account_id = $1 and m.id >= $2 and m.id < $3
group by m.state

-- name: waiting
-- Parts of a submission that are still to be submitted, the first due and the last.
select count(*)::int as parts, min(due_at) as first_due, max(due_at) as last_due
from queue where account_id = $1 and message_id >= $2 and message_id < $3

-- name: sandboxed
select id, submission_id, dialect, number, tag, phone, country, text, parts, price, at
from sandbox where account_id = $1 and id = $2

-- name: sandboxed_submission
select id, submission_id, dialect, number, tag, phone, country, text, parts, price, at
from sandbox where account_id = $1 and id >= $2 and submission_id = $2 order by id limit 1000

-- name: replies
with seen as materialized (
    select id, phone, recipient, text, at, stop, message_id, dialect, tag
    from reply where account_id = $1 and id < $3 order by id desc limit $4
)
select r.id, r.phone, r.recipient, r.text, r.at, r.stop, r.message_id, r.dialect, r.tag, f.reached, f.looked
from (select min(id) as reached, count(*) as looked from seen) f left join lateral (
    select * from seen
    where dialect = any($5::smallint[]) and stop = any($6::boolean[]) and (phone = any($7::bigint[]) or $7 is null)
    order by id desc limit $2
) r on true
order by r.id desc

-- name: replies_tagged
-- Those to the messages of one dialect under one tag, as compared.
select id, phone, recipient, text, at, stop, message_id, dialect, tag
from reply where account_id = $1 and dialect = $2 and tag_key = $3 and id < $4 order by id desc limit $5

-- name: postings
select id, at, from_account, to_account, amount, kind, submission_id, message_id, note
from (
    (select * from posting where to_account = $1 and id < $2 order by id desc limit $3)
    union all
    (select * from posting where from_account = $1 and to_account <> $1 and id < $2 order by id desc limit $3)
) p
order by id desc limit $3

-- name: charges
select s.id, s.accepted_at as at, s.cost as amount, s.messages, s.dialect, s.tag
from submission s where s.account_id = $1 and s.id < $2 and s.cost > 0
order by s.id desc limit $3

-- name: blocked
select phone, number, created_at from blocked
where account_id = $1 and list = $2 and phone > $3 and not deleted
order by phone limit $4

-- name: tags
select dialect, tag_key, messages, sent, submitted, delivered, errors, bounced, replies
from statistic_total
where account_id = $1 and (dialect, tag_key) > ($2, $3) and tag_key <> ''
order by dialect, tag_key limit $4

-- What is forgotten, and when: claims of nights, batches to delete, texts to blank, months to close.

-- name: try_alone
-- Held to the end of the transaction; false while another process does the same.
select pg_try_advisory_xact_lock(hashtextextended($1, 0))

-- name: claim
-- True for whoever is the first to say that `name` was done as of $2.
insert into installation (name, value) values ($1, $2)
on conflict (name) do update set value = excluded.value where installation.value collate "C" < excluded.value collate "C"
returning true

-- name: months
select right(c.relname, 6) from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'submission'::regclass order by 1

-- name: empty_sandbox
delete from sandbox where at < $1

-- name: forget_answers
with old as materialized (
    select account_id, path, key from idempotency where at <= $1 order by at limit $2 for update skip locked
)
delete from idempotency i using old
where i.account_id = old.account_id and i.path = old.path and i.key = old.key and i.at <= $1

-- name: forget_rate_calls
delete from rate_call
where ctid = any (array(select ctid from rate_call where at <= $1 limit $2 for update skip locked))

-- name: forget_checks
-- Number checks of which every number was answered, with their numbers.
with old as materialized (
    select account_id, number from verification v
    where at < $1
      and not exists (select from verified_number n
                      where n.account_id = v.account_id and n.number = v.number and n.error is null)
    order by at limit $2 / 100 for update skip locked
), numbers as (
    delete from verified_number n using old where n.account_id = old.account_id and n.number = old.number
)
delete from verification v using old where v.account_id = old.account_id and v.number = old.number

-- name: forget_mails
-- Only those that were given up.
delete from mail
where id = any (array(select id from mail where state = 1 and created_at < $1
                      order by created_at limit $2 for update skip locked))

-- name: forget_mails_written
delete from mail_written
where ctid = any (array(select ctid from mail_written where at < $1 order by at limit $2 for update skip locked))

-- name: forget_signups
delete from signup
where token_hash = any (array(select token_hash from signup where expires_at < $1
                              order by expires_at limit $2 for update skip locked))

-- name: forget_invitations
-- Never before their message has left.
delete from invitation
where ctid = any (array(
    select ctid from invitation i
    where at < $1
      and not exists (select from queue q where q.account_id = i.account_id and q.message_id = i.message_id)
    order by at limit $2 for update skip locked))

-- name: forget_survey_answers
delete from answer
where ctid = any (array(select ctid from answer where at < $1 order by at limit $2 for update skip locked))

-- name: forget_free_answers
delete from free_answer
where ctid = any (array(select ctid from free_answer where at < $1 order by at limit $2 for update skip locked))

-- name: forget_links
-- One page of the links made before $1, after ($2, $3): those that nobody has clicked since, and that no contact has.
with page as materialized (
    select created_at, code, account_id, last_at from link
    where created_at < $1 and (created_at, code) > ($2, $3)
    order by created_at, code limit 2000
), gone as (
    delete from link l using page p
    where l.code = p.code and coalesce(l.last_at, l.created_at) < $1
      and not exists (select from contact c
                      where c.account_id = p.account_id and c.link <> '' and substring(c.link from '[^/]*$') = p.code)
    returning l.code
)
select last.created_at, last.code, (select count(*) from gone) as gone
from (select created_at, code from page order by created_at desc, code desc limit 1) last

-- name: forget_targets
-- Up to $2 links and $2 visits of targets made before $1, and targets of which nothing is left; how many in all.
with old as materialized (
    select id from link_target where created_at < $1 order by created_at, id limit 20 for update skip locked
), visits as (
    delete from visit
    where id = any (array(select v.id from old
                          cross join lateral (select id from visit v where v.target_id = old.id limit $2) v limit $2))
    returning id
), links as (
    delete from tracked_link
    where code = any (array(select l.code from old
                            cross join lateral (select code from tracked_link l where l.target_id = old.id limit $2) l
                            limit $2))
    returning code
), empty as (
    delete from link_target t using old
    where t.id = old.id
      and not exists (select from tracked_link l where l.target_id = old.id)
      and not exists (select from visit v where v.target_id = old.id)
    returning t.id
)
select (select count(*) from visits) + (select count(*) from links) + (select count(*) from empty)

-- name: forget_rented_numbers
-- Of files that were handed over, or never will be.
delete from rental_number
where ctid = any (array(
    select ctid from rental_number n
    where rented_at < $1
      and not exists (select from rental r where r.account_id = n.account_id and r.id = n.rental_id and r.state < 3)
    order by rented_at limit $2 for update skip locked))

-- name: forget_imports
-- Files of contacts that are in, with their refused lines. The contacts stay.
with old as materialized (
    select account_id, id from contact_import where ended_at < $1
    order by ended_at limit greatest($2 / 1000, 1) for update skip locked
), lines as (
    delete from contact_refusal r using old where r.account_id = old.account_id and r.import_id = old.id
)
delete from contact_import i using old where i.account_id = old.account_id and i.id = old.id

-- name: forget_forwarding
delete from forwarding_change
where id = any (array(select id from forwarding_change where at < $1 order by at limit $2 for update skip locked))

-- name: forget_quota_days
delete from quota_day
where ctid = any (array(select ctid from quota_day where day < ($1 at time zone 'Europe/Paris')::date
                        order by day limit $2 for update skip locked))

-- name: forget_keys
delete from native_key
where id = any (array(select id from native_key where revoked_at < $1 order by revoked_at limit $2 for update skip locked))

-- name: forget_endpoints
delete from webhook_endpoint
where id = any (array(select id from webhook_endpoint where removed_at < $1
                      order by removed_at limit $2 for update skip locked))

-- name: blank_texts
-- One page of the submissions of ids $1 to $2, after (account, id) = ($3, $4): texts that were due before $5 and of which
-- nothing is queued any more. At most 5000 messages a page, or one submission. `left_over`: texts whose time will come.
with page as materialized (
    select account_id, id, messages, due_at
    from (
        select account_id, id, messages, due_at, sum(messages) over (order by account_id, id) - messages as before
        from (
            select account_id, id, messages, due_at from submission
            where id >= $1 and id < $2 and (account_id, id) > ($3, $4)
            order by account_id, id limit 1000
        ) next
    ) counted
    where before < 5000
), old as materialized (
    select account_id, id, messages from page p
    where due_at < $5
      and not exists (select from queue q
                      where q.account_id = p.account_id and q.message_id >= p.id and q.message_id < p.id + p.messages)
), shared as (
    update submission s set text = '' from old
    where s.account_id = old.account_id and s.id = old.id and s.id >= $1 and s.id < $2 and s.text <> ''
    returning s.id
), own as (
    update message m set text = '' from old
    where m.account_id = old.account_id and m.id >= old.id and m.id < old.id + old.messages and m.id >= $1 and m.id < $2
      and m.text <> ''
    returning m.id
), template as (
    update group_send g set text = '' from old
    where g.account_id = old.account_id and g.submission_id = old.id and g.text <> ''
)
select last.account_id, last.id, (select count(*) from shared) + (select count(*) from own) as blanked,
       (select count(*) from page) - (select count(*) from old) as left_over
from (select account_id, id from page order by account_id desc, id desc limit 1) last

-- name: blank_replies
-- One page of the replies after (account, id) = ($1, $2): texts from before $3.
with page as materialized (
    select account_id, id from reply where (account_id, id) > ($1, $2) order by account_id, id limit 5000
), blanked as (
    update reply r set text = '' from page
    where r.account_id = page.account_id and r.id = page.id and r.at < $3 and r.text <> ''
    returning r.id
)
select last.account_id, last.id, (select count(*) from blanked) as blanked
from (select account_id, id from page order by account_id desc, id desc limit 1) last

-- name: queued_submissions
select s.account_id, s.id, s.messages
from (select distinct account_id, submission_id from queue where submission_id >= $1 and submission_id < $2) q
     join submission s on s.account_id = q.account_id and s.id = q.submission_id
order by s.account_id, s.id

-- name: under_way
-- Whether any part of these ids is queued or with an operator.
select exists (select from awaiting where message_id >= $1 and message_id < $2)
    or exists (select from queue where message_id >= $1 and message_id < $2)

-- name: orphans
-- Not final, and neither queued nor awaited (see under_way): nothing will ever come of them.
select account_id, id, parts from message where id >= $1 and id < $2 and state < 10 limit $3

-- name: lock_submission
select id from submission where account_id = $1 and id = $2 for update

-- name: lock_untouched
-- Lock the queue rows of messages $2 to $3, in the way of every lease; whether nothing of them was ever begun.
with locked as (
    select lease_until, attempts from queue where account_id = $1 and message_id >= $2 and message_id < $3 for update
)
select count(*) > 0 and bool_and(lease_until is null and attempts = 0)
       and count(*) = (select sum(m.parts) from message m where m.account_id = $1 and m.id >= $2 and m.id < $3)
from locked

-- name: move
-- The messages $2 to $3 of an account get ids that are higher by $4, wherever they are named.
with moved as (
    update submission set id = id + $4 where account_id = $1 and id = $2
), messages as (
    update message set id = id + $4, submission_id = submission_id + $4 where account_id = $1 and id >= $2 and id < $3
), parts as (
    update part set message_id = message_id + $4 where account_id = $1 and message_id >= $2 and message_id < $3
), queued as (
    update queue set message_id = message_id + $4, submission_id = submission_id + $4
    where account_id = $1 and message_id >= $2 and message_id < $3
), events as (
    update event set message_id = message_id + $4 where account_id = $1 and message_id >= $2 and message_id < $3
), groups as (
    update group_send set submission_id = submission_id + $4 where account_id = $1 and submission_id = $2
), follows as (
    update rcs_failover set submission_id = submission_id + $4 where account_id = $1 and submission_id = $2
), invitations as (
    update invitation set message_id = message_id + $4 where account_id = $1 and message_id >= $2 and message_id < $3
), replies as (
    update reply set message_id = message_id + $4 where account_id = $1 and message_id >= $2 and message_id < $3
), campaigns as (
    update campaign set submission_id = submission_id + $4 where account_id = $1 and submission_id = $2
), skipped as (
    update left_out set submission_id = submission_id + $4 where account_id = $1 and submission_id = $2
), halts as (
    update halt set submission_id = submission_id + $4 where account_id = $1 and submission_id = $2
), targets as (
    update link_target set submission_id = submission_id + $4 where account_id = $1 and submission_id = $2
)
update posting set submission_id = submission_id + $4, message_id = message_id + $4
where submission_id = $2 and (to_account = $1 or from_account = $1)

-- name: close_charges
-- One posting an account for all that the submissions of ids $1 to $2 have cost.
insert into posting (at, from_account, to_account, amount, kind, note)
select $3, account_id, 1, sum(cost), 5, $4 from submission
where id >= $1 and id < $2 and cost > 0
group by account_id order by account_id

-- name: forget_group_sends
-- How the submissions of ids $1 to $2 were made.
delete from group_send where submission_id >= $1 and submission_id < $2

-- name: forget_left_out
-- Whom the campaigns of ids $1 to $2 were not sent to.
delete from left_out l
using (select account_id, id from submission where id >= $1 and id < $2 and campaign_id is not null offset 0) s
where l.account_id = s.account_id and l.submission_id = s.id

-- name: uncount_messages
-- Rows stored are counted; figures of what became of them stay.
insert into statistic_delta (account_id, dialect, tag_key, at, messages)
select account_id, dialect, tag_key, $3, -sum(messages) from submission
where id >= $1 and id < $2
group by 1, 2, 3 order by 1, 2, 3

-- Campaigns: drafts, how they were launched, how far they are. Everything is looked up under its account.

-- name: insert
-- Drafts, and what was cancelled before it left, are as many as $23 and what comes at the same moment; index campaign_draft.
insert into campaign (account_id, token, dialect, name, kind, class, text, sender, list_id, list_token, group_id, due_at,
                      flash, page, url, page_title, page_html, test_phone, clean_bounces, clean_stops, keep_list, created_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22
where (select count(*) from (select from campaign where account_id = $1 and state in (0, 2) limit $23) d) < $23
returning id

-- name: change
-- A draft that nobody launches.
update campaign
set name = $3, kind = $4, class = $5, text = $6, sender = $7, list_id = $8, list_token = $9, group_id = $10, due_at = $11,
    flash = $12, page = $13, url = $14, page_title = $15, page_html = $16, test_phone = $17, clean_bounces = $18,
    clean_stops = $19, keep_list = $20, claimed_until = null
where account_id = $1 and id = $2 and state = 0 and (claimed_until is null or claimed_until < clock_timestamp())

-- name: find
select c.account_id, c.id, c.token, c.dialect, c.name, c.kind, c.class, c.text, c.sender, c.list_id, c.list_token,
       c.group_id, c.due_at, c.flash, c.page, c.url, c.page_title, c.page_html, c.test_phone, c.clean_bounces,
       c.clean_stops, c.keep_list, c.state, c.submission_id, c.contacts, c.left_out, c.launched_at, c.ended_at, c.created_at,
       c.settled, s.messages, s.cost, s.due_at, s.paused_at
from (select * from campaign where token = $2 and account_id = $1) c
     left join lateral (select messages, cost, due_at, paused_at from submission s
                        where s.account_id = c.account_id and s.id = c.submission_id offset 0) s on true

-- name: newest
-- The newest first, of one dialect or of all (0), below campaign $3. Pages beyond $5 bytes together are null.
select c.account_id, c.id, c.token, c.dialect, c.name, c.kind, c.class, c.text, c.sender, c.list_id, c.list_token,
       c.group_id, c.due_at, c.flash, c.page, c.url, c.page_title,
       case when c.pages <= $5 then c.page_html end, c.test_phone, c.clean_bounces, c.clean_stops, c.keep_list,
       c.state, c.submission_id, c.contacts, c.left_out, c.launched_at, c.ended_at, c.created_at, c.settled,
       s.messages, s.cost, s.due_at, s.paused_at
from (select *, sum(octet_length(page_html)) over (order by id desc) as pages
      from (select * from campaign
            where account_id = $1 and ($2 = 0 or dialect = $2) and id < $3 order by id desc limit $4) c) c
     left join lateral (select messages, cost, due_at, paused_at from submission s
                        where s.account_id = c.account_id and s.id = c.submission_id offset 0) s on true
order by c.id desc

-- name: begun
-- Of submissions (first message, and the end of them) those of which a message was handed over or stopped on its way.
select t.id from unnest($2::bigint[], $3::bigint[]) as t (id, ends)
where exists (select from message m
              where m.account_id = $1 and m.id >= t.id and m.id < t.ends and m.sent_at is not null)

-- name: left
-- Of submissions those that have rows in the queue.
select t.id from unnest($2::bigint[], $3::bigint[]) as t (id, ends)
where exists (select from queue q where q.account_id = $1 and q.message_id >= t.id and q.message_id < t.ends)

-- name: claim
-- To be launched by one alone; the claim of a process that died ends by itself.
update campaign set claimed_until = clock_timestamp() + $3::interval
where account_id = $1 and id = $2 and state = 0 and (claimed_until is null or claimed_until < clock_timestamp())
returning true

-- name: unclaim
update campaign set claimed_until = null where account_id = $1 and id = $2

-- name: launch
-- In the transaction that stores its submission. Whoever changed it, when the claim was over, has ended the claim.
update campaign
set state = 1, submission_id = $3, contacts = $4, left_out = $5, launched_at = $6, claimed_until = null
where account_id = $1 and id = $2 and state = 0 and claimed_until is not null
returning true

-- name: leave_out
insert into left_out (account_id, submission_id, position, phone, reason)
select $1, $2, position, phone, reason from unnest($3::integer[], $4::text[], $5::text[]) as t (position, phone, reason)

-- name: skipped
-- Contacts that were left out when it was launched, behind position $3.
select position, phone, reason from left_out
where account_id = $1 and submission_id = $2 and position > $3 order by position limit $4

-- name: set_stage
-- Of the campaign of a submission, where it has one.
update campaign set state = $3, ended_at = coalesce(ended_at, $4)
where account_id = $1 and submission_id = $2 and submission_id is not null and state = 1

-- name: delete
delete from campaign where account_id = $1 and id = $2 and state = any('{0,2}'::smallint[]) returning id

-- name: launched_since
select count(*) from campaign where account_id = $1 and launched_at >= $2 and dialect = $3

-- name: over
-- Campaigns that have not ended and of which nothing is left in the queue.
select c.account_id, c.id, c.keep_list, c.list_token
from (select * from campaign where state = 1 and ended_at is null) c,
     lateral (select messages from submission s
              where s.account_id = c.account_id and s.id = c.submission_id offset 0) s
where not exists (select from queue q
                  where q.account_id = c.account_id and q.message_id >= c.submission_id
                        and q.message_id < c.submission_id + s.messages)

-- name: end
update campaign set ended_at = $3 where account_id = $1 and id = $2 and ended_at is null and state = 1 returning true

-- name: of_submission
select token from campaign where account_id = $1 and submission_id = $2 and submission_id is not null

-- name: pause
update submission set paused_at = $3 where account_id = $1 and id = $2 and paused_at is null and cancelled_at is null
returning true

-- name: resume
update submission set paused_at = null where account_id = $1 and id = $2 and paused_at is not null and cancelled_at is null
returning true

-- name: lock_submission
select id, messages, class, campaign_id, paused_at, cancelled_at, due_at, dialect, tag_key from submission where account_id = $1 and id = $2 for update

-- name: share_submission
select id, messages, class, campaign_id, paused_at, cancelled_at, due_at, dialect, tag_key from submission where account_id = $1 and id = $2 for share

-- name: share_paused
-- Which of these submissions are paused, and stay so until the end of the transaction.
select s.account_id, s.id
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id),
     lateral (select account_id, id, paused_at from submission s
              where s.account_id = t.account_id and s.id = t.id offset 0 for share) s
where s.paused_at is not null

-- name: paused_before
select account_id, id from submission where paused_at < $1 limit $2

-- name: halt
insert into halt (account_id, submission_id) values ($1, $2) on conflict do nothing

-- name: halted
-- One that nobody works on at this moment.
select account_id, submission_id from halt
where (account_id, submission_id) > ($1, $2) order by account_id, submission_id limit 1 for update skip locked

-- name: lock_halt
select true from halt where account_id = $1 and submission_id = $2 for update

-- name: unhalt
delete from halt where account_id = $1 and submission_id = $2

-- name: rename
update campaign set name = $3 where account_id = $1 and id = $2 and state = 1

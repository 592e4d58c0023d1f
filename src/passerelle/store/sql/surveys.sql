-- Surveys, whom they were sent to, what was answered.

-- name: insert
insert into survey (account_id, token, title, introduction, thanks, mode, marketing, state, opens_at, closes_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10)
returning id

-- name: insert_questions
insert into question (account_id, survey_id, number, kind, text, choices, low, high, low_label, high_label, required)
select $1, $2, number, kind, text, choices, low, high, low_label, high_label, required
from jsonb_to_recordset($3) as t (number smallint, kind smallint, text text, choices text[], low smallint, high smallint,
                                  low_label text, high_label text, required boolean)

-- name: by_token
select account_id, id, token, created_at, title, introduction, mode, marketing, opens_at, closes_at, thanks, state
from survey where token = $2 and account_id = $1

-- name: by_keys
select s.account_id, s.id, s.token, s.created_at, s.title, s.introduction, s.mode, s.marketing, s.opens_at, s.closes_at,
       s.thanks, s.state
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
cross join lateral (select * from survey s where s.account_id = t.account_id and s.id = t.id offset 0) as s

-- name: page
-- The newest first, from below an id on.
select account_id, id, token, created_at, title, introduction, mode, marketing, opens_at, closes_at, thanks, state
from survey where account_id = $1 and id < $2 order by id desc limit $3

-- name: questions
select q.account_id, q.survey_id, q.text, q.kind, q.choices, q.low, q.high, q.low_label, q.high_label, q.required
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
cross join lateral (
    select * from question q where q.account_id = t.account_id and q.survey_id = t.id order by q.number offset 0
) as q
order by q.account_id, q.survey_id, q.number

-- name: set_state
update survey set state = $3 where account_id = $1 and id = $2

-- name: remove
delete from survey where account_id = $1 and id = $2

-- name: invite
insert into invitation (account_id, survey_id, test, at, message_id, phone, code)
select $1, $2, $3, $4, message_id, phone, code from unnest($5::bigint[], $6::bigint[], $7::text[]) as t (message_id, phone, code)

-- name: invited
-- Which of the messages are invitations.
select t.n::int, i.account_id, i.survey_id, i.test
from unnest($1::bigint[], $2::bigint[]) with ordinality as t (account_id, message_id, n)
cross join lateral (
    select i.account_id, i.survey_id, i.test from invitation i
    where i.account_id = t.account_id and i.message_id = t.message_id offset 0
) as i

-- name: by_code
select account_id, survey_id, message_id, phone, code, test, opened_at, answered_at from invitation where code = $1

-- name: mark_opened
update invitation set opened_at = $2 where code = $1 and opened_at is null

-- name: mark_answered
-- Once: whoever comes second changes nothing.
update invitation set answered_at = $2, opened_at = coalesce(opened_at, $2) where code = $1 and answered_at is null
returning true

-- name: forget
-- What a person said before.
delete from answer where account_id = $1 and survey_id = $2 and test = $3 and phone = $4

-- name: answer
-- The last answer counts, by the time it was given. In the order of the key, as every lock.
insert into answer (account_id, survey_id, test, phone, question, choices, text, message_id, at)
select account_id, survey_id, test, phone, question, choices::smallint[], text, message_id, at
from unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::bigint[], $5::smallint[], $6::text[], $7::text[],
            $8::bigint[], $9::timestamptz[])
     as t (account_id, survey_id, test, phone, question, choices, text, message_id, at)
order by 1, 2, 3, 4, 5
on conflict (account_id, survey_id, test, phone, question) do update
set choices = excluded.choices, text = excluded.text, message_id = excluded.message_id, at = excluded.at
where excluded.at >= answer.at

-- name: answer_freely
insert into free_answer (account_id, survey_id, test, phone, text, message_id, at)
select * from unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::bigint[], $5::text[], $6::bigint[], $7::timestamptz[])

-- name: answers_of
select question, choices, text from answer
where account_id = $1 and survey_id = $2 and test = $3 and phone = $4 and message_id = $5 order by question

-- name: empty_sandbox
with invitations as (
    delete from invitation where test and at < $1
), answers as (
    delete from answer where test and at < $1
)
delete from free_answer where test and at < $1

-- name: counts
select count(*)::int as invited, count(*) filter (where m.delivered)::int as delivered, count(i.opened_at)::int as opened
from invitation i
left join lateral (
    select m.delivered_at is not null as delivered from message m
    where m.account_id = i.account_id and m.id = i.message_id offset 0
) as m on true
where i.account_id = $1 and i.survey_id = $2 and not i.test

-- name: persons
select count(distinct phone)::int from answer where account_id = $1 and survey_id = $2 and test = false

-- name: answered
select question, count(*)::int as answers from answer
where account_id = $1 and survey_id = $2 and test = false group by question order by question

-- name: picked
select a.question, c.choice, count(*)::int as count
from answer a cross join lateral unnest(a.choices) as c (choice)
where a.account_id = $1 and a.survey_id = $2 and a.test = false
group by a.question, c.choice order by a.question, c.choice

-- name: texts
-- Free answers, the newest first; question 0: a reply that is no choice.
select phone, question, text, at from (
    select phone, 0::smallint as question, text, at from free_answer
    where account_id = $1 and survey_id = $2 and not test
    union all
    select phone, question, text, at from answer
    where account_id = $1 and survey_id = $2 and test = false and text <> ''
) as said
order by at desc, phone, question limit $3

-- name: table
-- A row for each person who was invited, with the last answers.
select p.phone, p.invited_at, p.delivered, p.opened_at, a.answered_at, a.answers, f.texts
from (
    select i.phone, min(i.at) as invited_at, coalesce(bool_or(m.delivered), false) as delivered,
           min(i.opened_at) as opened_at
    from invitation i
    left join lateral (
        select m.delivered_at is not null as delivered from message m
        where m.account_id = i.account_id and m.id = i.message_id offset 0
    ) as m on true
    where i.account_id = $1 and i.survey_id = $2 and not i.test
    group by i.phone
) as p
cross join lateral (
    select max(a.at) as answered_at,
           coalesce(jsonb_object_agg(a.question, jsonb_build_object('choices', a.choices, 'text', a.text))
                    filter (where a.question is not null), '{}') as answers
    from answer a where a.account_id = $1 and a.survey_id = $2 and a.test = false and a.phone = p.phone offset 0
) as a
cross join lateral (
    select array(select f.text from free_answer f
                 where f.account_id = $1 and f.survey_id = $2 and not f.test and f.phone = p.phone order by f.id) as texts
    offset 0
) as f
order by p.phone

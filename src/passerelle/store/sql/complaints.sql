-- Complaints of people about messages, as the operator of the platform hears of them.

-- name: about
-- The message that was handed over to a phone last, whoever's it was, of those that may have reached it: at the time of
-- the complaint or before, and no longer than $4 before. $3: of one account; 0: of any.
select t.n::int, found.account_id, found.id, found.sent_at, coalesce(found.text, s.text) as text, s.sender, s.reply_url,
       a.email
from unnest($1::bigint[], $2::timestamptz[], $3::bigint[]) with ordinality as t (phone, at, account, n)
cross join lateral (
    select m.account_id, m.id, m.submission_id, m.sent_at, m.text from message m
    where m.phone = t.phone and (t.account = 0 or m.account_id = t.account)
      and m.sent_at <= t.at and m.sent_at >= t.at - $4::interval
      and m.state <> all ('{13,14,15,16}'::smallint[])
    order by m.sent_at desc, m.id desc
    limit 1
) as found
cross join lateral (
    select text, sender, reply_url from submission s
    where s.account_id = found.account_id and s.id = found.submission_id offset 0
) as s
cross join lateral (select email from account a where a.id = found.account_id offset 0) as a

-- name: mark
-- Messages that nobody had complained about; the caller holds the locks.
update message m set spam = true
from unnest($1::bigint[], $2::bigint[]) as t (account_id, id)
where m.account_id = t.account_id and m.id = t.id and not m.spam
returning m.account_id, m.id

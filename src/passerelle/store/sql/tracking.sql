-- Tracked links: where they lead, who came, how long they stayed.

-- name: add_targets
-- `urls` of each as JSON: arrays of arrays have one length.
insert into link_target (account_id, submission_id, dialect, tag_key, url, title, html, urls, created_at)
select $1, $2, $3, $4, url, title, html, array(select jsonb_array_elements_text(urls)), $9
from unnest($5::text[], $6::text[], $7::text[], $8::jsonb[]) with ordinality as t (url, title, html, urls, n)
order by n
returning id

-- name: drop_links
-- Of submission $2, of messages at $4, but those of the targets $3.
delete from tracked_link l
using (select t.id, p.place
       from (select id from link_target where account_id = $1 and submission_id = $2 and id <> all($3::bigint[])) t,
            unnest($4::int[]) as p (place)) gone
where l.target_id = gone.id and l.place = gone.place

-- name: visit
-- Where each of $1 leads, and who came there as of $4: one row for each that leads anywhere. Links of targets made before
-- $5 are over. A robot's visit needs no counting. Short links that were written down by themselves have their clicks
-- counted here, in the order of their codes, as every lock.
with found as materialized (
    select a.n, a.code, a.link, a.robot, l.place, t.id as target_id, t.url, t.inside, o.url as plain,
           case when t.id is not null then nextval('visit_id_seq') end as visit_id
    from unnest($1::text[], $2::smallint[], $3::smallint[]) with ordinality as a (code, link, robot, n)
    left join lateral (select target_id, place from tracked_link l where l.code = a.code offset 0) l on true
    left join lateral (select id, url, urls[a.link] as inside from link_target t
                       where t.id = l.target_id and t.created_at > $5
                             and (a.link = 0 or t.url is null and a.link <= cardinality(t.urls)) offset 0) t on true
    left join lateral (select url from link o
                       where o.code = a.code and l.target_id is null and a.link = 0
                             and (o.expires_at is null or o.expires_at > $4) offset 0) o on true
), came as (
    insert into visit (id, target_id, place, link, at, robot, counted) overriding system value
    select visit_id, target_id, place, link, $4, robot, robot <> 0 from found where target_id is not null
), clicked as materialized (
    select c.code, c.clicks
    from (select code, count(*) as clicks from found where plain is not null and robot = 0 group by code order by code) c
    cross join lateral (select from link l where l.code = c.code order by l.code offset 0 for update) as held
), counted as (
    update link l
    set clicks = l.clicks + clicked.clicks, first_at = coalesce(l.first_at, $4), last_at = greatest(l.last_at, $4)
    from clicked where l.code = clicked.code
)
select n::int, target_id, visit_id, coalesce(inside, url, plain) as url from found
where target_id is not null or plain is not null

-- name: spend
-- How long people have stayed on pages by now, never more than $5 seconds, nor than they can have. What was counted
-- already is corrected as of hour $6.
with told as materialized (
    select code, visit_id, max(seconds) as seconds
    from unnest($1::text[], $2::bigint[], $3::int[]) as t (code, visit_id, seconds)
    group by code, visit_id order by visit_id
), stayed as materialized (
    select v.id, v.target_id, v.counted, v.seconds as before, least(t.seconds, v.most) as after
    from told t
    cross join lateral (select target_id, place from tracked_link l where l.code = t.code offset 0) l
    cross join lateral (select id, v.target_id, counted, seconds, least($5, ceil(extract(epoch from $4 - at)))::int as most
                        from visit v
                        where v.id = t.visit_id and v.target_id = l.target_id and v.place = l.place and v.link = 0
                              and v.robot = 0
                        order by v.id offset 0 for update) v
    where v.seconds < least(t.seconds, v.most)
), kept as (
    update visit v set seconds = s.after from stayed s where v.id = s.id
)
insert into statistic_delta (account_id, dialect, tag_key, at, seconds)
select t.account_id, t.dialect, t.tag_key, $6, sum(s.after - s.before)
from stayed s
cross join lateral (select account_id, dialect, tag_key from link_target t where t.id = s.target_id offset 0) t
where s.counted
group by 1, 2, 3 order by 1, 2, 3

-- name: page
select url, title, html, urls from link_target where id = $1

-- name: whose
-- The message that a link was sent in, while there is one; `listed`: its number is on the stop list of the account.
select m.account_id, m.id, m.phone, m.stopped_at is not null as stopped,
       exists (select from blocked b
               where b.account_id = m.account_id and b.list = 1 and b.phone = m.phone and not b.deleted) as listed
from tracked_link l
cross join lateral (select account_id, submission_id from link_target t
                    where t.id = l.target_id and t.created_at > $2 offset 0) t
cross join lateral (select account_id, id, phone, stopped_at from message m
                    where m.account_id = t.account_id and m.id = t.submission_id + l.place offset 0) m
where l.code = $1

-- name: take_uncounted
-- Visits by people that nobody has counted, the oldest first, with what is known of them; locked. `news`: that it was
-- opened, or that it arrived, is new for its message.
select v.id, v.at, v.link, v.seconds, t.account_id, t.dialect, t.tag_key, t.is_page, m.id as message_id, m.phone,
       m.opened_at is null or m.delivered_at is null as news
from (select id, target_id, place, link, at, seconds from visit
      where not counted order by id limit $1 for update skip locked) v
left join lateral (select account_id, dialect, tag_key, submission_id, url is null as is_page from link_target t
                   where t.id = v.target_id offset 0) t on true
left join lateral (select id, phone, opened_at, delivered_at from message m
                   where m.account_id = t.account_id and m.id = t.submission_id + v.place offset 0) m on true
order by v.id

-- name: mark_counted
update visit set counted = true where id = any($1::bigint[])

-- name: visits
-- One page of who came through the links of a submission, after (target, place, id) = ($3, $4, $5).
select v.target_id, v.place, v.id, v.link, v.at, v.robot, v.seconds
from (select id from link_target where account_id = $1 and submission_id = $2 order by id) t
cross join lateral (select * from visit v
                    where v.target_id = t.id and (v.target_id, v.place, v.id) > ($3, $4, $5)
                    order by v.target_id, v.place, v.id limit $6) v
order by v.target_id, v.place, v.id
limit $6

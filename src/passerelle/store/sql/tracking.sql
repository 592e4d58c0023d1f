-- Tracked links: where they lead, who came, how long they stayed.

-- name: add_targets
-- `urls` of each as JSON: arrays of arrays have one length.
insert into link_target (account_id, submission_id, dialect, tag_key, url, title, html, urls, created_at)
select $1, $2, $3, $4, url, title, html, array(select jsonb_array_elements_text(urls)), $9
from unnest($5::text[], $6::text[], $7::text[], $8::jsonb[]) with ordinality as t (url, title, html, urls, n)
order by n
returning id

-- name: add_links
-- How many were stored: a code that exists already is left to whoever has it.
with stored as (
    insert into tracked_link (code, target_id, place)
    select * from unnest($1::text[], $2::bigint[], $3::int[])
    on conflict (code) do nothing
    returning code
)
select count(*) from stored

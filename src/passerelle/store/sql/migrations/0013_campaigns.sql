-- Campaigns: what they are, whom they left out, how they are halted; tracked links, their pages and their visits.

-- A paused submission leaves nothing; its queue rows move to a lane that nobody leases. `flash`: shown at once.
alter table submission add column paused_at timestamptz, add column flash boolean not null default false;
create index submission_paused on submission (paused_at) where paused_at is not null;

-- Whose public holidays count too, where contacts or lists say so: a region of domain.calendar.
alter table queue add column region text not null default '';
alter table contact_list add column region text not null default '';

-- A campaign until it is launched, and how it was launched. Its messages are those of its submission.
create table campaign (
    account_id    bigint not null references account,
    id            bigint generated always as identity,            -- rising: the oldest first
    token         bytea not null,                                 -- 96 bits
    dialect       smallint not null,                              -- of its messages
    name          text not null,
    kind          text not null default 'STANDARD',               -- Primotexto's `type`: kept and shown, without effect
    class         smallint not null,                              -- domain.message.TrafficClass
    text          text not null,                                  -- as written, before the merge
    sender        text not null default '',
    list_id       bigint,                                         -- to whom: a list, or a group
    list_token    bytea,                                          -- shown when the list is gone, too
    group_id      integer,
    due_at        timestamptz,                                    -- asked for; null: at once
    flash         boolean not null default false,
    page          smallint not null default 0,                    -- domain.campaigns.Page
    url           text not null default '',                       -- of an external page
    page_title    text not null default '',
    page_html     text not null default '',
    test_phone    text not null default '',                       -- as given: where tests go that name no number
    clean_bounces boolean not null default true,
    clean_stops   boolean not null default true,
    keep_list     boolean not null default true,                  -- false: the list goes when everything has left
    state         smallint not null default 0,                    -- domain.campaigns.Stage
    claimed_until timestamptz,                                    -- clock of the database: being launched
    submission_id bigint,
    contacts      integer not null default 0,                     -- when it was launched
    settled       bigint not null default 0,                      -- micro-euros that edits have cost; below zero: given back
    left_out      jsonb not null default '{}',                    -- reason -> contacts to whom nothing is sent
    launched_at   timestamptz,
    ended_at      timestamptz,                                    -- everything has left, or never will
    created_at    timestamptz not null,
    primary key (account_id, id)
);
create unique index campaign_token on campaign (token);
create index campaign_launched on campaign (account_id, launched_at) where launched_at is not null;
create index campaign_open on campaign (id) where state = 1 and ended_at is null;
create index campaign_submission on campaign (account_id, submission_id) where submission_id is not null;

-- Contacts of a launched campaign to whom nothing is sent, and why.
create table left_out (
    account_id    bigint not null,
    submission_id bigint not null,
    position      integer not null,                               -- in the order of the contacts
    phone         text not null,                                  -- as it was known
    reason        text not null,                                  -- domain.reasons.Reason
    primary key (account_id, submission_id, position)
);

-- Submissions that were paused or stopped, and whose queue rows are not all out of the way yet.
create table halt (
    account_id    bigint not null,
    submission_id bigint not null,
    primary key (account_id, submission_id)
);

-- Where the personal links of a submission lead: to an address, or to a page of ours with `urls` inside.
create table link_target (
    id            bigint generated always as identity primary key,
    account_id    bigint not null,
    submission_id bigint not null,
    dialect       smallint not null,                              -- with the tag key: where its visits are counted
    tag_key       text not null,
    url           text,                                           -- null: a page
    title         text not null default '',
    html          text not null default '',                       -- made safe, its links numbered
    urls          text[] not null default '{}',                   -- of the page, from 1
    created_at    timestamptz not null
);
create index link_target_submission on link_target (account_id, submission_id);
create index link_target_old on link_target (created_at, id);

-- One for each recipient and target. `place`: which message of the submission, from 0.
create table tracked_link (
    code          text collate "C" primary key,                   -- domain.links: begins with a letter
    target_id     bigint not null,
    place         integer not null
);
create unique index tracked_link_place on tracked_link (target_id, place);

-- Everybody who came, people and robots; written before they are answered, counted a moment later.
create table visit (
    id            bigint generated always as identity primary key,
    target_id     bigint not null,
    place         integer not null,
    link          smallint not null,                              -- 0: the short link; else which of the page
    at            timestamptz not null,
    robot         smallint not null,                              -- domain.links.Robot; 0: a person
    seconds       smallint not null default 0,                    -- on a page of ours, while it was seen
    counted       boolean not null default false
) with (fillfactor = 80);
create index visit_fresh on visit (id) where not counted;
create index visit_target on visit (target_id, place, id);

-- Opens, clicks, visits of pages with their seconds; money that went back.
alter table statistic_delta
    add column opens integer not null default 0, add column clicks integer not null default 0,
    add column visits integer not null default 0, add column seconds integer not null default 0,
    add column refunded bigint not null default 0;
alter table statistic_total
    add column opens bigint not null default 0, add column clicks bigint not null default 0,
    add column visits bigint not null default 0, add column seconds bigint not null default 0,
    add column refunded bigint not null default 0;

-- How many numbers a distinct figure has: of a campaign of a million they are too many to be counted at each look.
create table statistic_numbers (
    account_id    bigint not null,
    dialect       smallint not null,
    figure        smallint not null,
    tag_key       text not null,
    numbers       bigint not null,
    primary key (account_id, dialect, figure, tag_key)
) with (fillfactor = 70);
insert into statistic_numbers
select account_id, dialect, figure, tag_key, count(*) from statistic_distinct group by 1, 2, 3, 4;

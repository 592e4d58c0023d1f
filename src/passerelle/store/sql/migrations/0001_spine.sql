-- The spine: accounts and money, submissions and their messages, the queue, receipts, notifications, statistics.
-- Rules: business time is a parameter, never now(); only leases and heartbeats use the clock of the database.
-- Ids of submissions and messages carry their month of acceptance in the high bits (months since January 2000, shifted
-- left by 40), so the partition of a row follows from its id alone. A submission has the id of its first message; the
-- messages of a submission are the ids from there on, without a gap.

create sequence message_block increment by 10000 start with 1;     -- low 40 bits of message ids, taken in blocks
create sequence message_number increment by 1000 minvalue 1 maxvalue 2147482001 start with 1 cycle;   -- SMS Partner message_id
create sequence snapshot_number increment by 1000 minvalue 1 maxvalue 2147482001 start with 1 cycle;  -- Primotexto snapshotId
create sequence account_number start with 1000;

-- What the whole installation shares: the offset of the test clock, when the sandbox was last emptied, and the like.
create table installation (
    name  text primary key,
    value text not null
);

create table account (
    id          bigint primary key,
    parent_id   bigint references account,
    email       text not null unique,
    firstname   text not null default '',
    lastname    text not null default '',
    key_hash    bytea unique,              -- HMAC-SHA256 of the dialect key; null: no key
    key_sealed  bytea,                     -- AES-GCM, for the calls that must show it again
    secret_sealed   bytea not null,        -- signs notifications
    previous_secret_sealed bytea,          -- still valid while a rotation is under way
    settings    jsonb not null default '{}',
    created_at  timestamptz not null
);

-- The hot row of an account: what each batch locks. `version` rises with every change that a cached account must see.
create table wallet (
    account_id  bigint primary key references account,
    balance     bigint not null default 0 check (balance >= 0),   -- micro-euros
    version     integer not null default 1,
    state       smallint not null default 0                       -- domain.account.AccountState
) with (fillfactor = 50);

create table price (
    account_id  bigint not null,           -- 0: the default of the installation
    service     smallint not null,         -- domain.pricing.Service
    country     text not null,             -- ISO 3166-1 alpha-2, or * for any
    price       bigint not null check (price >= 0),               -- micro-euros per part
    primary key (account_id, service, country)
);

insert into price (account_id, service, country, price)
select 0, s.service, c.country, s.price
from (values (1, 38000), (2, 23000)) s (service, price),
     (values ('FR'), ('GP'), ('MQ'), ('GF'), ('RE'), ('YT'), ('PM'), ('BL'), ('MF')) c (country)
union all select 0, 3, '*', 5000;

create table protected_sender (name text primary key);            -- upper case, no blanks
create table sender_grant (
    account_id bigint not null references account,
    name       text not null,
    primary key (account_id, name)
);

-- The ledger is this table and the charge in each submission, seen together as the view `ledger`.
-- from 0: money that enters the platform; to 1: what customers spend.
create table posting (
    id            bigint generated always as identity primary key,
    at            timestamptz not null,
    from_account  bigint not null,
    to_account    bigint not null,
    amount        bigint not null check (amount > 0),             -- micro-euros
    kind          smallint not null,                              -- store.ledger.Kind
    submission_id bigint,                                         -- what a refund returns
    message_id    bigint,
    note          text not null default ''
);
create index on posting (from_account, id);
create index on posting (to_account, id);

create table submission (
    account_id    bigint not null,
    id            bigint not null,
    dialect       smallint not null,
    number        integer not null default 0,                     -- SMS Partner's message_id
    accepted_at   timestamptz not null,
    due_at        timestamptz not null,                           -- the sending time: acceptance, or scheduled or held to
    messages      integer not null,
    cost          bigint not null,                                -- micro-euros: the charge of the ledger
    text          text not null default '',                       -- as sent; '' where each message has its own
    sender        text not null default '',                       -- '': the short code
    tag           text not null default '',                       -- SMS Partner tag as given; Primotexto category
    tag_key       text not null default '',                       -- as compared: lower case for SMS Partner
    campaign_name text not null default '',
    campaign_id   bytea,
    class         smallint not null,                              -- domain.message.TrafficClass
    service       smallint not null,                              -- domain.pricing.Service
    dlr_url       text not null default '',
    reply_url     text not null default '',
    test          boolean not null default false,
    cancelled_at  timestamptz,
    primary key (account_id, id)
) partition by range (id);

create table message (
    account_id    bigint not null,
    id            bigint not null,
    submission_id bigint not null,
    dialect       smallint not null,
    number        integer not null default 0,                     -- Primotexto's snapshotId
    phone         bigint not null,                                -- E.164 without +
    country       text not null,
    text          text,                                           -- null: that of the submission
    encoding      smallint not null,
    parts         smallint not null,
    price         bigint not null,                                -- micro-euros, all parts
    refunded      bigint not null default 0,
    refunded_parts smallint not null default 0,
    state         smallint not null default 0,                    -- domain.message.State, the first final one stays
    state_at      timestamptz not null,
    sent_at       timestamptz,                                    -- first attempt
    submitted_at  timestamptz,                                    -- the operator's answer
    delivered_at  timestamptz,
    failed_at     timestamptz,                                    -- first negative end
    bounced_at    timestamptz,
    opened_at     timestamptz,
    reply_at      timestamptz,
    stopped_at    timestamptz,                                    -- STOP in answer to it, or opted out before it left
    uncertain     boolean not null default false,
    carrier_id    smallint,
    error         text not null default '',                       -- the operator's word: status or receipt error
    spam          boolean not null default false,
    primary key (account_id, id)
) partition by range (id);

-- Only for messages of two parts and more; a single part lives in its message row.
create table part (
    account_id    bigint not null,
    message_id    bigint not null,
    part          smallint not null,                              -- from 1
    state         smallint not null default 0,
    state_at      timestamptz not null,
    begun         boolean not null default false,                 -- a submit was begun
    uncertain     boolean not null default false,
    primary key (account_id, message_id, part)
) partition by range (message_id);

-- One row a part to submit; deleted at the outcome.
create table queue (
    account_id    bigint not null,
    message_id    bigint not null,
    part          smallint not null default 1,
    submission_id bigint not null,
    carrier_id    smallint not null,
    lane          smallint not null,
    class         smallint not null,
    due_at        timestamptz not null,
    valid_until   timestamptz not null,
    attempts      smallint not null default 0,                    -- submits begun and refused for now, or unknown
    uncertain     boolean not null default false,
    stop_applies  boolean not null,                               -- the stop list is looked at again when it leaves
    lease_until   timestamptz,                                    -- clock of the database
    lease_owner   uuid,
    primary key (account_id, message_id, part)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
create index queue_due on queue (carrier_id, lane, due_at);

-- Parts at an operator whose receipt is due. operator_id '' : the answer was lost, the receipt may still be known by its number.
create table awaiting (
    carrier_id    smallint not null,
    operator_id   text not null,
    account_id    bigint not null,
    message_id    bigint not null,
    part          smallint not null,
    submission_id bigint not null,
    phone         bigint not null,
    at            timestamptz not null                            -- first attempt
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);
create index awaiting_id on awaiting (carrier_id, operator_id);
create index awaiting_at on awaiting (at);
create index awaiting_phone on awaiting (carrier_id, phone) where operator_id = '';

-- Receipts that nothing awaits yet: they came before the response, or the response was lost.
create table parked_receipt (
    id            bigint generated always as identity primary key,
    carrier_id    smallint not null,
    operator_id   text not null,
    forms         text[] not null,                                -- every spelling of the id
    phone         bigint not null,
    state         smallint not null,
    error         text not null,
    at            timestamptz not null,                           -- of the event
    parked_at     timestamptz not null
);
create index on parked_receipt (carrier_id, operator_id);
create index on parked_receipt (parked_at);

create table carrier (
    id    smallint generated always as identity primary key,
    name  text not null unique
);

-- A bind lives in exactly one process: the one that holds its lease.
create table bind (
    carrier_id    smallint not null,
    number        smallint not null,
    owner         uuid,
    lease_until   timestamptz,
    bound         boolean not null default false,
    note          text not null default '',
    changed_at    timestamptz,
    primary key (carrier_id, number)
);

-- Stop list (list 1) and dead numbers (list 2); account 0: the list of the platform. A removed entry keeps its ids.
create sequence blocked_number;
create table blocked (
    account_id    bigint not null,
    list          smallint not null,
    phone         bigint not null,
    number        integer not null default nextval('blocked_number'),   -- SMS Partner's stop id
    token         bytea not null,                                       -- 96 bits: Primotexto's entry id
    created_at    timestamptz not null,
    deleted       boolean not null default false,
    history       jsonb not null default '[]',                          -- [{"date": ms, "campaignId": hex?}]
    primary key (account_id, list, phone)
);
create unique index on blocked (number);
create unique index on blocked (token);

-- What came in from handsets, whole texts.
create table reply (
    account_id    bigint not null,
    id            bigint generated always as identity,
    token         bytea not null,
    carrier_id    smallint,
    phone         bigint not null,
    recipient     text not null,                                  -- short code or number it came in on
    text          text not null,
    at            timestamptz not null,
    stop          boolean not null,
    message_id    bigint,
    dialect       smallint not null default 0,                    -- of the message it answers; 0: none
    tag           text not null default '',
    tag_key       text not null default '',
    primary key (account_id, id)
);
create index on reply (account_id, dialect, tag_key, id);

-- Parts of long incoming texts until all are there.
create table inbound_part (
    carrier_id    smallint not null,
    phone         bigint not null,
    recipient     text not null,
    reference     integer not null,
    total         smallint not null,
    part          smallint not null,
    text          text not null,
    at            timestamptz not null,
    primary key (carrier_id, phone, recipient, reference, total, part)
);

-- Notifications to customers until they are delivered; worded once, sent as they are at every attempt.
create table event (
    id            bigint generated always as identity primary key,
    uuid          uuid not null,                                  -- webhook-id
    account_id    bigint not null,
    message_id    bigint not null default 0,                      -- 0: about no message
    kind          smallint not null,                              -- domain.message.EventKind
    at            timestamptz not null,
    endpoint      text not null,                                  -- scheme://host:port, for isolation
    url           text not null,
    content_type  text not null,
    body          text not null,
    attempts      smallint not null default 0,
    next_at       timestamptz not null,                           -- business time of the next attempt
    lease_until   timestamptz,                                    -- clock of the database
    state         smallint not null default 0,                    -- 0 pending, 1 given up (listed for replay)
    error         text not null default ''
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index event_due on event (next_at) where state = 0;
create index event_message on event (account_id, message_id);

-- Statistics: every batch inserts deltas in its own transaction, housekeeping folds them: parts and cost when the sending
-- time has come, the rest at once.
create table statistic_delta (
    account_id    bigint not null,
    dialect       smallint not null,
    tag_key       text not null,
    at            timestamptz not null,                           -- for parts and cost: the sending time
    messages      integer not null default 0,                     -- stored rows of the tag
    waiting       integer not null default 0,                     -- parts accepted and not yet handed over
    parts         integer not null default 0,
    cost          bigint not null default 0,
    sent          integer not null default 0,
    submitted     integer not null default 0,
    delivered     integer not null default 0,
    errors        integer not null default 0,
    bounced       integer not null default 0,
    replies       integer not null default 0,
    complaints    integer not null default 0,
    counted       boolean not null default false                  -- of the future: all but parts and cost is in the totals
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index on statistic_delta (at);
create index on statistic_delta (account_id, at);
create index on statistic_delta (account_id) where not counted;
create table statistic_total (
    account_id    bigint not null,
    dialect       smallint not null,
    tag_key       text not null,                                  -- '': all of the dialect; else one tag
    messages      bigint not null default 0,
    waiting       bigint not null default 0,
    sent          bigint not null default 0,
    submitted     bigint not null default 0,
    delivered     bigint not null default 0,
    errors        bigint not null default 0,
    bounced       bigint not null default 0,
    replies       bigint not null default 0,
    complaints    bigint not null default 0,
    primary key (account_id, dialect, tag_key)
) with (fillfactor = 70);
create table statistic_hour (
    account_id    bigint not null,
    dialect       smallint not null,
    hour          timestamptz not null,
    parts         bigint not null default 0,
    cost          bigint not null default 0,
    primary key (account_id, dialect, hour) include (parts, cost)   -- a year of an account is read from the index alone
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 5000);
-- Distinct figures: a number counts once.
create table statistic_distinct (
    account_id    bigint not null,
    dialect       smallint not null,
    figure        smallint not null,                              -- 1 unsubscribers, 2 openers, 3 clickers
    tag_key       text not null,                                  -- '': all of the dialect
    phone         bigint not null,
    primary key (account_id, dialect, figure, tag_key, phone)
);

-- Sandbox sends: whole rows of their own, emptied every night.
create table sandbox (
    account_id    bigint not null,
    id            bigint not null,
    submission_id bigint not null,
    dialect       smallint not null,
    number        integer not null,                               -- message_id or snapshotId
    tag           text not null,
    tag_key       text not null,
    phone         bigint not null,
    country       text not null,
    text          text not null,
    parts         smallint not null,
    price         bigint not null,
    at            timestamptz not null,
    primary key (account_id, id)
);
create index on sandbox (account_id, number);
create index on sandbox (account_id, dialect, tag_key, id) where tag_key <> '';

create table idempotency (
    account_id    bigint not null,
    path          text not null,
    key           text not null,
    body_hash     bytea not null,
    status        smallint not null,
    answer        bytea not null,
    submission_id bigint not null,
    at            timestamptz not null,
    primary key (account_id, path, key)
) partition by hash (account_id, path, key);
create table idempotency_0 partition of idempotency for values with (modulus 4, remainder 0);
create table idempotency_1 partition of idempotency for values with (modulus 4, remainder 1);
create table idempotency_2 partition of idempotency for values with (modulus 4, remainder 2);
create table idempotency_3 partition of idempotency for values with (modulus 4, remainder 3);
create index on idempotency (at);

-- Messages a day of the accounts that have a quota; read and written under the lock of their wallet.
create table quota_day (
    account_id    bigint not null,
    day           date not null,                                  -- of Paris
    messages      integer not null,
    primary key (account_id, day)
);

create unlogged table rate_call (
    account_id    bigint not null,
    call          text not null,
    at            timestamptz not null
);
create index on rate_call (account_id, call, at);

-- Every month has a partition of submission, message and part. Called by `migrate` and by housekeeping.
create function make_month(month integer) returns void language plpgsql as $$
declare
    low  bigint := month::bigint << 40;
    high bigint := (month + 1)::bigint << 40;
    name text := to_char(make_date(2000 + month / 12, 1 + month % 12, 1), 'YYYYMM');
begin
    if to_regclass('submission_' || name) is not null then
        return;
    end if;
    -- Made aside and attached: that waits for no query, and no query waits for it.
    execute format('create table submission_%s (like submission including all)', name);
    execute format('alter table submission attach partition submission_%s for values from (%s) to (%s)', name, low, high);
    execute format('create table message_%s (like message including all) with (fillfactor = 75)', name);
    execute format('alter table message attach partition message_%s for values from (%s) to (%s)', name, low, high);
    execute format('create table part_%s (like part including all) with (fillfactor = 75)', name);
    execute format('alter table part attach partition part_%s for values from (%s) to (%s)', name, low, high);
end $$;

create index submission_number on submission (number) where number > 0;
create index submission_tag on submission (account_id, dialect, tag_key, id) where tag_key <> '';
create index message_phone on message (phone, account_id, id);
create index message_by_number on message (number) where number > 0;

create view ledger as
select id as posting_id, at, from_account, to_account, amount, kind, submission_id, message_id, note from posting
union all
select null, accepted_at, account_id, 1, cost, 1, id, null, '' from submission where cost > 0;

-- HLR requests and their results. A request is charged when it is accepted; a number that could not be asked about is
-- refunded with the row that says so.

create sequence verification_number;

create table verification (
    account_id    bigint not null,
    number        bigint not null default nextval('verification_number'),   -- HLR000271
    at            timestamptz not null,
    tag           text not null default '',
    notify_url    text not null default '',
    numbers       integer not null,
    cost          bigint not null,                                -- micro-euros
    primary key (account_id, number)
);

create table verified_number (
    account_id    bigint not null,
    number        bigint not null,                                -- of the request
    position      smallint not null,                              -- from 1
    reference     uuid not null,                                  -- what the provider and the customer know it by
    phone         bigint not null,                                -- E.164 without +
    country       text not null,
    price         bigint not null,                                -- micro-euros
    due_at        timestamptz not null,
    lease_until   timestamptz,                                    -- clock of the database
    error         integer,                                        -- domain.hlr; null: not answered yet
    mcc_mnc       text not null default '',
    ported        boolean not null default false,
    refunded      boolean not null default false,                 -- the provider could not be asked
    answered_at   timestamptz,
    primary key (account_id, number, position)
);
create index verified_number_due on verified_number (due_at) where error is null;

-- Numbers that nobody has, by the last request that told.
create table dead_subscriber (
    account_id    bigint not null,
    phone         bigint not null,
    primary key (account_id, phone)
);

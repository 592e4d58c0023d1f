-- What an RCS message is beside a message: the SMS that may follow it, and what its provider tells.

insert into price (account_id, service, country, price) values (0, 4, '*', 120000);

-- The carrier of all RCS messages; no carrier of the settings can have a name with capitals.
insert into carrier (id, name) overriding system value values (32000, 'RCS');
create index awaiting_rcs on awaiting (at) where carrier_id = 32000;

-- The SMS for those without RCS; its sender is that of the submission.
create table rcs_failover (
    account_id    bigint not null,
    submission_id bigint not null,
    text          text not null,
    encoding      smallint not null,
    parts         smallint not null,
    keep_until    timestamptz not null,                           -- all its messages are final by then
    primary key (account_id, submission_id)
);
create index on rcs_failover (keep_until);

-- Events of the provider: on disk before they are acknowledged, kept for a while so that none counts twice.
create table rcs_event (
    id            bigint generated always as identity primary key,
    key           bytea not null unique,                          -- says which event
    body          text not null,                                  -- its JSON as it came
    received_at   timestamptz not null,
    done          boolean not null default false
) with (fillfactor = 80);
create index rcs_event_due on rcs_event (id) where not done;
create index on rcs_event (received_at);

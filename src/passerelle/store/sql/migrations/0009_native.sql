-- The native API: keys, many an account; endpoints for events, and the log of what was delivered to them.

create table native_key (
    id            bigint generated always as identity primary key,
    account_id    bigint not null references account,
    name          text not null,
    prefix        text not null,                                  -- the beginning of the key, for people
    key_hash      bytea not null unique,                          -- HMAC-SHA256
    scopes        text[] not null,                                -- domain.scopes
    created_at    timestamptz not null,
    expires_at    timestamptz,
    last_used_at  timestamptz,                                    -- at most a minute old
    revoked_at    timestamptz
);
create index on native_key (account_id, id);

create table webhook_endpoint (
    id            bigint generated always as identity primary key,
    account_id    bigint not null references account,
    url           text not null,
    description   text not null default '',
    events        text[] not null,                                -- domain.event_types, `*` and `message.*` too
    secret_sealed bytea not null,                                 -- signs what goes there
    previous_secret_sealed bytea,
    previous_until timestamptz,                                   -- until then the secret before signs too
    created_at    timestamptz not null,
    disabled_at   timestamptz,
    disabled_why  text not null default '',
    removed_at    timestamptz
);
create index on webhook_endpoint (account_id, id) where removed_at is null;

-- Which endpoint a notification goes to; 0: the URL of a dialect.
alter table event add column endpoint_id bigint not null default 0;

-- One row an event and endpoint, once it was tried; forgotten after `delivery_days`.
create table webhook_delivery (
    account_id    bigint not null,
    endpoint_id   bigint not null,
    id            bigint generated always as identity,
    uuid          uuid not null,                                  -- webhook-id
    message_id    bigint not null,
    kind          smallint not null,                              -- domain.message.EventKind
    at            timestamptz not null,                           -- of the event
    body          text not null,
    attempts      smallint not null,
    status        smallint not null,                              -- of the last answer; 0: none came
    error         text not null,
    state         smallint not null,                              -- 0 to be tried again, 1 given up, 2 delivered
    tried_at      timestamptz not null,
    next_at       timestamptz,
    primary key (account_id, endpoint_id, id),
    unique (account_id, endpoint_id, uuid)
) with (fillfactor = 80);
create index on webhook_delivery (tried_at);

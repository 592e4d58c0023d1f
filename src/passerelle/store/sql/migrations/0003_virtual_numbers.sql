-- Long numbers that accounts own.

create table virtual_number (
    phone         bigint primary key,                             -- E.164 without +; one owner over the installation
    account_id    bigint not null references account,
    enabled       boolean not null default true,
    reply_url     text not null default '',
    forwarding    smallint not null default 0,                    -- domain.forwarding.Forwarding
    forward_to    text not null default '',                       -- number with +, or e-mail address
    forwarding_at timestamptz,                                    -- when the rule changed last
    created_at    timestamptz not null
);
create index on virtual_number (account_id);

-- What call forwarding was set to, and when.
create table forwarding_change (
    id            bigint generated always as identity primary key,
    account_id    bigint not null,
    phone         bigint not null,
    at            timestamptz not null,
    forwarding    smallint not null,
    forward_to    text not null
);
create index on forwarding_change (account_id, phone, id);

-- Sub-accounts: what they are beside an account, who was invited to sign up, and the mails of the platform itself.
create table subaccount (
    parent_id    bigint not null references account,
    number       integer not null generated always as identity,    -- SMS Partner's id
    account_id   bigint not null unique references account,
    token        bytea not null unique,                            -- 96 bits
    type         smallint not null,                                -- domain.subaccounts.Type
    is_buyer     boolean not null default false,
    title        text not null default '',
    created_at   timestamptz not null,
    signed_up_at timestamptz,
    removed_at   timestamptz,
    primary key (parent_id, number)
);
create index subaccount_kept on subaccount (parent_id, number) where removed_at is null;
create index subaccount_removed on subaccount (removed_at) where removed_at is not null;
create unique index account_address on account (lower(email));

-- Links to sign up with; a new one ends those before.
create table signup (
    token_hash   bytea primary key,                                -- SHA-256 of what stands in the link
    account_id   bigint not null references account,
    expires_at   timestamptz not null,
    used_at      timestamptz
);
create index signup_account on signup (account_id);

-- Who signs in to the console for an account.
create table login (
    account_id    bigint primary key references account,
    mobile        bigint not null,                                 -- E.164 without +
    password_hash text not null,                                   -- argon2id
    created_at    timestamptz not null
);

-- The platform's own mails until they have left. A text may hold a link that is a secret: it is sealed.
create table mail (
    id           bigint generated always as identity primary key,
    account_id   bigint not null references account,
    recipient    text not null,
    subject      text not null,
    text_sealed  bytea not null,
    created_at   timestamptz not null,
    valid_until  timestamptz not null,                             -- nobody needs it any more
    attempts     smallint not null default 0,
    next_at      timestamptz not null,
    lease_until  timestamptz,                                      -- clock of the database
    state        smallint not null default 0,                      -- 0 waiting, 1 given up
    error        text not null default ''
);
create index mail_due on mail (next_at) where state = 0;
create index mail_account on mail (account_id);

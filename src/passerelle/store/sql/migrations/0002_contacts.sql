-- Groups of contacts, their import from files, and what was sent to a group as one submission.

-- `id` is the decimal number that SMS Partner shows in contact/detail, `token` (96 bits) its group id of 20 characters.
create table contact_group (
    account_id    bigint not null,
    id            integer generated always as identity,
    token         bytea not null,
    name          text not null,
    created_at    timestamptz not null,
    special       boolean not null default false,                 -- made by the platform itself
    rented        boolean not null default false,                 -- made of a rented file
    primary key (account_id, id)
);
create unique index on contact_group (token);

-- Whoever adds a contact holds its group `for key share`, so that a group that is being deleted gets none.
create table contact (
    account_id    bigint not null,
    group_id      integer not null,
    id            bigint generated always as identity,            -- rising: the oldest first
    token         bytea not null,
    phone         bigint not null,                                -- E.164 without +
    firstname     text not null default '',
    lastname      text not null default '',
    date          date,
    url           text not null default '',
    short_url     text not null default '',                       -- as it was given
    link          text not null default '',                       -- short link that was made for `url`
    custom1       text not null default '',
    custom2       text not null default '',
    custom3       text not null default '',
    custom4       text not null default '',
    created_at    timestamptz not null,
    import_id     bigint,                                         -- the file it came with: tells doubles in it
    primary key (account_id, group_id, id)
);
-- In this order: of two indexes that look as good as each other the planner takes the later one. So a contact is looked
-- up by its token or its number, never by its id.
create unique index contact_phone on contact (account_id, group_id, phone);
create unique index contact_token on contact (token);

-- A file on its way into a group. `done` moves in the transaction that adds the contacts of these lines, so that an
-- import that broke off goes on where it stood.
create table contact_import (
    account_id    bigint not null,
    id            bigint generated always as identity,
    token         bytea not null,
    group_id      integer not null,
    name          text not null,                                  -- of the file
    digest        bytea not null,                                 -- SHA-256 of its content
    content       bytea,                                          -- until it is imported; null: whoever imports has it
    state         smallint not null default 0,                    -- store.imports.State
    total         integer not null,                               -- lines
    done          integer not null default 0,
    added         integer not null default 0,
    refused       integer not null default 0,
    error         text not null default '',
    created_at    timestamptz not null,
    ended_at      timestamptz,
    lease_until   timestamptz,                                    -- clock of the database
    primary key (account_id, id)
);
create index contact_import_due on contact_import (id) where state = 0 and content is not null;
create index contact_import_digest on contact_import (digest, account_id, group_id);
create unique index on contact_import (token);

create table contact_refusal (
    account_id    bigint not null,
    import_id     bigint not null,
    line          integer not null,                               -- of the file, the header is line 1
    phone         text not null,                                  -- as written
    reason        smallint not null,                              -- domain.contact.Fault
    primary key (account_id, import_id, line)
);

-- A submission to a group: its text before the merge, how many contacts there were and why some are left out.
create table group_send (
    account_id    bigint not null,
    submission_id bigint not null,
    group_id      integer not null,
    text          text not null,
    contacts      integer not null,
    dropped       jsonb not null,                                 -- reason -> contacts
    primary key (account_id, submission_id)
);

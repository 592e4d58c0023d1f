-- Lists of contacts with columns of their own (Primotexto v2, 8), and files on their way into one.

create table contact_list (
    account_id    bigint not null,
    id            bigint generated always as identity,            -- rising: the oldest first
    token         bytea not null,
    name          text not null,
    created_at    timestamptz not null,
    primary key (account_id, id)
);
create unique index on contact_list (token);

-- A column that was deleted is nobody's at once; its row goes when its values are erased in all contacts.
create table list_column (
    account_id    bigint not null,
    list_id       bigint not null,
    id            bigint generated always as identity,            -- rising: the oldest first
    token         bytea not null,
    name          text not null,
    kind          smallint not null,                              -- domain.lists.Kind
    format        text not null default '',                       -- of dates
    deleted_at    timestamptz,
    erased_to     bigint not null default 0,                      -- contacts up to this id have no such value any more
    primary key (account_id, list_id, id)
);
create unique index on list_column (token);
create index list_column_deleted on list_column (id) where deleted_at is not null;

-- Whoever adds a contact holds its list `for key share`, so that a list that is being deleted gets none; whoever adds
-- or deletes a column holds it `for update`.
create table list_contact (
    account_id    bigint not null,
    list_id       bigint not null,
    id            bigint generated always as identity,            -- rising: the oldest first
    token         bytea not null,
    phone         bigint not null,                                -- E.164 without +
    attributes    jsonb not null default '{}',                    -- token of the column in hexadecimal -> text
    created_at    timestamptz not null,
    primary key (account_id, list_id, id)
);
create unique index list_contact_phone on list_contact (account_id, list_id, phone);
create unique index list_contact_token on list_contact (token);

-- Contacts posted one by one, for accounts that may post only so many a day.
create table list_day (
    account_id    bigint not null,
    day           date not null,                                  -- in Paris
    contacts      integer not null,
    primary key (account_id, day)
);
create index on list_day (day);

-- `done` moves in the transaction that adds the contacts of these rows, so that an import that broke off goes on where
-- it stood.
create table list_import (
    account_id    bigint not null,
    id            bigint generated always as identity,
    token         bytea not null,
    list_id       bigint not null,
    headings      text[] not null,
    number_at     smallint not null,                              -- which heading is that of the numbers, from 0
    digest        bytea,                                          -- SHA-256 of a file that its importer has
    content       bytea,                                          -- rows, packed; null: imported, or the importer has them
    state         smallint not null default 0,                    -- store.imports.State
    total         integer not null,                               -- rows
    done          integer not null default 0,
    imported      integer not null default 0,
    duplicates    integer not null default 0,
    invalid       integer not null default 0,
    reason        text not null default '',
    created_at    timestamptz not null,
    ended_at      timestamptz,
    attempts      smallint not null default 0,                    -- since `done` moved
    lease_until   timestamptz,                                    -- clock of the database
    primary key (account_id, id)
);
alter table list_import alter column content set storage external;
create unique index on list_import (token);
create index list_import_due on list_import (id) where state = 0;
create index list_import_digest on list_import (account_id, list_id, digest) where digest is not null;
create index list_import_ended on list_import (ended_at) where ended_at is not null;

create table list_refusal (
    account_id    bigint not null,
    import_id     bigint not null,
    line          integer not null,                               -- the headings are line 1
    phone         text not null,                                  -- as written
    reason        smallint not null,                              -- domain.lists.Fault
    primary key (account_id, import_id, line)
);

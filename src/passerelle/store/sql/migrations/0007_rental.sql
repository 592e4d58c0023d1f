-- The contact base that the operator rents out, and who rented what of it.

insert into price (account_id, service, country, price) values (0, 5, '*', 90000);

create table rental_interest (
    id     integer primary key,
    parent integer not null default 0,                             -- 0: an interest; else it is a sub-interest of that one
    name   text not null
);
insert into rental_interest (id, parent, name) values (14, 0, 'Habitation'), (35, 14, 'Cuisine');

create table rental_category (
    id   integer primary key,
    name text not null
);
insert into rental_category (id, name) values (102, 'CSP+'), (103, 'CSP-');

-- A person of the base, with the proof of consent.
create table rental_person (
    phone          bigint primary key,                             -- E.164 without +
    sex            smallint not null,                              -- domain.rental.Sex
    birth_year     smallint not null,
    zipcode        text collate "C" not null,
    interests      integer[] not null,                             -- an interest beside each of its sub-interests
    category       integer not null,                               -- 0: not known
    consent_date   date not null,
    consent_source text not null,
    consent_proof  text not null,
    consent_until  date not null,                                  -- the last day; infinity: until taken back
    imported_at    timestamptz not null
);

-- Those of them that may be rented, once for each interest: what is counted and drawn from, read from the index alone.
create table rental_offer (
    interest       integer not null,
    zipcode        text collate "C" not null,
    phone          bigint not null,
    birth_year     smallint not null,
    sex            smallint not null,
    category       integer not null,
    consent_until  date not null,
    primary key (interest, zipcode, phone) include (birth_year, sex, category, consent_until)
) with (autovacuum_vacuum_insert_scale_factor = 0.02);

-- Who took the consent back, for good: no import brings them in again.
create table rental_optout (
    phone      bigint primary key,
    at         timestamptz not null,
    account_id bigint not null default 0                           -- the renter who was told; 0: the operator
);

create table rental (
    account_id    bigint not null,
    id            bigint generated always as identity,
    token         bytea not null unique,                           -- 96 bits
    requested_at  timestamptz not null,
    criteria      jsonb not null,                                  -- domain.rental.Criteria
    places        jsonb not null,                                  -- [[type, name, wanted, available]]
    quantity      integer not null,
    unit_price    bigint not null,                                 -- micro-euros
    total         bigint not null,                                 -- micro-euros: what was debited
    url           text not null default '',
    state         smallint not null default 0,                     -- domain.rental.State
    attempts      smallint not null default 0,                     -- times that its file was begun
    lease_until   timestamptz,                                     -- clock of the database
    ended_at      timestamptz,                                     -- the file was ready, or failed
    downloaded_at timestamptz,
    primary key (account_id, id)
);
create index rental_waiting on rental (id) where state < 2;
create index rental_pending on rental (account_id) where state < 2;

-- The files: who was rented to whom.
create table rental_number (
    account_id bigint not null,
    phone      bigint not null,
    rental_id  bigint not null,
    rented_at  timestamptz not null,
    primary key (account_id, phone, rental_id)
);
create index rental_number_file on rental_number (account_id, rental_id, phone);
create index rental_number_recent on rental_number (account_id, rented_at) include (phone);

-- Short links, and surveys with their questions, invitations and answers.

-- A code leads to what was written and to nothing else. It is found by strangers, so its key is the code alone.
create table link (
    code          text primary key,                               -- domain.links: base62 of random bits
    account_id    bigint not null references account,
    url           text not null,
    created_at    timestamptz not null,
    expires_at    timestamptz,                                    -- null: never
    clicks        bigint not null default 0,
    first_at      timestamptz,                                    -- the first and the last click
    last_at       timestamptz
) with (fillfactor = 85);

create table survey (
    account_id    bigint not null references account,
    id            bigint generated always as identity,
    token         bytea not null unique,                          -- 96 bits: `sondageIdent`
    title         text not null,
    introduction  text not null,                                  -- of the SMS; link mode: {{link}} stands for the link
    thanks        text not null default '',                       -- of the page, after the answers
    mode          smallint not null,                              -- domain.surveys.Mode
    marketing     boolean not null,
    state         smallint not null default 0,                    -- domain.surveys.State
    opens_at      timestamptz,
    closes_at     timestamptz,
    created_at    timestamptz not null,
    primary key (account_id, id)
);

create table question (
    account_id    bigint not null,
    survey_id     bigint not null,
    number        smallint not null,                              -- from 1
    kind          smallint not null,                              -- domain.surveys.Kind
    text          text not null,
    choices       text[] not null default '{}',                   -- numbered from 1
    low           smallint not null default 0,                    -- of a scale
    high          smallint not null default 0,
    low_label     text not null default '',
    high_label    text not null default '',
    required      boolean not null,
    primary key (account_id, survey_id, number),
    foreign key (account_id, survey_id) references survey on delete cascade
);

-- One for each message of a survey. What a sandbox sent is answered like any other, and counts nowhere.
create table invitation (
    account_id    bigint not null,
    message_id    bigint not null,
    survey_id     bigint not null,
    phone         bigint not null,                                -- E.164 without +
    code          text,                                           -- link mode: of the personal link
    test          boolean not null,
    at            timestamptz not null,
    opened_at     timestamptz,                                    -- link mode: first seen by a person
    answered_at   timestamptz,                                    -- link mode: the link was used
    primary key (account_id, message_id),
    foreign key (account_id, survey_id) references survey on delete cascade
) with (fillfactor = 85);
create unique index invitation_code on invitation (code) where code is not null;
create index invitation_survey on invitation (account_id, survey_id, message_id);

-- What a person answered last; `choices`: numbers of choices, or the one value of a scale.
create table answer (
    account_id    bigint not null,
    survey_id     bigint not null,
    test          boolean not null,
    phone         bigint not null,
    question      smallint not null,
    choices       smallint[] not null default '{}',
    text          text not null default '',
    message_id    bigint not null,
    at            timestamptz not null,
    primary key (account_id, survey_id, test, phone, question),
    foreign key (account_id, survey_id) references survey on delete cascade
) with (fillfactor = 85);

-- Replies that are no choice: free answers, all kept.
create table free_answer (
    account_id    bigint not null,
    survey_id     bigint not null,
    id            bigint generated always as identity,
    test          boolean not null,
    phone         bigint not null,
    text          text not null,
    message_id    bigint not null,
    at            timestamptz not null,
    primary key (account_id, survey_id, id),
    foreign key (account_id, survey_id) references survey on delete cascade
);
create index free_answer_phone on free_answer (account_id, survey_id, phone, id);

-- What sandboxes sent is emptied every night.
create index invitation_test on invitation (at) where test;
create index answer_test on answer (at) where test;
create index free_answer_test on free_answer (at) where test;

-- What nightly pruning finds its rows by: the oldest first.

create index verification_old on verification (at);
create index mail_given_up on mail (created_at) where state = 1;
create index signup_over on signup (expires_at);
create index invitation_old on invitation (at);
create index answer_old on answer (at);
create index free_answer_old on free_answer (at);
create index link_old on link (created_at, code);
create index rental_number_old on rental_number (rented_at);
create index contact_import_ended on contact_import (ended_at) where ended_at is not null;
create index forwarding_change_old on forwarding_change (at);
create index quota_day_old on quota_day (day);
create index native_key_revoked on native_key (revoked_at) where revoked_at is not null;
create index webhook_endpoint_removed on webhook_endpoint (removed_at) where removed_at is not null;

-- Mails that accounts had written lately, so that nobody floods anybody.
create table mail_written (
    account_id    bigint not null,                                -- who had it written
    recipient     text not null,                                  -- in small letters
    at            timestamptz not null
);
create index mail_written_account on mail_written (account_id, at);
create index mail_written_recipient on mail_written (recipient, at);
create index mail_written_old on mail_written (at);

-- Short links that contacts have stay as long as the contacts; rented numbers are told by their groups in the end.
create index contact_link on contact (account_id, (substring(link from '[^/]*$'))) where link <> '';
create index contact_group_rented on contact_group (account_id, id) where rented;

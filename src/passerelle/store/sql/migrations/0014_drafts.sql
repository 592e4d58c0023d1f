-- How many drafts and cancelled campaigns an account has, and the postings of one submission, without reading all others.
create index campaign_draft on campaign (account_id) where state in (0, 2);
create index posting_of_submission on posting (submission_id) where submission_id is not null;

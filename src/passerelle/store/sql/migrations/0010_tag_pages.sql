-- A page of a tag is found in the index alone: of scattered submissions each would be a page of the table to read.
create index submission_tag_page on submission (account_id, dialect, tag_key, id) include (messages) where tag_key <> '';
drop index submission_tag;

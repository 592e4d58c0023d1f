-- name: next_block
select nextval($1::text::regclass)

-- name: submission_number_used
select exists (select from submission where number > 0 and number between $1 and $2)
    or exists (select from sandbox where dialect = 1 and number between $1 and $2)

-- name: message_number_used
select exists (select from message where number > 0 and number between $1 and $2)
    or exists (select from sandbox where dialect = 2 and number between $1 and $2)

-- name: make_month
select make_month($1)

-- name: next_block
select nextval($1::text::regclass)

-- name: next_blocks
-- So many blocks, neighbours unless another process took one meanwhile.
select nextval($1::text::regclass) from generate_series(1, $2::integer)

-- name: submission_number_used
select exists (select from submission where number > 0 and number between $1 and $2)
    or exists (select from sandbox where dialect = 1 and number between $1 and $2)

-- name: message_number_used
select exists (select from message where number > 0 and number between $1 and $2)
    or exists (select from sandbox where dialect = 2 and number between $1 and $2)

-- name: make_month
-- One process at a time: two that make the same partition would fail.
with alone as materialized (select pg_advisory_xact_lock(5021730119))
select make_month($1) from alone

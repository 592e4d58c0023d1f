-- The lists of blocked numbers: stop lists and dead numbers. Rows are never deleted, so that ids and history stay.

-- name: listing
SELECT number, token, phone, created_at, history
FROM blocked
WHERE account_id = $1 AND list = $2 AND NOT deleted
ORDER BY number

-- name: find
SELECT number, token, phone, created_at, history
FROM blocked
WHERE account_id = $1 AND list = $2 AND phone = $3 AND NOT deleted

-- name: add
-- One statement, so that of two that add the same number one gets no row.
INSERT INTO blocked (account_id, list, phone, token, created_at, history)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, list, phone) DO UPDATE
SET deleted = false, created_at = excluded.created_at, history = blocked.history || excluded.history
WHERE blocked.deleted
RETURNING number, token, phone, created_at, history

-- name: add_many
-- In the order of the key: batches that meet wait for each other, never in a circle.
INSERT INTO blocked (account_id, list, phone, token, created_at, history)
SELECT account_id, list, phone, token, $5, jsonb_build_array(entered)
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bytea[], $6::jsonb[])
     AS n (account_id, list, phone, token, entered)
ORDER BY account_id, list, phone
ON CONFLICT (account_id, list, phone) DO UPDATE
SET deleted = false, created_at = excluded.created_at, history = blocked.history || excluded.history
WHERE blocked.deleted
RETURNING account_id, list, phone

-- name: remove_by_number
UPDATE blocked SET deleted = true
WHERE account_id = $1 AND number = $3 AND list = $2 AND NOT deleted
RETURNING number

-- name: remove_by_phone
UPDATE blocked SET deleted = true
WHERE account_id = $1 AND list = $2 AND phone = $3 AND NOT deleted
RETURNING number

-- name: remove_by_token
UPDATE blocked SET deleted = true
WHERE account_id = $1 AND list = $2 AND token = $3 AND NOT deleted
RETURNING number

-- name: blocked_pairs
-- Both lists of each account, and the dead numbers of the platform (account 0).
SELECT b.account_id, b.list, b.phone
FROM unnest($1::bigint[], $2::bigint[]) AS w (account_id, phone),
     LATERAL (SELECT account_id, list, phone FROM blocked b
              WHERE b.account_id = w.account_id AND b.list = ANY ('{1,2}'::smallint[]) AND b.phone = w.phone
                    AND NOT b.deleted OFFSET 0) b
UNION
SELECT b.account_id, b.list, b.phone
FROM unnest($2::bigint[]) AS w (phone),
     LATERAL (SELECT account_id, list, phone FROM blocked b
              WHERE b.account_id = 0 AND b.list = 2 AND b.phone = w.phone AND NOT b.deleted OFFSET 0) b

-- name: blocked_of
-- The same for one account and many numbers.
SELECT account_id, list, phone FROM blocked
WHERE account_id = $1 AND list = ANY ('{1,2}'::smallint[]) AND phone = ANY ($2::bigint[]) AND NOT deleted
UNION ALL
SELECT account_id, list, phone FROM blocked
WHERE account_id = 0 AND list = 2 AND phone = ANY ($2::bigint[]) AND NOT deleted

-- Notifications to customers. A lease is by the clock of the database, everything else by business time. Events of one
-- message to one endpoint are posted one after the other, in the order of their ids; message 0 stands for no message and
-- knows no order.
-- Where the other events of a message are looked for, `state < 1` is 0 spelled so that the index of what is due, which a
-- plan made on an empty table could take for as good, does not serve.

-- name: insert
-- Leased from the start, so that the process that commits them posts them without another query; but an event behind
-- another of its message waits. $10: the first of its message in this batch.
INSERT INTO event (uuid, account_id, message_id, kind, at, endpoint, url, content_type, body, next_at, lease_until,
                   endpoint_id)
SELECT t.uuid, t.account_id, t.message_id, t.kind, t.at, t.endpoint, t.url, t.content_type, t.body, $12,
       CASE WHEN t.first AND NOT EXISTS (
                SELECT FROM event e
                WHERE t.message_id <> 0 AND e.account_id = t.account_id AND e.message_id = t.message_id AND e.state < 1
                  AND e.endpoint_id = t.endpoint_id)
            THEN clock_timestamp() + $13::interval END,
       t.endpoint_id
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::smallint[], $5::timestamptz[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::boolean[], $11::bigint[]) WITH ORDINALITY
     AS t (uuid, account_id, message_id, kind, at, endpoint, url, content_type, body, first, endpoint_id, n)
ORDER BY t.n
RETURNING id, uuid::text, lease_until IS NOT NULL

-- name: lease
-- The oldest due first; leasers that meet take different ones.
UPDATE event SET lease_until = clock_timestamp() + $4::interval
WHERE id = ANY (ARRAY(
    SELECT d.id FROM event d
    WHERE d.state = 0 AND d.next_at <= $1 AND (d.lease_until IS NULL OR d.lease_until <= clock_timestamp())
      AND d.endpoint <> ALL ($3::text[])
      AND (d.message_id = 0 OR NOT EXISTS (
              SELECT FROM event p
              WHERE p.account_id = d.account_id AND p.message_id = d.message_id AND p.id < d.id AND p.state < 1
                AND p.endpoint_id = d.endpoint_id))
    ORDER BY d.next_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED))
RETURNING id, uuid::text, account_id, message_id, kind, at, endpoint, url, content_type, body, attempts, endpoint_id

-- name: delivered
-- Counts the messages whose next event may go now.
WITH ended AS (
    DELETE FROM event WHERE id = ANY ($1::bigint[]) RETURNING id, account_id, message_id, endpoint_id
)
SELECT count(*) FROM ended d
WHERE d.message_id <> 0 AND EXISTS (
    SELECT FROM event f
    WHERE f.account_id = d.account_id AND f.message_id = d.message_id AND f.id > d.id AND f.state < 1
      AND f.endpoint_id = d.endpoint_id)

-- name: failed
-- No next time: given up.
UPDATE event e
SET attempts = t.attempts, error = t.error, lease_until = NULL, next_at = coalesce(t.next_at, e.next_at),
    state = CASE WHEN t.next_at IS NULL THEN 1 ELSE 0 END
FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::text[]) AS t (id, attempts, next_at, error)
WHERE e.id = t.id AND e.state = 0

-- name: drop_progress
-- What is being posted at this moment stays, and the final report waits for it.
DELETE FROM event e
USING unnest($1::bigint[], $2::bigint[]) AS t (account_id, message_id)
WHERE e.account_id = t.account_id AND e.message_id = t.message_id AND e.message_id <> 0
  AND e.kind = ANY ('{1,2}'::smallint[]) AND e.state < 1
  AND (e.lease_until IS NULL OR e.lease_until <= clock_timestamp())

-- name: replay
UPDATE event SET state = 0, attempts = 0, next_at = $3, lease_until = NULL
WHERE id = ANY ($2::bigint[]) AND account_id = $1 AND state = 1

-- name: given_up
SELECT id, uuid::text, account_id, message_id, kind, at, url, body, attempts, error
FROM event
WHERE account_id = $1 AND state = 1 AND id < $2
ORDER BY id DESC
LIMIT $3

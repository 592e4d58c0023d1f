-- What comes in from handsets: parts of long texts until all are there, whom a text answers, the replies themselves.

-- name: lock_texts
-- Two processes that get the halves of one text must not both wait for the other half. In order, as every lock.
SELECT pg_advisory_xact_lock(k)
FROM (SELECT DISTINCT hashtextextended(name, 0) AS k FROM unnest($1::text[]) AS name ORDER BY 1) AS locks

-- name: insert_parts
INSERT INTO inbound_part (carrier_id, phone, recipient, reference, total, part, text, at)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::int[], $5::smallint[], $6::smallint[], $7::text[],
                     $8::timestamptz[])
ON CONFLICT DO NOTHING

-- name: take_whole
WITH whole AS MATERIALIZED (
    SELECT p.carrier_id, p.phone, p.recipient, p.reference, p.total
    FROM (SELECT DISTINCT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::int[], $5::smallint[])
              AS t (carrier_id, phone, recipient, reference, total)) AS k
    JOIN inbound_part p USING (carrier_id, phone, recipient, reference, total)
    GROUP BY p.carrier_id, p.phone, p.recipient, p.reference, p.total
    HAVING count(*) = p.total
)
DELETE FROM inbound_part p USING whole w
WHERE p.carrier_id = w.carrier_id AND p.phone = w.phone AND p.recipient = w.recipient AND p.reference = w.reference
  AND p.total = w.total
RETURNING p.carrier_id, p.phone, p.recipient, p.reference, p.total, p.part, p.text, p.at

-- name: take_old
WITH old AS MATERIALIZED (
    SELECT carrier_id, phone, recipient, reference, total
    FROM inbound_part
    GROUP BY carrier_id, phone, recipient, reference, total
    HAVING min(at) <= $1
    LIMIT $2
)
DELETE FROM inbound_part p USING old o
WHERE p.carrier_id = o.carrier_id AND p.phone = o.phone AND p.recipient = o.recipient AND p.reference = o.reference
  AND p.total = o.total
RETURNING p.carrier_id, p.phone, p.recipient, p.reference, p.total, p.part, p.text, p.at

-- name: answered
-- The message that was sent last, whoever's it was, among those that may have reached the phone: what is leased may be
-- leaving at this moment. A text to a short code answers messages from it. A STOP is good for all that is stored; where
-- none came from the short code itself, it is for marketing under a name, whose mention says to write there.
SELECT t.n::int, found.account_id, found.id, found.reply_url
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::boolean[], $5::bigint[]) WITH ORDINALITY
     AS t (phone, recipient, national, stop, owner, n)
CROSS JOIN LATERAL (
    SELECT m.account_id, m.id, s.reply_url
    FROM message m
    JOIN submission s ON s.account_id = m.account_id AND s.id = m.submission_id
    JOIN account a ON a.id = m.account_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN m.sent_at IS NULL AND m.state = 0 AND EXISTS (
                        SELECT FROM queue q
                        WHERE q.account_id = m.account_id AND q.message_id = m.id AND q.lease_until IS NOT NULL)
                    THEN $7 ELSE m.sent_at END AS at) AS sent
    WHERE m.phone = t.phone
      AND (t.owner = 0 OR m.account_id = t.owner)
      AND (sent.at IS NOT NULL OR t.stop AND m.state = 0 AND s.due_at <= $7)
      AND m.state <> ALL ('{13,14,15,16}'::smallint[])
      AND (t.stop OR sent.at >= $8)
      AND (s.sender IN (t.recipient, '+' || t.recipient, t.national)
           OR coalesce(a.settings ->> 'short_code', $6) = t.recipient AND (s.sender = '' OR t.stop AND s.class = 1))
    ORDER BY (s.sender <> '' AND coalesce(a.settings ->> 'short_code', $6) = t.recipient),
             coalesce(sent.at, s.due_at) DESC, m.id DESC
    LIMIT 1
) AS found

-- name: insert
INSERT INTO reply (account_id, token, carrier_id, phone, recipient, text, at, stop, message_id, dialect, tag, tag_key)
SELECT account_id, token, carrier_id, phone, recipient, text, at, stop, message_id, dialect, tag, tag_key
FROM unnest($1::bigint[], $2::bytea[], $3::smallint[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[],
            $8::boolean[], $9::bigint[], $10::smallint[], $11::text[], $12::text[]) WITH ORDINALITY
     AS t (account_id, token, carrier_id, phone, recipient, text, at, stop, message_id, dialect, tag, tag_key, n)
ORDER BY n

-- name: replied
-- The latest reply; the caller holds the locks.
UPDATE message m SET reply_at = greatest(m.reply_at, t.at)
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS t (account_id, id, at)
WHERE m.account_id = t.account_id AND m.id = t.id

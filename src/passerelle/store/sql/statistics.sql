-- Figures of messages: deltas written by every batch, folded later; a read is fold plus deltas in one statement.

-- name: insert
INSERT INTO statistic_delta (account_id, dialect, tag_key, at, messages, waiting, parts, cost, sent, submitted,
                             delivered, errors, bounced, replies, complaints, opens, clicks, visits, seconds, refunded)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::timestamptz[], $5::int[], $6::int[], $7::int[],
                     $8::bigint[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::int[], $15::int[],
                     $16::int[], $17::int[], $18::int[], $19::int[], $20::bigint[])

-- name: fold
-- One statement, so that no reader sees a delta twice or not at all. Folders that meet take different deltas and
-- lock totals in the order of their keys. What is to come is counted at once and keeps its parts and cost, so that a
-- read never looks at all that is scheduled.
WITH past AS (
    DELETE FROM statistic_delta
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM statistic_delta WHERE at <= $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING *
), to_come AS (
    UPDATE statistic_delta SET counted = true
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM statistic_delta WHERE NOT counted AND at > $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING *
), taken AS (
    SELECT * FROM past WHERE NOT counted UNION ALL SELECT * FROM to_come
), totals AS (
    INSERT INTO statistic_total AS t (account_id, dialect, tag_key, messages, waiting, sent, submitted, delivered,
                                      errors, bounced, replies, complaints, opens, clicks, visits, seconds, refunded)
    SELECT d.account_id, d.dialect, k.tag_key, sum(d.messages), sum(d.waiting), sum(d.sent), sum(d.submitted),
           sum(d.delivered), sum(d.errors), sum(d.bounced), sum(d.replies), sum(d.complaints), sum(d.opens),
           sum(d.clicks), sum(d.visits), sum(d.seconds), sum(d.refunded)
    FROM taken d
    CROSS JOIN LATERAL (SELECT '' AS tag_key WHERE d.tag_key <> E'\x1ftest' UNION SELECT d.tag_key) k
    GROUP BY d.account_id, d.dialect, k.tag_key
    ORDER BY d.account_id, d.dialect, k.tag_key
    ON CONFLICT (account_id, dialect, tag_key) DO UPDATE
    SET messages = t.messages + excluded.messages, waiting = t.waiting + excluded.waiting,
        sent = t.sent + excluded.sent, submitted = t.submitted + excluded.submitted,
        delivered = t.delivered + excluded.delivered, errors = t.errors + excluded.errors,
        bounced = t.bounced + excluded.bounced, replies = t.replies + excluded.replies,
        complaints = t.complaints + excluded.complaints, opens = t.opens + excluded.opens,
        clicks = t.clicks + excluded.clicks, visits = t.visits + excluded.visits,
        seconds = t.seconds + excluded.seconds, refunded = t.refunded + excluded.refunded
), hours AS (
    INSERT INTO statistic_hour AS h (account_id, dialect, hour, parts, cost)
    SELECT account_id, dialect, date_trunc('hour', at, 'UTC'), sum(parts), sum(cost)
    FROM past
    GROUP BY 1, 2, 3
    HAVING sum(parts) <> 0 OR sum(cost) <> 0
    ORDER BY 1, 2, 3
    ON CONFLICT (account_id, dialect, hour) DO UPDATE
    SET parts = h.parts + excluded.parts, cost = h.cost + excluded.cost
)
SELECT (SELECT count(*) FROM past) + (SELECT count(*) FROM to_come)

-- name: counters
WITH figure AS (
    SELECT messages, waiting, sent, submitted, delivered, errors, bounced, replies, complaints, opens, clicks, visits,
           seconds, refunded
    FROM statistic_total
    WHERE account_id = $1 AND dialect = $2 AND tag_key = $3
    UNION ALL
    SELECT messages, waiting, sent, submitted, delivered, errors, bounced, replies, complaints, opens, clicks, visits,
           seconds, refunded
    FROM statistic_delta
    WHERE account_id = $1 AND dialect = $2 AND NOT counted
          AND ($3 = '' AND tag_key <> E'\x1ftest' OR tag_key = $3)
)
SELECT coalesce(sum(messages), 0)::bigint, coalesce(sum(waiting), 0)::bigint, coalesce(sum(sent), 0)::bigint,
       coalesce(sum(submitted), 0)::bigint, coalesce(sum(delivered), 0)::bigint, coalesce(sum(errors), 0)::bigint,
       coalesce(sum(bounced), 0)::bigint, coalesce(sum(replies), 0)::bigint, coalesce(sum(complaints), 0)::bigint,
       coalesce(sum(opens), 0)::bigint, coalesce(sum(clicks), 0)::bigint, coalesce(sum(visits), 0)::bigint,
       coalesce(sum(seconds), 0)::bigint, coalesce(sum(refunded), 0)::bigint,
       coalesce((SELECT numbers FROM statistic_numbers
                 WHERE account_id = $1 AND dialect = $2 AND figure = 1 AND tag_key = $3), 0) AS unsubscribers,
       coalesce((SELECT numbers FROM statistic_numbers
                 WHERE account_id = $1 AND dialect = $2 AND figure = 2 AND tag_key = $3), 0) AS openers,
       coalesce((SELECT numbers FROM statistic_numbers
                 WHERE account_id = $1 AND dialect = $2 AND figure = 3 AND tag_key = $3), 0) AS clickers
FROM figure

-- name: unsubscribers_of_all
-- Tests too: the numbers of tests that are not among the others already.
SELECT coalesce((SELECT numbers FROM statistic_numbers
                 WHERE account_id = $1 AND dialect = $2 AND figure = 1 AND tag_key = ''), 0)
     + (SELECT count(*) FROM statistic_distinct t
        WHERE t.account_id = $1 AND t.dialect = $2 AND t.figure = 1 AND t.tag_key = E'\x1ftest'
              AND NOT EXISTS (SELECT FROM statistic_distinct a
                              WHERE a.account_id = $1 AND a.dialect = $2 AND a.figure = 1 AND a.tag_key = ''
                                    AND a.phone = t.phone))

-- name: waiting_parts
SELECT coalesce((SELECT sum(waiting) FROM statistic_total
                 WHERE account_id = $1 AND dialect = $2 AND tag_key = ANY (ARRAY['', E'\x1ftest'])), 0)
     + coalesce((SELECT sum(waiting) FROM statistic_delta WHERE account_id = $1 AND dialect = $2 AND NOT counted), 0)

-- name: tag_messages
SELECT coalesce((SELECT messages FROM statistic_total WHERE account_id = $1 AND dialect = $2 AND tag_key = $3), 0)
     + coalesce((SELECT sum(messages) FROM statistic_delta
                 WHERE account_id = $1 AND dialect = $2 AND NOT counted
                       AND ($3 = '' AND tag_key <> E'\x1ftest' OR tag_key = $3)), 0)

-- name: cost_rows
WITH fresh AS MATERIALIZED (
    SELECT date_trunc('hour', at, 'UTC') AS hour, sum(parts) AS parts, sum(cost) AS cost
    FROM statistic_delta
    WHERE account_id = $1 AND dialect = $2 AND at <= $4
    GROUP BY 1
)
SELECT (coalesce(h.parts, 0) + coalesce(d.parts, 0))::bigint, (coalesce(h.cost, 0) + coalesce(d.cost, 0))::bigint
FROM unnest(($3::timestamptz[])[:cardinality($3) - 1], ($3::timestamptz[])[2:]) WITH ORDINALITY AS row (low, high, n)
CROSS JOIN LATERAL (
    SELECT sum(parts) AS parts, sum(cost) AS cost FROM statistic_hour
    WHERE account_id = $1 AND dialect = $2 AND hour >= low AND hour < high) h
CROSS JOIN LATERAL (
    SELECT sum(parts) AS parts, sum(cost) AS cost FROM fresh WHERE hour >= low AND hour < high) d
ORDER BY n

-- name: add_distinct
-- In the order of the keys, as every lock.
WITH new AS (
    INSERT INTO statistic_distinct (account_id, dialect, figure, tag_key, phone)
    SELECT DISTINCT d.account_id, d.dialect, d.figure, k.tag_key, d.phone
    FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::text[], $5::bigint[])
         AS d (account_id, dialect, figure, tag_key, phone)
    CROSS JOIN LATERAL (SELECT '' AS tag_key WHERE d.tag_key <> E'\x1ftest' UNION SELECT d.tag_key) k
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT DO NOTHING
    RETURNING account_id, dialect, figure, tag_key
)
INSERT INTO statistic_numbers AS n (account_id, dialect, figure, tag_key, numbers)
SELECT account_id, dialect, figure, tag_key, count(*) FROM new GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (account_id, dialect, figure, tag_key) DO UPDATE SET numbers = n.numbers + excluded.numbers

-- name: distinct
SELECT coalesce((SELECT numbers FROM statistic_numbers
                 WHERE account_id = $1 AND dialect = $2 AND figure = $3 AND tag_key = $4), 0)

-- name: recount
-- Slow on purpose: every message of the account is read. The definitions are those of statistics.py. Parts and cost
-- are of tests too, where all is asked for.
WITH counted AS (
    SELECT m.*, s.due_at, s.tag_key
    FROM message m
    JOIN submission s ON s.account_id = m.account_id AND s.id = m.submission_id
    WHERE m.account_id = $1 AND m.dialect = $2 AND ($3 = '' AND s.tag_key <> E'\x1ftest' OR s.tag_key = $3)
), spent AS (
    SELECT m.parts - m.refunded_parts AS parts, m.price - m.refunded AS cost
    FROM message m
    JOIN submission s ON s.account_id = m.account_id AND s.id = m.submission_id
    WHERE m.account_id = $1 AND m.dialect = $2 AND ($3 = '' OR s.tag_key = $3) AND s.due_at <= $4
), came AS (
    SELECT v.link, v.seconds, t.url, m.phone
    FROM visit v
    JOIN link_target t ON t.id = v.target_id
    JOIN message m ON m.account_id = t.account_id AND m.id = t.submission_id + v.place
    WHERE t.account_id = $1 AND t.dialect = $2 AND v.robot = 0 AND v.counted
      AND ($3 = '' AND t.tag_key <> E'\x1ftest' OR t.tag_key = $3)
)
SELECT count(*) AS messages,
       (SELECT count(*) FROM queue q
        JOIN submission s ON s.account_id = q.account_id AND s.id = q.submission_id
        WHERE q.account_id = $1 AND s.dialect = $2 AND q.attempts = 0
          AND ($3 = '' AND s.tag_key <> E'\x1ftest' OR s.tag_key = $3)) AS waiting,
       count(sent_at) AS sent,
       count(submitted_at) AS submitted,
       count(delivered_at) AS delivered,
       count(*) FILTER (WHERE sent_at IS NOT NULL AND failed_at IS NOT NULL
                          AND bounced_at IS NULL AND delivered_at IS NULL) AS errors,
       count(*) FILTER (WHERE sent_at IS NOT NULL AND bounced_at IS NOT NULL AND delivered_at IS NULL) AS bounced,
       (SELECT count(*) FROM reply r
        WHERE r.account_id = $1 AND r.dialect = $2 AND NOT r.stop
          AND ($3 = '' AND r.tag_key <> E'\x1ftest' OR r.tag_key = $3)) AS replies,
       count(*) FILTER (WHERE spam) AS complaints,
       (SELECT count(*) FROM came WHERE link = 0) AS opens,
       (SELECT count(*) FROM came WHERE link > 0 OR url IS NOT NULL) AS clicks,
       (SELECT count(*) FROM came WHERE link = 0 AND url IS NULL) AS visits,
       (SELECT coalesce(sum(seconds), 0) FROM came) AS seconds,
       coalesce(sum(refunded), 0)::bigint AS refunded,
       (SELECT count(DISTINCT r.phone) FROM reply r
        WHERE r.account_id = $1 AND r.dialect = $2 AND r.stop
          AND ($3 = '' AND r.tag_key <> E'\x1ftest' OR r.tag_key = $3)) AS unsubscribers,
       (SELECT count(DISTINCT phone) FROM came WHERE link = 0) AS openers,
       (SELECT count(DISTINCT phone) FROM came WHERE link > 0 OR url IS NOT NULL) AS clickers,
       (SELECT coalesce(sum(parts), 0) FROM spent)::bigint AS parts,
       (SELECT coalesce(sum(cost), 0) FROM spent)::bigint AS cost
FROM counted

-- Reads of single messages, of replies and of the numbers that a tag has lost.

-- name: by_number
SELECT m.number, s.accepted_at, s.test, m.sent_at, m.submitted_at, m.delivered_at, m.failed_at, m.bounced_at,
       m.opened_at, m.reply_at, m.stopped_at
FROM message m
JOIN submission s ON s.account_id = m.account_id AND s.id = m.submission_id
WHERE m.number = $3 AND m.number > 0 AND m.account_id = $1 AND m.dialect = $2

-- name: latest
-- Ids of several processes are not quite in the order of acceptance, so that is looked at among the newest.
SELECT m.number, s.accepted_at, s.test, m.sent_at, m.submitted_at, m.delivered_at, m.failed_at, m.bounced_at,
       m.opened_at, m.reply_at, m.stopped_at
FROM (SELECT * FROM message WHERE phone = $3 AND account_id = $1 AND dialect = $2 ORDER BY id DESC LIMIT 100) m
JOIN submission s ON s.account_id = m.account_id AND s.id = m.submission_id
ORDER BY s.accepted_at DESC, m.id DESC
LIMIT 1

-- name: replies
-- Those that answer nothing of ours belong to no dialect: every dialect of the account shows them.
SELECT token, phone, text FROM reply
WHERE account_id = $1 AND dialect IN ($2, 0) AND NOT stop
ORDER BY id

-- name: replies_of_tag
SELECT token, phone, text FROM reply
WHERE account_id = $1 AND dialect = $2 AND tag_key = $3 AND NOT stop
ORDER BY id

-- name: unsubscribers
SELECT phone FROM reply
WHERE account_id = $1 AND dialect = $2 AND ($3 = '' OR tag_key = $3) AND stop
GROUP BY phone
ORDER BY min(id)

-- name: bounces
-- Every number that bounced has, or had, its entry in the list of dead numbers: few, while messages are many.
SELECT m.phone
FROM blocked b
JOIN message m ON m.phone = b.phone AND m.account_id = b.account_id
JOIN submission s ON s.account_id = m.account_id AND s.id = m.submission_id
WHERE b.account_id = $1 AND b.list = 2 AND m.dialect = $2 AND m.bounced_at IS NOT NULL AND m.delivered_at IS NULL
  AND ($3 = '' OR s.tag_key = $3)
GROUP BY m.phone
ORDER BY min(m.bounced_at), m.phone

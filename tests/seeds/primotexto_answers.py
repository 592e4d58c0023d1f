"""What the official pages and the contract of Primotexto v2 show as answers: members, order and types.

The one rule: the values are samples; `shapes.same` compares the rest.
"""

FAILURE = '{"code": 11, "error": "invalid phone number syntax", "message": "invalid phone number syntax"}'
UNKNOWN = "533e9f59e4b05d2efeb6f1b4"

ID = f'{{"id": "{UNKNOWN}"}}'
USED = '{"creditsUsed": 1.0}'
SENT = '{"creditsUsed": 1.0, "snapshotId": "386479"}'
WAITING = '{"id": 362891, "state": "submitted", "stateDate": 1387808142057, "test": false}'
DELIVERED = """{"delivered": 1387808142057, "id": 362891, "sent": 1387808111339, "state": "delivered",
 "stateDate": 1387808142057, "submitted": 1387808111833, "test": false}"""
COUNTERS = """{"sent": 925, "submitted": 925, "delivered": 872, "openers": 114, "clickers": 178, "clicks": 145,
 "opens": 241, "replies": 62, "unsubscribers": 3, "errors": 31, "bounced": 28, "complaint": 3, "timespent": 18}"""
ACCOUNT = """{"bounces": 1247, "credits": 279, "delivered": 12484, "sent": 14925, "submitted": 14811,
 "undelivered": 2441, "unsubscribers": 213}"""
REPLIES = '[{"id": "54ede17ce4c0b0a16c1b2d46", "identifier": "+33600000000", "message": "Réponse 1"}]'
BLACKLISTS = """{"bounces": {"number": 2, "identifiers": ["0600000000", "0600000001"]},
 "unsubscribers": {"number": 1, "identifiers": ["0600000002"]}}"""
ENTRY = """[{"id": "543ceb14e4b0ef900801cbe3", "deleted": false, "identifier": "+33600000000",
 "blacklistId": "52f0a1b2c3d4e5f601234567", "history": [%s]}]"""
CHECK = """{"international": false, "rawIdentifier": "0600000000", "formattedIdentifier": "+33600000000",
 "status": "OK"}"""

COLUMN = '{"id": "533ea0c1e4b05d2efeb6f1c0", "name": "Prénom", "type": "STRING", "listId": "533e9f59e4b05d2efeb6f1b4"}'
DATED = COLUMN.replace("STRING", "DATE")[:-1] + ', "format": "dd/MM/yyyy"}'
OPERATION = f"""{{"id": "{UNKNOWN}", "state": "FINISHED", "total": 3, "imported": 2, "duplicates": 0, "invalid": 1}}"""

MADE = f'{{"id": "{UNKNOWN}", "campaignId": "{UNKNOWN}"}}'
DRAFT = f"""{{"id": "{UNKNOWN}", "campaignId": "{UNKNOWN}", "message": "Soldes -20%", "sendList": {{"id": "{UNKNOWN}"}},
 "state": "DRAFT", "name": "Soldes 2016", "type": "STANDARD", "sourceAddress": "Boutique", "flash": false,
 "cleanBounces": true, "cleanUnsubscribers": true, "keepList": true}}"""
LAUNCHED = DRAFT[:-1] + ', "totalCredits": 26146.0}'
PROGRAMMED = LAUNCHED.replace('"flash"', '"date": 1459263600000, "flash"')
FIGURES = f"""{{"bounces": 130, "creditsUsed": 2000, "delivered": 1752, "errors": 118, "id": "{UNKNOWN}",
 "name": "Soldes 2016", "replies": 1, "sent": 2000, "state": "SENT", "submitted": 1977, "undelivered": 248}}"""
STOPPED = FIGURES[:-1] + ', "unsubscribers": 3}'
LINKED = f"""{{"bounces": 130, "clickers": 178, "clicks": 145, "creditsUsed": 2000, "delivered": 1752, "errors": 118,
 "id": "{UNKNOWN}", "name": "Soldes 2016", "openers": 114, "opens": 241, "replies": 1, "sent": 2000, "state": "SENT",
 "submitted": 1977, "timespent": 18, "undelivered": 248}}"""
CANCELLED = f'{{"id": "{UNKNOWN}", "state": "CANCELLED", "creditsRefunded": 26146.0}}'

EVENT = """{"event": "delivered", "snapshotId": "386479", "contact": {"identifier": "+33600000000"},
 "date": 1387808142057, "category": "codes-2fa", "campaignName": "Codes", "test": false}"""
OF_CAMPAIGN = EVENT.replace('"category": "codes-2fa", ', "").replace('"test"', f'"campaignId": "{UNKNOWN}", "test"')
REPLY = EVENT.replace('"date"', '"replyMessage": "OK", "date"')

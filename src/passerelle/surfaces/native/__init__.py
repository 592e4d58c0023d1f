"""The native API, `/api/v1`: what the dialects lack, typed and documented; one module a family of calls.

To add a family, write `surfaces/native/<room>.py`: a docstring (its first line is told on the documentation page),
msgspec Structs for what goes in (`forbid_unknown_fields=True, kw_only=True`) and out, and calls

    @endpoint("GET", "/things/{id}", "things:read")
    async def one(services: Services, caller: Caller, id: int) -> Thing:
        \"\"\"One thing. The first sentence is its title, the rest its description.\"\"\"

    HANDLERS = [one, ...]

and put the module into `FAMILIES` of `application.py`. The arguments are found by their names: `services`, `caller`,
`query` (a Struct: the members of the query string), `body` (a Struct), and the variables of the path (str or int). A
Struct is answered as JSON with the status of the endpoint, None as 204, `Download` as a file. Whatever is wrong is
raised as `Problem` of a slug in `problems.TABLE`. A list takes `Paging` (or a Struct that inherits it) as its query
and answers `page(...)`. Money is `shapes.money(micro)`, times are aware datetimes in UTC, ids are texts. The scope has
to be in `domain.scopes`. Nothing here is imported before the first request: see `surfaces/beyond.py`.
"""

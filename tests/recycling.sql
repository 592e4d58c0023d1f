-- Made in the template of the tests: what a migrated, empty database holds, and a function that brings a copy back to it.
-- A copy of 800 small files costs half a second, a reset some milliseconds.
create schema seed;

create table seed.shape as
select c.oid as relation, c.relname, a.attnum, a.attname
from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'i', 'I', 'S', 'v');

create table seed.function as select oid from pg_proc where pronamespace = 'public'::regnamespace;

create table seed.kept (relation regclass);
create table seed.counters as
select format('public.%I', sequencename)::regclass as relation, coalesce(last_value, start_value) as at, last_value is not null as called
from pg_sequences where schemaname = 'public';

do $$
declare one record; has_rows boolean;
begin
    for one in select c.oid::regclass as name, relname from pg_class c
               where relnamespace = 'public'::regnamespace and relkind = 'r' and not relispartition loop
        execute format('select exists (select 1 from %s)', one.name) into has_rows;
        if has_rows then
            execute format('create table seed.%I as table %s', one.relname, one.name);
            insert into seed.kept values (one.name);
        end if;
    end loop;
end $$;

-- False: the schema was changed by a test, and a new copy is needed.
create function seed.reset() returns boolean language plpgsql as $$
declare one record;
begin
    if exists (
        select relation, relname, attnum, attname from seed.shape
        except
        select c.oid, c.relname, a.attnum, a.attname
        from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) or exists (select from pg_trigger where not tgisinternal)
      or exists (select from pg_proc p where p.pronamespace = 'public'::regnamespace
                 and not exists (select from seed.function f where f.oid = p.oid)) then
        return false;
    end if;
    set local session_replication_role = replica;
    set local lock_timeout = '2s';
    for one in select c.oid::regclass as name from pg_class c
               where relnamespace = 'public'::regnamespace and relkind = 'r'
                     and not exists (select from seed.shape s where s.relation = c.oid) loop
        execute format('drop table %s cascade', one.name);
    end loop;
    for one in select c.oid::regclass as name, pg_relation_size(c.oid) as bytes from pg_class c
               where relnamespace = 'public'::regnamespace and relkind = 'r' and pg_relation_size(c.oid) > 0 loop
        execute format(case when one.bytes > 65536 then 'truncate %s cascade' else 'delete from %s' end, one.name);
    end loop;
    for one in select k.relation as name, c.relname from seed.kept k join pg_class c on c.oid = k.relation loop
        execute format('insert into %s overriding system value table seed.%I', one.name, one.relname);
    end loop;
    perform setval(relation, at, called) from seed.counters;
    return true;
end $$;

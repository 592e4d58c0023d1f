-- Keys and endpoints of the native API.
select;  -- nothing yet

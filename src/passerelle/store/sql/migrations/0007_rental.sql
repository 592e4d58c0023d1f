-- The contact base that the operator rents out.
select;  -- nothing yet

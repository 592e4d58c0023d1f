-- Groups and contacts of customers.
select;  -- nothing yet

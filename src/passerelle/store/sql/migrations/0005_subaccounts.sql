-- What a sub-account is beside an account.
select;  -- nothing yet

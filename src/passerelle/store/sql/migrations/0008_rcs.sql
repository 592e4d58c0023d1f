-- What an RCS message is beside a message.
select;  -- nothing yet

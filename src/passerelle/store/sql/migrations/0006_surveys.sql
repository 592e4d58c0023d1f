-- Surveys, invitations, answers, short links.
select;  -- nothing yet

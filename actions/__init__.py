"""What the bot can do, one module per customer job. No SQL and no wording: crm decides, domain.yml speaks."""

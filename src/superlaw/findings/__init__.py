"""What is concluded from runs, tables and fits: small frozen records with their errors and what they rest on."""

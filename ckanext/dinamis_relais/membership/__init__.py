"""A partner joins: entity details, files, signature, eligibility, decision, membership."""

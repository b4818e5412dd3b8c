"""What a person reads to get on alone: guides, answers to frequent questions, and use cases of partners."""

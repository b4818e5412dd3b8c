"""What a person reads to get on alone: guides and answers to frequent questions."""

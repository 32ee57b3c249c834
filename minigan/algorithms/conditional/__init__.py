"""Games about labelled examples: samples are asked for by their labels."""

"""Tools that need rules, data and a fitted model: statistics, suggestions, hot edits, differences."""

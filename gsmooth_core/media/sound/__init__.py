"""Sound as samples, and what is heard beside a speech."""

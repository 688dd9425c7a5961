"""A job: what is to be done, its folder, its journal, its sources and what it says on its way."""

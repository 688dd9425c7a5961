"""What is known of a dub and of its clip, on the timeline: quality, words, people, versions."""

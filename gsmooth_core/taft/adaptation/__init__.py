"""What a clip teaches about its person: correctives, borne out by held-back stretches."""

"""The worker process: started, asked, listened to, ended; and the Python that it runs in."""

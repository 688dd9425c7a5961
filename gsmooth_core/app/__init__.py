"""How GSmooth is used: command line, worker, single stages, the look at the machine."""

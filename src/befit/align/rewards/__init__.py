"""Every family of personal reward models, each in one file, behind one protocol."""

Section = Table = write_report = None

population_report = population_section = run_report = run_sections = None

"""Measurements. Each script prints a table with its rival in the same run; every published number comes from one."""

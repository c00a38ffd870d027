"""Invents a province on the real base of Bình Phước: its units, names and proportions are real, every person and number is not."""

from demo.province.generate import VERSION, Manifest, generate
from demo.province.registers.officials import load_officials
from demo.province.registers.population import load_population
from demo.province.registers.readings import write_hour

__all__ = ["VERSION", "Manifest", "generate", "load_officials", "load_population", "write_hour"]

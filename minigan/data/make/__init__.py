"""`minigan data make`: data sets made of pictures that packages of other people hold."""

from minigan.data.make.recipes import RECIPES, Recipe, make

__all__ = ["RECIPES", "Recipe", "make"]

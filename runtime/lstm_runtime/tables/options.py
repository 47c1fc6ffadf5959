"""The options that name the columns of a table, the same in every command."""

import click

text_column_option = click.option(
    "--text-column", default="text", show_default=True, help="Column with the texts."
)
label_column_option = click.option(
    "--label-column", default="label", show_default=True, help="Column with the labels."
)

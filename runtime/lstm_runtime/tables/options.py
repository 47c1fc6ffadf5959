"""The options that name the columns of a table, the same in every command."""

from lstm_runtime.command import option

text_column_option = option(
    "--text-column", group="Input", default="text", show_default=True, help="Column with the texts."
)
label_column_option = option(
    "--label-column",
    group="Input",
    default="label",
    show_default=True,
    help="Column with the labels.",
)

"""`habeas notices`: what people must be told before anything is collected, made from the data maps."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The notice at collection and the privacy policy's tables, from the data maps.", no_args_is_help=True
)


class Form(StrEnum):
    html = "html"
    md = "md"
    json = "json"


Business = Annotated[str, typer.Option(help="The business.")]
Title = Annotated[
    str | None, typer.Option(help="How people know the business.", show_default="as intake's settings say")
]
PolicyUrl = Annotated[
    str | None, typer.Option(help="The page of its privacy policy.", show_default="as intake's")
]
OptOutUrl = Annotated[
    str | None, typer.Option(help="Its notice of the right to opt out.", show_default="as intake's")
]
LimitUrl = Annotated[
    str | None, typer.Option(help="Its notice of the right to limit.", show_default="as intake's")
]
AsPermitted = Annotated[
    bool,
    typer.Option(
        "--sensitive-as-permitted",
        help="Sensitive information is used for nothing but what 11 CCR 7027(m) permits.",
    ),
]
Under16 = Annotated[
    bool | None,
    typer.Option(
        "--sells-under-16/--no-sells-under-16",
        help="Whether it is known that data of consumers under 16 is sold or shared.",
        show_default=False,
    ),
]
To = Annotated[Path | None, typer.Option(help="Write it here; else it is printed.", show_default=False)]
InForm = Annotated[Form, typer.Option("--format")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]


@app.command(
    epilog="Examples:\n\nhabeas notices collection --business cascadia --to notice.html\n\n"
    "habeas notices collection --business cascadia --format md --policy-url https://cascadia.example/privacy"
)
def collection(  # noqa: PLR0913 - one option for each thing that can be said
    *,
    business: Business,
    title: Title = None,
    policy_url: PolicyUrl = None,
    opt_out_url: OptOutUrl = None,
    limit_url: LimitUrl = None,
    sensitive_as_permitted: AsPermitted = False,
    form: InForm = Form.html,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Make the notice at collection (11 CCR 7012); exit 1 and each gap on standard error, where the maps leave any."""
    from deploy.cli.notice_views import Asked, hand_over_notice

    urls = (policy_url, opt_out_url, limit_url)
    asked = Asked("collection", business, title, urls, sensitive_as_permitted)
    hand_over_notice(asked, "json" if as_json else form.value, to)


@app.command(epilog="Example: habeas notices policy --business cascadia --format md --to tables.md")
def policy(  # noqa: PLR0913 - one option for each thing that can be said
    *,
    business: Business,
    title: Title = None,
    opt_out_url: OptOutUrl = None,
    limit_url: LimitUrl = None,
    sensitive_as_permitted: AsPermitted = False,
    sells_under_16: Under16 = None,
    form: InForm = Form.html,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Make the privacy policy's tables (11 CCR 7011(e)(1)): categories, sources, purposes, recipients, retention."""
    from deploy.cli.notice_views import Asked, hand_over_notice

    urls = (None, opt_out_url, limit_url)
    asked = Asked("policy", business, title, urls, sensitive_as_permitted, sells_under_16)
    hand_over_notice(asked, "json" if as_json else form.value, to)


@app.command(epilog="Example, once a day: habeas notices check published/notice.json")
def check(
    published: Annotated[Path, typer.Argument(help="What was published, made with --format json.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether a published notice is still true: exit 1 if the maps say otherwise by now, or it is a year old."""
    from deploy.cli.notice_views import check_published

    check_published(published, as_json=as_json)

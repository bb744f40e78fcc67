"""Progress on standard error, so that standard output stays clean: a bar in a terminal, a line now and then in a log."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def console_progress() -> Callable[[int, int, str], None]:
    """A callback (done, total, text) that draws one bar a run of steps, or writes a line at each twentieth of it.

    A text without a total is a line of its own.
    """
    bar: list[Progress] = []
    console = Console(stderr=True)
    if not console.is_terminal:
        return lambda done, total, text: _line(console, done, total, text)

    def report(done: int, total: int, text: str) -> None:
        if not total:
            console.print(text, highlight=False, markup=False)
            return
        if not bar:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            bar.append(Progress(*columns, console=console))
            bar[0].add_task(text, total=total)
            bar[0].start()
        bar[0].update(bar[0].task_ids[0], completed=done, total=total, description=text)
        if done >= total:
            bar.pop().stop()

    return report


def _line(console: Console, done: int, total: int, text: str) -> None:
    if not total:
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    elif done >= total or done * 20 // total != (done - 1) * 20 // total:
        console.print(f"{done}/{total} {text}", highlight=False, soft_wrap=True)


def counting(text: str) -> Callable[[int, int], None]:
    """The same for a callback (done, total) under one text."""
    report = console_progress()
    return lambda done, total: report(done, max(total, 1), text)

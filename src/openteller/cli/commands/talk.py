"""`teller talk`: a call from a terminal, from a file or the microphone."""

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openteller.cli import calling, running
from openteller.cli.operator_token import service_token
from openteller.core.errors import BadInput, MissingDependency, Unavailable

_EXAMPLES = """\
examples:
  teller talk question.wav                     play a file to the assistant and show what is said
  teller talk question.mp3 --save reply.wav    and keep the spoken answer
  teller talk --mic --customer C000001         speak with the computer's microphone; Ctrl-C hangs up
"""
_PATIENCE = 60.0  # seconds for an answer after the file has ended
_NOTHING = 8.0  # seconds after the file's end in which something must have been heard


def talk(arguments: list[str]) -> int:
    """Speak with the assistant: with the server that runs on this data directory, or one of the command's own."""
    parser = argparse.ArgumentParser(
        "teller talk", description=talk.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", help="what to say: wav, mp3, flac, ogg, webm, m4a")
    parser.add_argument("--mic", action="store_true", help="the computer's microphone and loudspeaker")
    parser.add_argument("--customer", metavar="ID", help="speak as this customer (operator of this machine only)")
    parser.add_argument("--language", choices=["zh", "en"], help="default: the speaker's")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the spoken answers (.wav, .flac, .mp3, .opus)")
    parser.add_argument("--json", action="store_true", help="every message of the call as a line of JSON")
    given = parser.parse_args(arguments)
    if (given.file is None) == (not given.mic):
        raise BadInput("Say what to play or where to listen.", next_step="teller talk FILE, or teller talk --mic")
    speech = _read(given.file) if given.file else None
    directory = running.data_dir()
    start: dict[str, Any] = {"language": given.language}
    if given.customer:
        start |= {"customer_id": given.customer}
    with _server(directory) as url:
        if given.customer:
            start["token"] = service_token(directory)
        line = asyncio.run(_call(url, start, speech, _show_json if given.json else _show))
    if given.save:
        _save(line, given.save)
    return 0 if line.of("heard") else 1


def _read(file: Path) -> Any:
    from openteller.voice.audio_files import read_audio

    return read_audio(file)


async def _call(url: str, start: dict[str, Any], speech: Any, show: Any) -> calling.Line:
    async with calling.call(url, start, show) as line:
        if speech is None:
            await _microphone(line)
            return line
        # The greeting first: the file's first words are not meant to interrupt it.
        await line.until(lambda: line.state == "listening", 30)
        await line.say(speech.samples)
        if (
            await line.until(lambda: bool(line.of("heard")) or bool(line.of("notice")), _NOTHING)
            or line.state == "thinking"
        ):
            await line.until(lambda: line.state == "listening", _PATIENCE)
    return line


async def _microphone(line: calling.Line) -> None:
    """Until the call ends: what the microphone hears goes out, what comes in is played."""
    sounds = _sound_device()
    loop, heard = asyncio.get_running_loop(), asyncio.Queue[Any]()

    def hear(samples: Any, *_: Any) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, samples[:, 0].copy())

    played = 0
    with (
        sounds.InputStream(calling.RATE, calling.PIECE, channels=1, dtype="float32", callback=hear),
        sounds.OutputStream(line.rate, channels=1, dtype="float32") as speaker,
    ):
        while not line.closed:
            await line.say(await heard.get())
            for _, samples in line.played[played:]:
                await asyncio.to_thread(speaker.write, samples.reshape(-1, 1))
                played += 1


def _sound_device() -> Any:
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: PortAudio itself is missing
        raise MissingDependency(
            "The microphone needs the package sounddevice and PortAudio.",
            next_step="Run `pip install sounddevice` (Debian: apt-get install libportaudio2), or name a file.",
        ) from error
    return sounddevice


@contextmanager
def _server(directory: Path) -> Iterator[str]:
    """The URL of the server that runs here, or of one that lives as long as the block."""
    found = running.find(directory)
    if found:
        yield found
        return
    import uvicorn

    from openteller.assembly import Application
    from openteller.cli.progress import console_progress
    from openteller.serving.app import create_app
    from openteller.settings import load

    application = Application(load(dev=True, voice_ahead=False), console_progress())
    server = uvicorn.Server(uvicorn.Config(create_app(application), port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    try:
        application.warm()
        thread.start()
        yield f"http://127.0.0.1:{_port(server)}"
    finally:
        server.should_exit = True
        thread.join(10)
        application.close()


def _port(server: Any) -> int:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if server.started:
            return int(server.servers[0].sockets[0].getsockname()[1])
        time.sleep(0.05)
    raise Unavailable("The call's own server did not start.", next_step="Run `teller serve` and try again.")


def _show(message: dict[str, Any]) -> None:
    match message["type"]:
        case "ready":
            print("AI 语音助手 / AI voice assistant")
        case "heard":
            print(f"> {message['text']}   ({message['probability']:.2f})")
        case "say":
            print(f"  {message['text']}")
        case "interrupted":
            print("  …")
        case "timing":
            print(f"  [{message['first_audio']:.2f} s from your last sound to the first of the answer]")
        case "notice":
            print(f"  ! {message['text']}")
        case "error":
            print(f"  ! {message['what']} {message['next_step']}")


def _show_json(message: dict[str, Any]) -> None:
    print(json.dumps(message, ensure_ascii=False), flush=True)


def _save(line: calling.Line, file: Path) -> None:
    from openteller.voice.sound_files import marked, write_sound

    write_sound(file, line.reply(), marked("OpenTeller", str(line.ready.get("call_id", ""))))
    print(f"{file}: {line.reply().seconds:.1f} s")
